//go:build !interleave

package aio

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A history is what was called on one I/O and answered, with the moments of one
// clock. Each I/O, that is each generation of a slot, has a history of its own:
// all are linearizable if and only if each is.
//
// The specification is of one I/O and one step at a time. Most calls are one step.
// Three things take two, and the call whose they are is not over before the
// second:
//
//   - a registration begins, and ends;
//   - a callback is due from the cancel or registration that has to run it, and
//     is over when that call leaves it;
//   - a completion takes effect, and its event is posted: by the completer, or
//     where that answered Left by whoever has the callback or the registration.
//
// Reaping the event is the end of the I/O: from then on it is not found, and not
// before.
type history []call

type call struct {
	what     callKind
	inv, res int64
	cancel   CancelResult // callCancel
	complete Completion   // callComplete
	err      error        // callRegister
	yes      bool         // callStart, callCancelled
	n        int64        // callComplete: what it passed; callEvent: what came
	started  bool         // callEvent
	asked    bool         // callEvent
}

type callKind uint8

const (
	callSubmit    callKind = iota // over when the target has it
	callCancel                    // Context.Cancel
	callStart                     // TryStart
	callRegister                  // SetCancelFunc
	callComplete                  // Complete
	callCancelled                 // Cancelled
	callEnter                     // the callback begins
	callLeave                     // the callback ends
	callEvent                     // the reap that got the event
)

var callNames = []string{"submit", "cancel", "try-start", "register", "complete", "cancelled?", "callback begins", "callback ends", "event"}

func (c call) String() string {
	s := fmt.Sprintf("%4d..%-4d %s", c.inv, c.res, callNames[c.what])
	switch c.what {
	case callCancel:
		s += fmt.Sprintf(": %v", c.cancel)
	case callStart, callCancelled:
		s += fmt.Sprintf(": %v", c.yes)
	case callRegister:
		s += fmt.Sprintf(": %v", c.err)
	case callComplete:
		s += fmt.Sprintf(" with %d: %s", c.n, [...]string{"delivered", "left", "stale"}[c.complete])
	case callEvent:
		s += fmt.Sprintf(" of %d, started %v, asked %v", c.n, c.started, c.asked)
	}
	return s
}

func (h history) String() string {
	h = slices.Clone(h)
	slices.SortFunc(h, func(a, b call) int { return int(a.inv - b.inv) })
	var b strings.Builder
	for _, c := range h {
		fmt.Fprintln(&b, c)
	}
	return b.String()
}

const nobody = -1

// specIO is the specification's state.
type specIO struct {
	submitted, completed, posted, reaped bool

	asked, started, hasFn bool
	late                  bool // a cancel was told so
	entered, left         bool // the callback

	n           int64 // the completion's
	registering int8  // the call that has the registration
	calling     int8  // the call that has the callback
	poster      int8  // the call that posts the event
}

// step does the first step of call i of h, and says whether its answer is right.
func (s *specIO) step(h history, i int8) bool {
	c := h[i]
	live := s.submitted && !s.completed
	switch c.what {
	case callSubmit:
		ok := !s.submitted
		s.submitted = true
		return ok
	case callCancel:
		return s.cancel(c.cancel, i)
	case callStart:
		s.started = s.started || c.yes
		return c.yes == (live && !s.asked)
	case callCancelled:
		return c.yes == (s.submitted && !s.reaped && s.asked)
	case callRegister:
		switch {
		case live && !s.hasFn: // accepted so far
			s.hasFn = true
			if s.asked {
				s.calling = i
				return c.err == nil
			}
			s.registering = i
			return true
		case live:
			return c.err == ErrCancelFuncSet
		case s.completed && !s.posted && s.hasFn: // both are true
			return c.err != nil
		}
		return c.err == ErrCompleted
	case callComplete:
		if !live {
			return c.complete == Stale
		}
		s.completed, s.n, s.poster = true, c.n, i
		if c.complete == Left {
			s.poster = max(s.registering, s.calling)
		}
		return c.complete != Stale && s.poster != nobody
	case callEnter:
		ok := s.calling != nobody && !s.entered
		s.entered = true
		return ok
	case callLeave:
		ok := s.entered && !s.left
		s.left = true
		return ok
	case callEvent:
		ok := s.posted && !s.reaped && c.n == s.n && c.started == s.started && c.asked == s.asked
		s.reaped = true
		return ok
	}
	panic("aio: no such call")
}

