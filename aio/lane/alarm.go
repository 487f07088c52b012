package lane

import "time"

// alarm wakes a parked lane when its next timer is due. The lane owns it; what
// it calls then, it calls from elsewhere.
//
// It is not simply a timer of the runtime because of what that is good for: the
// runtime of Go 1.26 sleeps in epoll_wait, whose timeout is in milliseconds, so
// on an idle machine a timer for 200 us fires 0.9 ms late, and a virtual device
// in real time would be ten times too slow. See fdAlarm.
type alarm interface {
	set(d time.Duration) // d > 0; replaces an earlier setting
	stop()
	close() // also stops
}

// runtimeAlarm is an alarm for every system.
type runtimeAlarm struct{ timer *time.Timer }

func newRuntimeAlarm(wake func()) alarm {
	a := runtimeAlarm{time.AfterFunc(time.Hour, wake)}
	a.timer.Stop()
	return a
}

func (a runtimeAlarm) set(d time.Duration) { a.timer.Reset(d) }
func (a runtimeAlarm) stop()               { a.timer.Stop() }
func (a runtimeAlarm) close()              { a.timer.Stop() }
