package load

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"blksim/aio/lane"
	"blksim/internal/replay"
	"blksim/sim"
)

// Run is one run of jobs over a disk.
type Run struct {
	Group lane.Group
	Disk  replay.Target
	Lanes []lane.Lane // of the submitters: jobs take turns on them
	Jobs  []Job
	Seed  uint64
	Data  bool // the device keeps data, as verify wants
	Used  bool // it had data before the run: what no write of the run has replaced is not checked

	// Alloc gives memory for data; see replay.Config.
	Alloc func(n int) []byte

	// Epoch is what the times of the results and of what Watch sees count from, on
	// the group's clock; 0: when Do begins.
	Epoch lane.Time

	// LateAfter: see replay.Config; of jobs with a rate.
	LateAfter time.Duration
	// Grace is that of replay.Config.
	Grace time.Duration

	// NoCancels runs the jobs without their deadlines and cancels.
	NoCancels bool

	// Watch, if set, makes the watchers of a clone's I/Os; see replay.Config.
	Watch func(clone int) func(l lane.Lane) replay.Watcher

	stopped atomic.Bool
	mu      sync.Mutex // guards engines
	engines []*replay.Engine
}

// Clone is what one clone of a job did.
type Clone struct {
	Job    Job
	Index  int // among the job's clones
	Phase  int // jobs of one phase run side by side
	Result *replay.Result

	// Of a job with verify: intervals that were checked and found bad, and the
	// first of those.
	Checked, Bad int64
	FirstBad     []string
}

// Name tells the clone from all others of its run.
func (c *Clone) Name() string {
	if c.Job.Clones > 1 {
		return fmt.Sprintf("%s.%d", c.Job.Name, c.Index)
	}
	return c.Job.Name
}

// Do runs the jobs, phase by phase, and tells what each clone did, also where the
// run ended early. From outside all lanes. An error of type *JobError came before
// anything was run.
func (r *Run) Do() ([]*Clone, error) {
	phases, err := r.prepare()
	if err != nil {
		return nil, &JobError{err}
	}
	var all []*Clone
	var errs error
	for _, phase := range phases {
		if r.stopped.Load() || errs != nil {
			break
		}
		var engines []*replay.Engine
		for _, p := range phase {
			engines = append(engines, p.engine)
		}
		results, err := replay.RunAll(r.Group, engines)
		errs = errors.Join(errs, err)
		for i, p := range phase {
			p.clone.Result = results[i]
			if v := p.verify; v != nil {
				p.clone.Checked, p.clone.Bad, p.clone.FirstBad = v.Checked, v.Bad, v.First
			}
			all = append(all, p.clone)
		}
	}
	return all, errs
}

// A JobError is what is wrong with the jobs, on the device at hand.
type JobError struct{ Err error }

func (e *JobError) Error() string { return e.Err.Error() }
func (e *JobError) Unwrap() error { return e.Err }

// prepared is a clone that can be run.
type prepared struct {
	clone  *Clone
	engine *replay.Engine
	source *source
	verify *verifier
}

// prepare makes the engines of all clones, so that a mistake in the last job is
// found before the first is run.
func (r *Run) prepare() ([][]*prepared, error) {
	var phases [][]*prepared
	epoch := r.Epoch
	if epoch == 0 {
		epoch = r.Group.Lane(0).Now()
	}
	n := 0
	for _, j := range r.Jobs {
		if err := j.Validate(); err != nil {
			return nil, fmt.Errorf("job %s: %w", j.Name, err)
		}
		if len(phases) == 0 || j.Stonewall {
			phases = append(phases, nil)
		}
		at := len(phases) - 1
		for i := range int(j.Clones) {
			if n++; n > maxJobs {
				return nil, fmt.Errorf("more than %d jobs with their clones", maxJobs)
			}
			p, err := r.clone(j, i, n-1, epoch)
			if err != nil {
				return nil, err
			}
			p.clone.Phase = at
			phases[at] = append(phases[at], p)
		}
	}
	for _, phase := range phases {
		if err := apart(phase); err != nil {
			return nil, err
		}
	}
	return phases, nil
}