// cancel is the three answers. Once completed and asked, "accepted", it was
// before, and "too late" are both true, but not in that order.
func (s *specIO) cancel(answer CancelResult, i int8) bool {
	switch {
	case !s.submitted || s.reaped:
		return answer == NotFound
	case s.posted:
		return answer == TooLate
	case !s.completed && !s.asked:
		s.asked = true
		if s.hasFn && s.registering == nobody {
			s.calling = i
		}
		return answer == Accepted
	case !s.completed:
		return answer == Accepted
	case answer == TooLate:
		s.late = true
		return !s.asked || s.calling == nobody && s.registering == nobody
	}
	return answer == Accepted && s.asked && !s.late
}

// second does a second step, if one is due, and says whether it is right. Only one
// can be due: no registration ends in the middle of a callback, and nothing is
// posted in the middle of either.
func (s *specIO) second(h history) (due, ok bool) {
	switch {
	case s.registering != nobody:
		r := s.registering
		s.registering = nobody
		if s.completed {
			return true, h[r].err == ErrCompleted
		}
		if s.asked {
			s.calling = r
		}
		return true, h[r].err == nil
	case s.calling != nobody:
		s.calling = nobody
		return true, s.left
	case s.completed && !s.posted:
		s.posted, s.poster = true, nobody
		return true, true
	}
	return false, false
}

// node is a point of the search: the calls whose first step is done, and what
// the I/O is like.
type node struct {
	begun uint64
	io    specIO
}

// linearizable searches for an order of the steps that the specification allows:
// each within its call, and at the end one event if there was an I/O (Wing and
// Gong, with what is known not to work kept, as Lowe does).
func (h history) linearizable() bool {
	if len(h) > 64 {
		panic("aio: history too long")
	}
	tried := map[node]bool{}
	var search func(n node) bool
	search = func(n node) bool {
		if tried[n] {
			return false
		}
		tried[n] = true
		next := n
		due, ok := next.io.second(h)
		if ok && search(next) {
			return true
		}
		if !due && n.begun == 1<<len(h)-1 {
			return n.io.submitted == n.io.reaped
		}
		// Whoever is not over must be by its response: nobody who was invoked
		// later can have a step before.
		first := int64(1<<63 - 1)
		for i, c := range h {
			j := int8(i)
			if n.begun&(1<<i) == 0 || n.io.registering == j || n.io.calling == j || n.io.poster == j {
				first = min(first, c.res)
			}
		}
		for i, c := range h {
			if n.begun&(1<<i) != 0 || c.inv > first {
				continue
			}
			next := n
			next.begun |= 1 << i
			if next.io.step(h, int8(i)) && search(next) {
				return true
			}
		}
		return false
	}
	return search(node{io: specIO{registering: nobody, calling: nobody, poster: nobody}})
}

// at gives a call its moments.
func (c call) at(inv, res int64) call { c.inv, c.res = inv, res; return c }

