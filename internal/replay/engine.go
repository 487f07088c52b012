package replay

import (
	"errors"
	"fmt"
	"sync/atomic"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/driver"
	"blksim/traces"
)

// Source is where records come from: a *traces.Reader, or a test's slice.
type Source interface {
	// Read is as traces.Reader.Read. With ErrPause what it returns next must wait
	// for all I/Os before it.
	Read(recs []traces.Record) (int, error)
}

// ErrPause is what a Source returns instead of io.EOF where a new phase begins.
var ErrPause = errors.New("replay: the next record waits for all before it")

// An Expirer is a Source that may have more to do when the runtime is over.
type Expirer interface {
	Source
	// Expire comes once, when the runtime is over. It answers whether to go on, and
	// whether to drop first what was read and not yet taken.
	Expire() (drop, on bool)
}

// Live is how far a run is. Any goroutine may read it.
type Live struct {
	Records atomic.Int64 // taken from the source
	Ended   atomic.Int64 // I/Os that have their event
	Now     atomic.Int64 // nanoseconds of the run's clock since its start
	Bytes   atomic.Int64 // of the source's input consumed, where it says so

	// For the keeper of a run in real time; see stall.go.
	submitted atomic.Int64
	next      atomic.Int64 // when the pump goes on by itself
	finished  atomic.Bool
}

// Target is what a run is over: a *blk.Disk, or a volume of several.
type Target interface {
	aio.Target
	Limits() driver.Limits
	Check(op aio.Op, off, length int64) aio.Status // see blk.Disk.Check
}

// Engine is one run.
type Engine struct {
	cfg     Config
	group   lane.Group
	disk    Target
	target  aio.Target // the same
	ctx     *aio.Context
	workers []*worker
	pump    pump
	stop    atomic.Bool

	abandoned atomic.Bool // Abandon was called
	stalled   atomic.Bool // the run was stopped since nothing came back

	Live Live
}

// New prepares a run of src over disk, with a worker on each of lanes, which are
// submitters of the disk. name is how messages call the source.
func New(cfg Config, group lane.Group, disk Target, lanes []lane.Lane, src Source, name string) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	if cfg.TimeScale == 0 {
		cfg.TimeScale = 1
	}
	if cfg.LateAfter == 0 {
		cfg.LateAfter = DefaultLateAfter
	}
	if cfg.Payload != nil && len(lanes) != 1 {
		return nil, fmt.Errorf("replay: data of its own on %d lanes: want one", len(lanes))
	}
	e := &Engine{cfg: cfg, group: group, disk: disk, target: disk}
	ctx, err := aio.New(aio.Options{Capacity: cfg.Limit(), Lanes: lanes, OnEvents: e.onEvents})
	if err != nil {
		return nil, err
	}
	e.ctx = ctx
	for i, l := range lanes {
		e.workers = append(e.workers, newWorker(e, i, l))
	}
	e.pump.init(e, lanes[0], src, name)
	return e, nil
}

// Run runs to the end of the source and of every I/O. The error is the
// source's, a record's or the group's; the result tells what was done until
// then, and is complete in itself either way. From outside all lanes.
func (e *Engine) Run() (*Result, error) {
	results, err := RunAll(e.group, []*Engine{e})
	return results[0], err
}

// Stop has the run end early: nothing more is submitted, and what is in flight
// is cancelled. Any goroutine.
func (e *Engine) Stop() {
	e.stop.Store(true)
	if _, ok := e.group.(*lane.Real); ok {
		e.pump.lane.Post(e.pump.runFn)
	}
}

// Abandon has Run return at once, after Stop, although I/Os are in flight that
// nobody can end, and lanes may be in system calls that do not return: such I/Os are
// in Result.Stuck, and missing from its counts. The engine, the disk and the
// stack below cannot be used or closed after that. In real time only: in a
// simulation, where all time passes at once, Stop is enough. Any goroutine.
func (e *Engine) Abandon() {
	if _, ok := e.group.(*lane.Real); ok && !e.abandoned.Swap(true) {
		e.pump.lane.Post(e.pump.abandon)
	}
}

// onEvents takes the events of one lane.
func (e *Engine) onEvents(l lane.Lane, evs []aio.Event) {
	now := l.Now()
	for i := range evs {
		ev := &evs[i]
		w := e.workers[ev.Data>>32]
		if w.lane == l {
			w.end(ev, now)
			continue
		}
		// An I/O that another lane completed: rare, so it may cost a closure.
		late := *ev
		w.lane.Post(func() {
			w.end(&late, w.lane.Now())
			w.settle()
		})
	}
	for _, w := range e.workers {
		if w.lane == l {
			w.settle()
		}
	}
}
