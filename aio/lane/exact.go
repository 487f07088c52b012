package lane

import (
	"runtime"
	"time"
)

// What makes a lane exact to the microsecond, if it is asked to be (Spinner).

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