// The checker is only worth something if it rejects what is wrong and accepts what
// is right: histories made by hand, most of them as a defect would leave them.
func TestLinearizabilityCheckerTellsRightFromWrong(t *testing.T) {
	submit, enter, leave := call{what: callSubmit}, call{what: callEnter}, call{what: callLeave}
	cancel := func(r CancelResult) call { return call{what: callCancel, cancel: r} }
	complete := func(c Completion) call { return call{what: callComplete, complete: c, n: 7} }
	register := func(err error) call { return call{what: callRegister, err: err} }
	start := func(yes bool) call { return call{what: callStart, yes: yes} }
	asked := func(yes bool) call { return call{what: callCancelled, yes: yes} }
	event := func(asked bool) call { return call{what: callEvent, n: 7, asked: asked} }
	// whole is an I/O that is submitted at 1..2, completed at 20..30, and reaped at
	// 40..41, and what else happens.
	whole := func(how Completion, wasAsked bool, more ...call) history {
		return append(history{submit.at(1, 2), complete(how).at(20, 30), event(wasAsked).at(40, 41)}, more...)
	}
	for _, c := range []struct {
		name string
		ok   bool
		h    history
	}{
		{"nothing", true, nil},
		{"one I/O", true, whole(Delivered, false)},
		{"no event", false, whole(Delivered, false)[:2]},
		{"no completion, and an event", false, history{submit.at(1, 2), event(false).at(3, 4)}},
		{"two events", false, whole(Delivered, false, event(false).at(42, 43))},
		{"reaped before it was completed", false, history{submit.at(1, 2), event(false).at(3, 4), complete(Delivered).at(5, 6)}},
		{"event of another completion", false, history{submit.at(1, 2), complete(Delivered).at(3, 4), call{what: callEvent, n: 8}.at(5, 6)}},
		{"two submits", false, whole(Delivered, false, submit.at(3, 4))},

		{"accepted", true, whole(Delivered, true, cancel(Accepted).at(3, 4))},
		{"accepted twice", true, whole(Delivered, true, cancel(Accepted).at(3, 4), cancel(Accepted).at(5, 6))},
		{"accepted, and the event does not say so", false, whole(Delivered, false, cancel(Accepted).at(3, 4))},
		{"asked by nobody", false, whole(Delivered, true)},
		{"not found while live", false, whole(Delivered, false, cancel(NotFound).at(3, 4))},
		{"too late while live", false, whole(Delivered, false, cancel(TooLate).at(3, 4))},
		{"not found before the submit", true, whole(Delivered, false, cancel(NotFound).at(-2, -1))},
		{"accepted before the submit", false, whole(Delivered, true, cancel(Accepted).at(-2, -1))},
		{"not found around the submit", true, whole(Delivered, false, cancel(NotFound).at(0, 9))},
		{"accepted around the submit", true, whole(Delivered, true, cancel(Accepted).at(0, 9))},
		{"too late in the completion", true, whole(Delivered, false, cancel(TooLate).at(25, 26))},
		{"not found in the completion", false, whole(Delivered, false, cancel(NotFound).at(25, 26))},
		{"accepted in the completion", true, whole(Delivered, true, cancel(Accepted).at(25, 26))},
		{"not found, then too late", false, whole(Delivered, false, cancel(NotFound).at(22, 23), cancel(TooLate).at(25, 26))},
		{"too late, then not found in the reap", true, whole(Delivered, false, cancel(TooLate).at(22, 23), cancel(NotFound).at(39, 43))},
		{"too late, then accepted", false, whole(Delivered, true, cancel(TooLate).at(22, 23), cancel(Accepted).at(25, 26))},
		{"asked, too late, then accepted again", false, whole(Delivered, true, cancel(Accepted).at(3, 4), cancel(TooLate).at(22, 23), cancel(Accepted).at(25, 26))},
		{"not found, then accepted", false, whole(Delivered, true, cancel(NotFound).at(22, 23), cancel(Accepted).at(25, 26))},
		{"too late once completed", true, whole(Delivered, false, cancel(TooLate).at(31, 32))},
		{"accepted once completed", false, whole(Delivered, true, cancel(Accepted).at(31, 32))},
		{"not found once completed", false, whole(Delivered, false, cancel(NotFound).at(31, 32))},
		{"not found once reaped", true, whole(Delivered, false, cancel(NotFound).at(42, 43))},
		{"accepted once reaped", false, whole(Delivered, true, cancel(Accepted).at(42, 43))},
		{"too late once reaped", false, whole(Delivered, false, cancel(TooLate).at(42, 43))},

		{"started", false, whole(Delivered, false, start(true).at(3, 4))}, // the event says not
		{"started, and the event says so", true, history{submit.at(1, 2), start(true).at(3, 4), complete(Delivered).at(5, 6),
			call{what: callEvent, n: 7, started: true}.at(7, 8)}},
		{"not started though nobody asked", false, whole(Delivered, false, start(false).at(3, 4))},
		{"not started for it was asked", true, whole(Delivered, true, cancel(Accepted).at(3, 4), start(false).at(5, 6))},
		{"started though it was asked", false, history{submit.at(1, 2), cancel(Accepted).at(3, 4), start(true).at(5, 6),
			complete(Delivered).at(7, 8), call{what: callEvent, n: 7, started: true, asked: true}.at(9, 10)}},
		{"not started, and the cancel came only after", false, whole(Delivered, true, start(false).at(3, 4), cancel(Accepted).at(5, 6))},
		{"cancelled", true, whole(Delivered, true, asked(false).at(3, 4), cancel(Accepted).at(5, 6), asked(true).at(7, 8))},
		{"cancelled and not any more", false, whole(Delivered, true, cancel(Accepted).at(5, 6), asked(false).at(7, 8))},
		{"cancelled by the completion", false, whole(Delivered, false, asked(true).at(31, 32))},

		{"called by the cancel", true, whole(Delivered, true, register(nil).at(3, 4), cancel(Accepted).at(5, 10), enter.at(6, 7), leave.at(8, 9))},
		{"called after the cancel", false, whole(Delivered, true, register(nil).at(3, 4), cancel(Accepted).at(5, 6), enter.at(7, 8), leave.at(9, 10))},
		{"never called", false, whole(Delivered, true, register(nil).at(3, 4), cancel(Accepted).at(5, 10))},
		{"called twice", false, whole(Delivered, true, register(nil).at(3, 4), cancel(Accepted).at(5, 14),
			enter.at(6, 7), leave.at(8, 9), enter.at(10, 11), leave.at(12, 13))},
		{"called and nobody asked", false, whole(Delivered, false, register(nil).at(3, 10), enter.at(6, 7), leave.at(8, 9))},
		{"called by the registration", true, whole(Delivered, true, cancel(Accepted).at(3, 4), register(nil).at(5, 10), enter.at(6, 7), leave.at(8, 9))},
		{"the registration loses the cancel", false, whole(Delivered, true, cancel(Accepted).at(3, 4), register(nil).at(5, 10))},
		{"asked while it registers, called by the registration", true, whole(Delivered, true, register(nil).at(3, 15), cancel(Accepted).at(4, 5),
			enter.at(6, 7), leave.at(8, 9))},
		{"registered twice", true, whole(Delivered, false, register(nil).at(3, 4), register(ErrCancelFuncSet).at(5, 6))},
		{"registered over the first", false, whole(Delivered, false, register(nil).at(3, 4), register(nil).at(5, 6))},
		{"refused for nothing", false, whole(Delivered, false, register(ErrCompleted).at(3, 4))},
		{"registered late", false, whole(Delivered, false, register(nil).at(31, 32))},
		{"refused late", true, whole(Delivered, false, register(ErrCompleted).at(31, 32))},

		{"left to the callback", true, whole(Left, true, register(nil).at(3, 4), cancel(Accepted).at(15, 36), enter.at(16, 17), leave.at(34, 35))},
		{"left to nobody", false, whole(Left, true, cancel(Accepted).at(3, 4))},
		{"left to a callback that was over", false, whole(Left, true, register(nil).at(3, 4), cancel(Accepted).at(5, 10), enter.at(6, 7), leave.at(8, 9))},
		{"delivered while the callback runs", false, whole(Delivered, true, register(nil).at(3, 4), cancel(Accepted).at(15, 36), enter.at(16, 17), leave.at(34, 35))},
		{"not found while the callback runs", false, whole(Left, true, register(nil).at(3, 4), cancel(Accepted).at(15, 36), enter.at(16, 17), leave.at(34, 35),
			cancel(NotFound).at(31, 32))},
		{"accepted again while the callback runs", true, whole(Left, true, register(nil).at(3, 4), cancel(Accepted).at(15, 36), enter.at(16, 17), leave.at(34, 35),
			cancel(Accepted).at(31, 32))},
		{"left to the registration", true, whole(Left, false, register(ErrCompleted).at(15, 36), cancel(TooLate).at(31, 32))},
		{"left to a registration that says it is registered", false, whole(Left, false, register(nil).at(15, 36), cancel(TooLate).at(31, 32))},

		{"completed twice", true, whole(Delivered, false, complete(Stale).at(31, 32))},
		{"delivered twice", false, whole(Delivered, false, complete(Delivered).at(31, 32))},
		{"stale for nothing", false, whole(Delivered, false, complete(Stale).at(3, 4))},
	} {
		require.Equal(t, c.ok, c.h.linearizable(), "%s:\n%v", c.name, c.h)
	}
}
