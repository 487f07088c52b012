package lane

import (
	"runtime"
	"time"

	"blksim/internal/step"
)

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
			if l.spin > 0 {
				l.place.wait(l.Now())
			}
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
	if l.spin > 0 {
		l.woke(d)
	}
	l.rounds.Add(1)
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

// Attach is of Attacher.
func (l *realLane) Attach(w Waiter) {
	switch was := l.waiter != nil; {
	case !l.running: // by a scenario, which has no thread of its own
	case w != nil && !was:
		runtime.LockOSThread()
		if l.spin > 0 {
			l.sharpen(true)
		}
	case w == nil && was:
		l.sharpen(false)
		runtime.UnlockOSThread()
	}
	if l.alarmAt != 0 {
		l.alarm.stop()
		l.alarmAt = 0
	}
	l.waiter = w
	l.pusher, _ = w.(Pusher)
	l.inbox.attach(w)
}
