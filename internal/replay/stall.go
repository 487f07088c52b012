package replay

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"blksim/aio"
	"blksim/aio/lane"
)

// # A device that does not answer
//
// A run ends when all its I/Os have their events, so a device that never gives one
// back would keep it forever; and a system call that does not return would keep the
// lane that made it, with its timers. So real lanes are looked after from outside:
// where no I/O has ended for Config.Grace, although some are in flight and the run
// has nothing to do but to wait for them, the run is stopped, which cancels what has
// not reached the device, and if that does not end it, it is abandoned: what is in
// flight is listed in Result.Stuck. A lane that does not even answer to that is in a
// system call, and its counts are read as it left them.
//
// The approach that lost was a timer on the pump's lane: it does not fire where a
// write to a frozen file system has the lane wait in io_submit.

const (
	// lookEvery is how often a run in real time is looked after.
	lookEvery = 50 * time.Millisecond

	// settleMost is how long a run that was stopped may take to end by itself.
	settleMost = time.Second

	// answerMost is how long a lane may take to answer that is not in a system call.
	answerMost = 150 * time.Millisecond

	// never is when a pump goes on that waits for its input.
	never = lane.Time(math.MaxInt64)
)

// A StalledError says that a run was ended since its I/Os did not return.
type StalledError struct {
	Grace time.Duration
	Stuck int // I/Os that never came back; 0: those that were in the device did, at last
}

func (e *StalledError) Error() string {
	s := fmt.Sprintf("no I/O came back for %v", e.Grace)
	switch e.Stuck {
	case 0:
		return s + ": what waited was cancelled"
	case 1:
		return s + ": 1 is stuck"
	}
	return fmt.Sprintf("%s: %d are stuck", s, e.Stuck)
}

// A StuckIO is one that had no event when its run was abandoned.
type StuckIO struct {
	ID       aio.ID
	Op       aio.Op
	Off, Len int64 // bytes, as submitted
	Lane     int
	Age      time.Duration // since its submit
	Stage    aio.Stage
}

// keeper looks after one engine. It belongs to the goroutine of RunAll.
type keeper struct {
	e         *Engine
	ended     int64
	submitted int64
	since     lane.Time // when one of them changed
	stopped   lane.Time // when it was; 0: not
	abandoned lane.Time
}

// look does what there is to do now, and says whether the engine is not to be waited
// for any more, having ended or not.
func (k *keeper) look(now lane.Time) (over bool) {
	live, grace := &k.e.Live, k.e.cfg.Grace
	if ended, submitted := live.Ended.Load(), live.submitted.Load(); ended != k.ended || submitted != k.submitted {
		k.ended, k.submitted, k.since = ended, submitted, now
	}
	switch {
	case live.finished.Load():
		return true
	case k.e.abandoned.Load():
		if k.abandoned == 0 {
			k.abandoned = now
		}
		return now.Sub(k.abandoned) > answerMost
	case k.stopped != 0:
		if now.Sub(k.stopped) > min(settleMost, grace) {
			k.e.Abandon()
		}
	case grace > 0 && k.submitted > k.ended && now.Sub(max(k.since, lane.Time(live.next.Load()))) >= grace:
		k.e.stalled.Store(true)
		k.e.Stop()
		k.stopped = now
	}
	return false
}

// errBlocked says that lanes did not answer.
var errBlocked = errors.New("replay: a lane is in a system call that does not return")

// watchOver is Group.Do on lane 0, for a function that runs engines, and returns as
// well when none of them is to be waited for any more.
func watchOver(group lane.Group, engines []*Engine, f func(done func())) error {
	lanes, isReal := group.(*lane.Real)
	if !isReal {
		return group.Do(0, f)
	}
	ended := make(chan error, 1)
	go func() { ended <- group.Do(0, f) }()
	now := lanes.Now()
	var keepers []*keeper
	for _, e := range engines {
		keepers = append(keepers, &keeper{e: e, since: now})
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-tick.C:
		}
		now, over := lanes.Now(), true
		for _, k := range keepers {
			over = k.look(now) && over
		}
		if !over {
			continue
		}
		select {
		case err := <-ended:
			return err
		case <-time.After(answerMost):
			return errBlocked
		}
	}
}

// nextMove is when the pump goes on by itself, whether or not I/Os end: until then a
// quiet device is no reason to end the run.
func (p *pump) nextMove() lane.Time {
	switch waits := p.inFlight >= p.limit || p.hold == holdDrain || p.srcErr == ErrPause && p.pos == p.n; {
	case p.ended:
		return 0
	case waits && p.e.cfg.Runtime > 0 && !p.expired:
		return p.start.Add(p.e.cfg.Runtime)
	case waits:
		return 0
	case p.hold == holdThink:
		return p.wake
	case p.pos < p.n && p.e.cfg.Timing == TraceTiming:
		return p.start.Add(scaled(max(p.recs[p.pos].Time, 0), p.e.cfg.TimeScale))
	}
	return never
}

// publish tells the keeper where the run is.
func (p *pump) publish() {
	live := &p.e.Live
	live.submitted.Store(p.replayed)
	live.next.Store(int64(p.nextMove()))
}

// count is what a worker has counted, and what it has in flight.
type count struct {
	tally Tally
	stuck []StuckIO
}

// gather takes the counts of workers whose run was abandoned. Their lanes run on, so
// they are asked there; what does not answer is in a system call, and so does not
// write what is read of it here.
func gather(workers []*worker) []*count {
	answers := make([]chan *count, len(workers))
	for i, w := range workers {
		answer := make(chan *count, 1)
		answers[i] = answer
		w.lane.Post(func() {
			w.watcher = nil
			answer <- &count{w.tally, w.stuck()}
		})
	}
	late := time.After(answerMost)
	all := make([]*count, len(workers))
	for i, w := range workers {
		select {
		case all[i] = <-answers[i]:
			continue
		default:
		}
		select {
		case all[i] = <-answers[i]:
		case <-late:
			late = time.After(0) // for those that follow
			w.ended.Load()       // pairs with what the lane did last
			all[i] = &count{w.tally, w.stuck()}
		}
	}
	return all
}

// stuck lists what is in flight.
func (w *worker) stuck() (list []StuckIO) {
	now := w.lane.Now()
	for _, f := range w.flights {
		if f.out {
			list = append(list, StuckIO{ID: f.id, Op: f.op, Off: f.off, Len: f.length, Lane: w.lane.Index(),
				Age: now.Sub(f.submittedAt), Stage: w.e.ctx.Stage(f.id)})
		}
	}
	return list
}

// sortStuck puts the oldest first.
func sortStuck(list []StuckIO) {
	slices.SortStableFunc(list, func(a, b StuckIO) int { return cmp.Compare(b.Age, a.Age) })
}
