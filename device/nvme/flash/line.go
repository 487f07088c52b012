package flash

import (
	"time"

	"blksim/aio/lane"
)

// line is a row of commands that each leave at a time of their own, in the order
// in which they came: a serial resource, a fixed delay, or one after the other.
// Times are computed on entry; one timer lets them out.
type line struct {
	f     *Flash
	list  list[request]
	timer lane.Timer
	free  lane.Time // when the serial resource is free again
	last  lane.Time // when the last one leaves
	out   func(r *request, t lane.Time)
}

func (f *Flash) newLine(out func(r *request, t lane.Time)) *line {
	l := &line{f: f, out: out}
	l.timer = f.lane.NewTimer(l.fire)
	return l
}

// push has r use the resource for the time use, as soon as it is free, and leave
// delay after that.
func (l *line) push(r *request, t lane.Time, use, delay time.Duration) {
	l.free = max(l.free, t).Add(use)
	r.at = max(l.free.Add(delay), l.last)
	l.last = r.at
	if l.list.first == nil {
		l.timer.Arm(r.at.Sub(l.f.lane.Now()))
	}
	l.list.push(&r.node)
}

// reset empties the line; the resource is free.
func (l *line) reset() {
	l.list, l.free, l.last = list[request]{}, 0, 0
}

// fire lets out what is due. Its time is the one that was computed, not the one
// at which a real clock's timer happened to fire: lateness does not add up.
func (l *line) fire() {
	now := l.f.lane.Now()
	for {
		r := l.list.head()
		if r == nil {
			break
		}
		if r.at > now {
			l.timer.Arm(r.at.Sub(now))
			break
		}
		l.list.pop()
		l.out(r, r.at)
	}
	l.f.settle()
}
