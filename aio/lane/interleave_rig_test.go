//go:build interleave

package lane

import (
	"fmt"
	"testing"
	"time"

	"blksim/internal/explore"
	"blksim/internal/step"
)

// The scenarios in the files interleave_*_test.go run the inbox, the loop of a lane
// and what a group does to stop it under every schedule of a few actors. A lane is
// an actor here, not a goroutine, and its alarm is the scenario's.
type rig struct {
	tr     *explore.Trial
	r      *Real
	sent   []*sent
	log    [][]*sent // what each lane has run, in order
	busy   []bool    // a function of the lane runs
	ended  []bool    // the lane's loop
	closed bool      // a Close has returned
	count  int       // functions that ran; shared by the lanes, and so marked
	last   int       // of these, the last stops the group; 0: the scenario does
}

// sent is a posted function and what became of it.
type sent struct {
	by       string
	lane     int
	number   int // of the sender's posts to this lane, from 0
	accepted bool
	ran      int
}

// every runs s under every schedule.
func every(t *testing.T, s explore.Scenario) {
	t.Helper()
	explore.Run(t, explore.Config{}, s)
}

// newRig makes a group whose lanes are actors, which stops when last functions ran.
func newRig(tr *explore.Trial, lanes, last int) *rig {
	r := &rig{tr: tr, r: newReal(lanes), last: last}
	r.log, r.busy, r.ended = make([][]*sent, lanes), make([]bool, lanes), make([]bool, lanes)
	tr.Name(&r.count, "count")
	tr.Name(&r.r.start, "clock")
	tr.Name(&r.r.running, "running")
	tr.Name(r.r.stopped, "stopped")
	for i, l := range r.r.lanes {
		tr.Name(&l.inbox.mu, fmt.Sprint("inbox ", i))
		tr.Name(l.inbox.wake, fmt.Sprint("wake ", i))
		tr.Name(&l.rang, fmt.Sprint("rang ", i))
		tr.Actor(fmt.Sprint("lane ", i), func() { r.live(l) })
	}
	tr.Final(r.judge)
	return r
}

// exit is what a function of a scenario panics with where a real one would call
// runtime.Goexit: an actor is no goroutine of its own.
type exit struct{}

// live is realLane.run for an actor.
func (r *rig) live(l *realLane) {
	defer func() { r.ended[l.index] = true }()
	died := func() (died bool) {
		defer func() {
			switch p := recover(); p.(type) {
			case nil:
			case exit:
				died = true
			default:
				panic(p)
			}
		}()
		l.loop()
		return false
	}()
	if died {
		l.die()
	}
}

// post posts a function that does f, if there is one, and notes what becomes of it.
func (r *rig) post(by string, lane int, f func()) {
	s := &sent{by: by, lane: lane}
	for _, o := range r.sent {
		if o.by == by && o.lane == lane {
			s.number++
		}
	}
	r.sent = append(r.sent, s)
	s.accepted = r.r.lanes[lane].inbox.post(func() { r.run(s, f) })
	r.tr.Notef("post %d of %s to lane %d: accepted: %v", s.number, by, lane, s.accepted)
}

// run is what is posted in fact.
func (r *rig) run(s *sent, f func()) {
	r.tr.Notef("post %d of %s runs", s.number, s.by)
	switch {
	case r.busy[s.lane]:
		r.tr.Failf("two functions of one lane overlap")
	case r.ended[s.lane] || r.closed:
		r.tr.Failf("a function runs after the lane has stopped")
	}
	r.busy[s.lane] = true
	s.ran++
	r.log[s.lane] = append(r.log[s.lane], s)
	if f != nil {
		f()
	}
	if r.last > 0 {
		step.Write(&r.count)
		if r.count++; r.count == r.last {
			r.r.stop()
		}
	}
	r.busy[s.lane] = false
}

// close is Close, which returns when all lanes have stopped.
func (r *rig) close() {
	r.r.Close()
	r.closed = true
	for i, ended := range r.ended {
		if !ended {
			r.tr.Failf("Close has returned, and lane %d runs", i)
		}
	}
}

// judge holds at the end: what was accepted ran once, what was refused never, and
// both in the order in which each sender sent.
func (r *rig) judge() {
	refused := map[[2]any]bool{} // by sender and lane
	for _, s := range r.sent {
		key := [2]any{s.by, s.lane}
		switch {
		case s.accepted && s.ran != 1:
			r.tr.Failf("post %d of %s was accepted and ran %d times", s.number, s.by, s.ran)
		case !s.accepted && s.ran != 0:
			r.tr.Failf("post %d of %s was refused and ran", s.number, s.by)
		case s.accepted && refused[key]:
			r.tr.Failf("post %d of %s was accepted after one was refused", s.number, s.by)
		}
		refused[key] = !s.accepted
	}
	for i, log := range r.log {
		next := map[string]int{}
		for _, s := range log {
			if s.number != next[s.by] {
				r.tr.Failf("FIFO: lane %d runs post %d of %s, and the next is %d", i, s.number, s.by, next[s.by])
			}
			next[s.by]++
		}
	}
}

// bell is an alarm that goes off when the scenario says so. The lane owns it; that
// it is set is shared with the actor that rings it.
type bell struct {
	r      *rig
	l      *realLane
	isSet  bool
	closed bool
}

// newBell gives a lane a bell.
func (r *rig) newBell(lane int) *bell {
	b := &bell{r: r, l: r.r.lanes[lane]}
	b.l.alarm = b
	r.tr.Name(b, fmt.Sprint("alarm ", lane))
	return b
}

func (b *bell) set(time.Duration) { b.change(true, false) }
func (b *bell) stop()             { b.change(false, false) }
func (b *bell) close()            { b.change(false, true) }

func (b *bell) change(isSet, closed bool) {
	step.Write(b)
	b.isSet, b.closed = isSet, closed
	b.r.tr.Notef("alarm set: %v, closed: %v", isSet, closed)
}

// goOff waits until the bell is set and rings it, d later by the group's clock. It
// says false, and does nothing, if the bell is closed before that. Between the
// going off and the ring there is time, as there is for a real alarm.
func (b *bell) goOff(d time.Duration) bool {
	for {
		step.Write(b)
		if b.closed {
			return false
		}
		if b.isSet {
			break
		}
		step.Yield()
	}
	b.isSet = false
	if d > 0 {
		b.r.wait(d)
	}
	b.l.ring()
	return true
}

// wait moves the clock. What of the real time goes by besides is less than any
// duration in a scenario, all of which are in hours.
func (r *rig) wait(d time.Duration) {
	step.Write(&r.r.start)
	r.r.start = r.r.start.Add(-d)
}
