package lane

import (
	"math"
	"runtime"
	"sync/atomic"
	"time"

	"blksim/internal/step"
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
	spin    time.Duration // see Spinner
	yielded Time          // when the lane last let the Go scheduler have its thread
	running bool          // on a goroutine of its own

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
// there are none of either it parks.
func (l *realLane) loop() {
	for {
		posted, closed := l.runPosted()
		if closed && !posted {
			l.end()
			return
		}
		fired := l.runDue()
		polled := l.waiter != nil && l.waiter.Poll()
		if !posted && !fired && !polled {
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

// park waits until something is posted or has arrived, or a timer may be due.
func (l *realLane) park() {
	if l.waiter != nil {
		l.parkInWaiter()
		return
	}
	if !l.setAlarm() || !l.inbox.park() {
		return
	}
	step.Recv(l.inbox.wake)
	l.rounds.Add(1)
}

// parkInWaiter is park where something is attached. It needs no alarm.
func (l *realLane) parkInWaiter() {
	d := time.Duration(-1)
	if next, armed := l.timers.Bound(); armed {
		if d = l.sleep(Time(next)); d <= 0 {
			return
		}
	}
	if l.spin > 0 && (d < 0 || d >= yieldGap) && l.yield() {
		return
	}
	if !l.inbox.park() {
		return
	}
	l.waiter.Wait(d)
	l.rounds.Add(1)
}

const (
	// yieldEvery is how often a lane that is to be exact lets the Go scheduler have its
	// thread by itself. A goroutine that has not been scheduled for 10 ms is preempted
	// by the scheduler's monitor, and one that is locked to its thread gets back to it
	// only by way of another thread, some 50 us later: at a time of ours when nothing
	// is due, that makes nothing late.
	yieldEvery = 4 * time.Millisecond

	// yieldGap is how long nothing may be due then.
	yieldGap = 150 * time.Microsecond
)

// yield lets the Go scheduler have the thread, if it is time, and says whether it was.
func (l *realLane) yield() bool {
	now := l.Now()
	if now.Sub(l.yielded) < yieldEvery {
		return false
	}
	l.yielded = now
	runtime.Gosched()
	return true
}

// alarmLate is how late an alarm wakes a lane in the median: it comes by way of another
// thread, where a Waiter's limit does not. See fdAlarm.
const alarmLate = 75 * time.Microsecond

// sleep is how long the lane may sleep for a timer that is not due before at.
func (l *realLane) sleep(at Time) time.Duration {
	d := at.Sub(l.Now()) - l.spin
	if l.spin > 0 && l.waiter == nil {
		d -= alarmLate
	}
	return d
}

// Attach is of Attacher.
func (l *realLane) Attach(w Waiter) {
	switch was := l.waiter != nil; {
	case !l.running: // by a scenario, which has no thread of its own
	case w != nil && !was:
		runtime.LockOSThread()
		l.setSlack(l.spin)
	case w == nil && was:
		l.setSlack(0)
		runtime.UnlockOSThread()
	}
	if l.alarmAt != 0 {
		l.alarm.stop()
		l.alarmAt = 0
	}
	l.waiter = w
	l.inbox.attach(w)
}

// Spin is of Spinner.
func (l *realLane) Spin(d time.Duration) {
	if d = max(d, 0); d == l.spin {
		return
	}
	l.spin = d
	if l.running && l.waiter != nil {
		l.setSlack(l.spin)
	}
	l.alarmAt = 0 // what it is set for may be too late
}

// setSlack has the lane's own thread sleep as exactly as the system can, where it is
// to be exact: the least slack is 1 ns.
func (l *realLane) setSlack(spin time.Duration) {
	if spin > 0 {
		setSlack(1)
	} else {
		setSlack(0)
	}
}

// setAlarm has the lane woken for its next timer, if there is one. It says
// false, and does nothing, if that timer may be due already.
func (l *realLane) setAlarm() bool {
	step.Write(&l.rang)
	if l.rang.Swap(false) {
		l.alarmAt = 0
	}
	next, armed := l.timers.Bound()
	if !armed {
		if l.alarmAt != 0 {
			l.alarm.stop()
			l.alarmAt = 0
		}
		return true
	}
	at := Time(next)
	wait := l.sleep(at)
	if wait <= 0 {
		return false
	}
	if at != l.alarmAt { // setting it costs a system call
		if l.alarm == nil {
			l.alarm = newAlarm(l.ring)
		}
		l.alarm.set(wait)
		l.alarmAt = at
	}
	return true
}

// ring is what the alarm calls.
func (l *realLane) ring() {
	step.Write(&l.rang)
	l.rang.Store(true)
	l.inbox.wakeUp()
}

// realTimer is a timer of a real lane.
type realTimer struct {
	node wheel.Node[realTimer]
	lane *realLane
	f    func()
}

func (l *realLane) NewTimer(f func()) Timer {
	if f == nil {
		panic("lane: timer made for a nil function")
	}
	t := &realTimer{lane: l, f: f}
	t.node.Owner = t
	return t
}

func (t *realTimer) Arm(d time.Duration) {
	t.lane.timers.Add(&t.node, int64(after(t.lane.Now(), d)))
}

func (t *realTimer) Stop() (pending bool) { return t.lane.timers.Remove(&t.node) }

// after is d from now, or the end of time if that is beyond it.
func after(now Time, d time.Duration) Time {
	if d <= 0 {
		return now
	}
	if at := now.Add(d); at > now {
		return at
	}
	return math.MaxInt64
}