// clone makes clone i of a job, the n-th of all.
func (r *Run) clone(j Job, i, n int, epoch lane.Time) (*prepared, error) {
	if j.Seed == 0 {
		j.Seed = r.Seed
	}
	p := &prepared{clone: &Clone{Job: j, Index: i}}
	capacity := r.Disk.Limits().Capacity
	s, err := newSource(j, i, capacity, j.Seed, nil)
	if err != nil {
		return nil, err
	}
	p.source = s
	cfg := r.config(j, s, epoch)
	if j.Verify {
		if !r.Data {
			return nil, fmt.Errorf("job %s: verify: it checks what the run itself has written, and the device keeps no data or is open for reading only", j.Name)
		}
		p.verify = newVerifier(j.interval(), s.from, s.size, uint64(n)+1)
		p.verify.used = r.Used
		s.verify, cfg.Payload = p.verify, p.verify
	}
	if r.Watch != nil {
		cfg.Watch = r.Watch(n)
	}
	cfg.Seed = sim.NewRand(j.Seed, fmt.Sprintf("load/%s/%d/cancel", j.Name, i)).Uint64()
	l := r.Lanes[n%len(r.Lanes)]
	p.engine, err = replay.New(cfg, r.Group, r.Disk, []lane.Lane{l}, s, "job "+p.clone.Name()+", I/O")
	if err != nil {
		return nil, err
	}
	if j.VerifyFatal && p.verify != nil {
		p.verify.fatal = p.engine.Stop
	}
	r.mu.Lock()
	r.engines = append(r.engines, p.engine)
	r.mu.Unlock()
	return p, nil
}

// config is the engine's of a job.
func (r *Run) config(j Job, s *source, epoch lane.Time) replay.Config {
	cfg := replay.Config{Timing: replay.Closed, Depth: j.limit(), Runtime: j.Runtime, Ramp: j.Ramp,
		StartDelay: j.Delay, Epoch: epoch, TimeScale: 1, Alloc: r.Alloc, Grace: r.Grace, LateAfter: r.LateAfter}
	if j.rated() {
		cfg.Timing = replay.TraceTiming
	}
	if j.Think > 0 {
		cfg.ThinkEvery, cfg.Think = int(j.ThinkWhen), j.Think
	}
	if j.Runtime == 0 && s.left < 0 && s.number == 0 {
		cfg.Runtime = DefaultRuntime
	}
	if cfg.Runtime > 0 {
		cfg.Runtime += j.Ramp
	}
	if !r.NoCancels {
		cfg.Deadline, cfg.CancelChance, cfg.CancelWithin = j.Deadline, j.Cancel.Chance, j.Cancel.Within
	}
	return cfg
}

// apart refuses clones of one phase that would find each other's data where they
// check their own.
func apart(phase []*prepared) error {
	for i, a := range phase {
		for _, b := range phase[:i] {
			ops := [2][3]bool{a.clone.Job.Pattern.Ops, b.clone.Job.Pattern.Ops}
			checks := a.verify != nil && (ops[1][write] || ops[1][trim]) || b.verify != nil && (ops[0][write] || ops[0][trim])
			if checks && a.source.from < b.source.from+b.source.size && b.source.from < a.source.from+a.source.size {
				return fmt.Errorf("jobs %s and %s: verify: their regions overlap: want offset, size or offset_increment to set them apart",
					b.clone.Name(), a.clone.Name())
			}
		}
	}
	return nil
}

// Stop has the run end early. Any goroutine.
func (r *Run) Stop() {
	r.stopped.Store(true)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.engines {
		e.Stop()
	}
}

// Abandon has Do return at once, after Stop; see replay.Engine.Abandon. Any
// goroutine.
func (r *Run) Abandon() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.engines {
		e.Abandon()
	}
}

// Stopped says whether Stop was called. Any goroutine.
func (r *Run) Stopped() bool { return r.stopped.Load() }

// Progress is how many requests have ended, and how far the clock is. Any
// goroutine.
func (r *Run) Progress() (ended int64, now time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.engines {
		ended += e.Live.Ended.Load()
		now = max(now, time.Duration(e.Live.Now.Load()))
	}
	return ended, now
}

// Names lists the jobs by name, once each.
func Names(jobs []Job) string {
	var names []string
	for _, j := range jobs {
		if !slices.Contains(names, j.Name) {
			names = append(names, j.Name)
		}
	}
	return strings.Join(names, ", ")
}
