package driver

import "blksim/aio"

// A Run is for a driver that completes several requests one after the other, as the
// handler of an interrupt does: who gets them back can then do once what it would do
// for each, such as reading the clock. The zero Run is ready for use:
//
//	var run driver.Run
//	for each finished request r {
//		run.Complete(r, st, n)
//	}
//	run.End()
//
// All on the queue's lane, and in one function that the lane runs. A driver may as well
// complete each by itself.
type Run struct {
	begun  bool
	runner Runner // who gets the requests of this queue back, if it is one
}

// A Runner is a Completer that makes something of runs.
type Runner interface {
	Completer
	// BeginRun comes before the first completion of a run, EndRun after the last.
	BeginRun()
	EndRun()
}

// Expect says that r is likely to be completed soon, by a driver that knows that of several
// requests before it completes the first: what the cache does not have of them comes in
// the time of one, if they are looked at one after the other with nothing in between.
func Expect(r *Request) {
	if e, ok := r.owner.(Expecter); ok {
		e.ExpectRequest(r)
	}
}

// An Expecter is a Completer that looks, for the cache, at the memory that it needs when r
// completes. It changes nothing.
type Expecter interface{ ExpectRequest(r *Request) }

// Complete is With and r.Complete.
func (u *Run) Complete(r *Request, st aio.Status, n int64) {
	u.With(r)
	r.Complete(st, n)
}

// With says that r is about to be completed. All requests of a run are of one queue.
func (u *Run) With(r *Request) {
	if !u.begun {
		u.begin(r)
	}
}

//go:noinline
func (u *Run) begin(r *Request) {
	u.begun = true
	if u.runner, _ = r.owner.(Runner); u.runner != nil {
		u.runner.BeginRun()
	}
}

// End ends the run.
func (u *Run) End() {
	if u.runner != nil {
		u.runner.EndRun()
	}
	*u = Run{}
}
