package lane

import "time"

// Time is a point on the clock of a lane's group: nanoseconds since the group
// was made. It is virtual in a simulation and monotonic wall time otherwise.
type Time int64

// Add returns t moved by d.
func (t Time) Add(d time.Duration) Time { return t + Time(d) }

// Sub returns the duration from u to t.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t - u) }

// A Lane runs functions one at a time, in the order of arrival. State that one
// lane owns needs no lock.
type Lane interface {
	// Index is the lane's number in its group, from 0.
	Index() int

	// Now is the group's clock. It may be called from anywhere.
	Now() Time

	// Post has f run on the lane, after what the same sender posted before. It
	// never runs f inline and never blocks; it may be called from anywhere. A
	// method value that is bound once makes it free of allocation.
	Post(f func())

	// NewTimer makes a stopped timer that runs f on the lane. It may be called
	// from anywhere; the timer's methods may not.
	NewTimer(f func()) Timer
}

// A Timer runs its function once on its lane, at or after the time it was armed
// for. Its methods are for its own lane alone.
type Timer interface {
	// Arm sets the timer to fire d from now (at once, but never inline, when
	// d <= 0). It replaces an earlier setting.
	Arm(d time.Duration)

	// Stop disarms the timer and says whether it was still to fire. After Stop
	// the function does not run until the next Arm.
	Stop() (pending bool)
}

// A Group is the set of lanes that one stack runs on: [Real], or a simulated
// world.
type Group interface {
	// Lanes is the number of lanes.
	Lanes() int

	// Lane returns lane i, 0 <= i < Lanes().
	Lane(i int) Lane

	// Do runs f on lane i and returns when f, or what f set going, has called
	// done. It is how code outside all lanes waits for one: it must not be
	// called on a lane. The error says that done can no longer be called: the
	// group was closed, or the simulated world has nothing left to run.
	Do(i int, f func(done func())) error
}

// A Waiter is what a real lane looks into on every round of its loop, and waits in
// when it has nothing to run: the ring of an I/O engine, whose completions reach the
// lane so without another goroutine, thread or system call in between.
type Waiter interface {
	// Poll hands over what has arrived, and answers whether there was anything. It
	// never blocks. On the lane.
	Poll() (some bool)

	// Wait blocks until something has arrived for Poll, Wake was called since the
	// last Wait, or d has passed; a negative d is no limit. It may return early. On
	// the lane, after a round in which there was nothing to run.
	Wait(d time.Duration)

	// Wake ends the Wait that is underway, or else the next. It never blocks. From
	// anywhere, and late: also when the Waiter is attached no more.
	Wake()
}

// An Attacher is a Lane that can wait in something: one of [Real].
type Attacher interface {
	// Attach has the lane wait in w, in the place of what it waited in before, and
	// keeps its functions on one thread of the operating system as long as it does;
	// nil takes that back. On the lane.
	Attach(w Waiter)
}

// A Pusher is a Waiter that can be told not to wait for more of what is queued with it.
type Pusher interface {
	// Push hands over at once what is queued. It never blocks. On the lane.
	Push()
}

// A Spinner is a Lane that can be exact to the microsecond: one of [Real].
type Spinner interface {
	// Spin has the lane get up before a timer is due, by as long as the system has lately
	// been late to wake it, but at most so long, and look at the clock until then. It
	// keeps a core busy for so long for each timer that comes alone. Meanwhile other work
	// of the lane goes on, but not in the last 5 us. Without a Waiter, it gets up 150 us
	// before, at most.
	//
	// With a Waiter, the lane also chooses its processor, of those that its thread may run
	// on, and a Waiter that is a [Pusher] is told to hand over what timers have queued.
	//
	// 0, the default, takes it all back. On the lane.
	Spin(most time.Duration)
}
