package lane

import (
	"sync/atomic"

	"blksim/internal/wheel"
)

// turn is how many posted functions may run before due timers have their turn,
// and the other way round, so that neither can starve the other.
const turn = 64

// realLane is a lane with a goroutine of its own, which owns all of it except
// the inbox.
type realLane struct {
	group *Real
	index int
	inbox inbox

	// batch is what was taken from the inbox; batch[:ran] has been run.
	batch []func()
	ran   int

	timers wheel.Queue[realTimer]

	// alarm is nil until the lane first parks with a timer; alarmAt is the time
	// that it is set for, 0 if it is not. When it goes off it sets rang and then
	// wakes the lane, which takes rang back before it trusts alarmAt.
	alarm   alarm
	alarmAt Time
	rang    atomic.Bool

	// waiter is what the lane looks into and waits in; nil: only the inbox.
	waiter  Waiter
	running bool // on a goroutine of its own
	exact

	// rounds counts the times that the lane went on after parking. The lane
	// writes it and tests read it; no decision depends on it, so it has no mark.
	rounds atomic.Uint64
}

func newRealLane(r *Real, index int) *realLane {
	l := &realLane{group: r, index: index}
	l.inbox.wake = make(chan struct{}, 1)
	return l
}

func (l *realLane) Index() int { return l.index }
func (l *realLane) Now() Time  { return l.group.Now() }

func (l *realLane) Post(f func()) {
	if f == nil {
		panic("lane: nil function posted")
	}
	l.inbox.post(f)
}

// run is the lane's goroutine. All that it shares with others is in loop and die,
// which the explorer runs without it.
func (l *realLane) run() {
	l.running = true
	orderly := false
	defer func() {
		if !orderly {
			// See Real: Goexit on a lane. From here it looks like a panic, which ends
			// the program and is to be printed before anybody learns that the lane has
			// stopped; so another goroutine tells them.
			go l.die()
		}
	}()
	l.loop()
	orderly = true
}

// loop is the life of a lane: posted functions and due timers take turns, and when
// there are none of either it parks. A lane that is to be exact has timers go first
// that are due very soon.
func (l *realLane) loop() {
	for {
		if l.spin > 0 {
			l.aim()
		}
		posted, closed := l.runPosted()
		if closed && !posted {
			l.end()
			return
		}
		fired := l.runDue()
		if l.waiter != nil {
			// What ran has perhaps posted, or set a timer, and park looks for both. To
			// look for them in another round first would be the more work, and of a
			// batch of I/Os it would be the most.
			if !l.waiter.Poll() && l.ran == len(l.batch) {
				l.park()
			}
		} else if !posted && !fired {
			l.park()
		}
	}
}

// end is the last that a lane does.
func (l *realLane) end() {
	if l.alarm != nil {
		l.alarm.close()
	}
	l.group.left()
}

// die ends a lane in the middle of its loop, and with it the others.
func (l *realLane) die() {
	l.group.stop()
	l.end()
}

// runPosted runs up to a turn of posted functions. It says whether there were
// any, and whether the inbox is closed, of which it learns when it looks for
// more.
func (l *realLane) runPosted() (some, closed bool) {
	if l.ran == len(l.batch) {
		l.batch, closed = l.inbox.take(l.batch[:0])
		l.ran = 0
	}
	end := min(l.ran+turn, len(l.batch))
	some = l.ran < end
	for l.ran < end {
		f := l.batch[l.ran]
		l.batch[l.ran] = nil // what f holds is garbage once it has run
		l.ran++
		f()
	}
	return some, closed
}

// runDue runs up to a turn of due timers and says whether there were any. Each
// leaves the queue just before it runs, so one that an earlier one stopped or
// set again does not run.
func (l *realLane) runDue() (some bool) {
	if l.timers.Len() == 0 {
		return false
	}
	now := int64(l.Now())
	for range turn {
		n := l.timers.PopDue(now)
		if n == nil {
			return some
		}
		some = true
		n.Owner.f()
	}
	return true
}
