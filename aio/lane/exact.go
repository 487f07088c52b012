package lane

import (
	"runtime"
	"time"
)

// What makes a lane exact to the microsecond, if it is asked to be (Spinner):
//
//   - It gets up before a timer is due, by as much as the system has lately been late to
//     wake it (leads), and looks at the clock until then.
//   - Shortly before, it looks at nothing else (aim).
//   - What the timer has queued with the Waiter is handed over at once (Pusher).
//   - It runs on a processor where little else goes before it (place).
//   - The Go scheduler has its thread when nothing is due (yield).
type exact struct {
	spin    time.Duration // see Spinner; 0: the lane is not to be exact, and what follows is not used
	leads   leads
	pusher  Pusher // the Waiter; nil: it is none
	looked  Time   // when the lane last looked at something else than the clock
	yielded Time   // when it last let the Go scheduler have its thread
	place   place

	// The lane was woken for a timer: rise counts the rounds since, from 1; 0: no more.
	rise   int
	wakeAt Time          // when it was to be; see sleep
	nap    time.Duration // how long it was to sleep
}

// Spin is of Spinner.
func (l *realLane) Spin(most time.Duration) {
	if most = max(most, 0); most == l.spin {
		return
	}
	changes := most == 0 || l.spin == 0
	l.spin = most
	if changes && l.running && l.waiter != nil {
		l.sharpen(most > 0)
	}
	l.alarmAt = 0 // what it is set for may be too late
}

// sharpen has the lane's own thread wake as exactly as the system can, or takes that back.
// The least slack is 1 ns.
func (l *realLane) sharpen(on bool) {
	if !on {
		setSlack(0)
		l.place.end()
		return
	}
	setSlack(1)
	l.leads.init()
	l.place.init()
}

const (
	// aimFor is how shortly before a timer is due an exact lane looks at nothing but the
	// clock: whatever else it began now, it might not be through with by then. To hand
	// over what a disk has completed takes 2 to 5 us.
	aimFor = 5 * time.Microsecond

	// aimMost is how long it may look at nothing else where timers are due one after
	// the other.
	aimMost = 100 * time.Microsecond
)

// aim waits for the timers that are due very soon, and has what they queue handed over
// at once.
func (l *realLane) aim() {
	now := l.Now()
	l.place.look(now)
	for ; ; now = l.Now() {
		next, armed := l.timers.Bound()
		if !armed || Time(next).Sub(now) > aimFor || now.Sub(l.looked) > aimMost {
			break
		}
		if Time(next) <= now && l.runDue() && l.pusher != nil {
			l.pusher.Push()
		}
	}
	l.looked = now
	if l.rise > 0 {
		if l.rise++; l.rise == 3 { // a round lies behind: after a sleep the first is a slow one
			l.rise = 0
			l.place.slept(l.leads.learn(l.nap, now.Sub(l.wakeAt), l.spin))
		}
	}
}

// woke is called when the lane is back from a wait for d, which sleep has said; < 0: it
// had no limit.
func (l *realLane) woke(d time.Duration) {
	l.rise, l.nap = 0, d
	if d > 0 && l.Now() >= l.wakeAt {
		l.rise = 1
	}
}

// leads are how long before a timer an exact lane gets up, by how long it sleeps: the
// longer a processor has slept, the longer it takes to be there again. Each is what 97
// in 100 of the sleeps of late were ended late by.
type leads [len(naps)]time.Duration

// naps are the lengths of sleeps up to which each of leads is for.
var naps = [...]time.Duration{time.Millisecond, 10 * time.Millisecond, 1<<63 - 1}

const (
	leadFirst = 75 * time.Microsecond // before anything is known
	leadLeast = 10 * time.Microsecond
	leadUp    = 8 * time.Microsecond // for a sleep that ended later than expected
	leadDown  = leadUp / 32          // for one that did not
)

func (s *leads) init() {
	if s[0] == 0 {
		*s = leads{leadFirst, leadFirst, 2 * leadFirst}
	}
}

// of is the lead for a sleep of d.
func (s *leads) of(d time.Duration) *time.Duration {
	for i, most := range naps {
		if d <= most {
			return &s[i]
		}
	}
	panic("lane: no lead")
}

// learn notes by how much a sleep of d was ended late, and says whether that was more
// than expected.
func (s *leads) learn(d, late, most time.Duration) (more bool) {
	lead := s.of(d)
	if more = late > *lead; more {
		*lead += leadUp
	} else {
		*lead -= leadDown
	}
	*lead = min(max(*lead, leadLeast), most)
	return more
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
	now := l.Now()
	d := at.Sub(now)
	switch {
	case l.spin == 0:
		return d
	case l.waiter == nil:
		return d - min(l.spin, leadFirst) - alarmLate
	}
	d -= min(*l.leads.of(d), l.spin)
	l.wakeAt = now.Add(d)
	return d
}
