//go:build interleave

package aio

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/aio/lane"
	"blksim/internal/explore"
	protocol "blksim/internal/model"
	"blksim/internal/step"
)

// Scenarios that mutants of the code asked for (internal/mutant), and what ties
// the code to the model of it.

// The model of internal/model decides about every word as the code does.
func TestWordDecidesAsTheModelDoes(t *testing.T) {
	const gen = 5
	cancelAnswers := map[CancelResult]string{TooLate: "too late", NotFound: "not found"}
	begun := map[armStep]string{
		armStore: "store the callback", armRun: "run the callback", armTwice: "refused: has one", armLate: "refused: completed",
	}
	registered := map[armStep]string{
		armSet: "registered", armRun: "run the callback", armDeliver: "deliver", armLate: "not registered",
	}
	completed := map[completeStep]string{
		completeDeliver: "deliver", completeStore: "claim", completeLeft: "leave", completeStale: "stale",
	}
	take := [protocol.NumOps]func(a *cancelWord, id ID) string{
		protocol.OpCancel: func(a *cancelWord, id ID) string {
			was := a.Load()
			switch res, run := cancelAsk(a, id); {
			case run:
				return "run the callback"
			case res != Accepted:
				return cancelAnswers[res]
			case a.Load() == was:
				return "accepted already"
			}
			return "accepted"
		},
		protocol.OpFinish: func(a *cancelWord, _ ID) string {
			if cancelFinish(a) {
				return "deliver"
			}
			return "leave"
		},
		protocol.OpRegister:   func(a *cancelWord, id ID) string { return begun[armBegin(a, id)] },
		protocol.OpRegistered: func(a *cancelWord, _ ID) string { return registered[armFinish(a)] },
		protocol.OpStart: func(a *cancelWord, id ID) string {
			if startAsk(a, id) {
				return "yes"
			}
			return "no"
		},
		protocol.OpRequeue:        func(a *cancelWord, id ID) string { startUndo(a, id); return "" },
		protocol.OpComplete:       func(a *cancelWord, id ID) string { return completed[completeBegin(a, id)] },
		protocol.OpCompleteFinish: func(a *cancelWord, _ ID) string { return completed[completeFinish(a)] },
	}
	// A hook is registered in one step: what comes of the model's two.
	hook := func(low uint8, same bool) (next uint8, answer string) {
		if next, answer = protocol.Decide(protocol.OpRegister, low, same); answer == "store the callback" {
			next, answer = protocol.Decide(protocol.OpRegistered, next, same)
		}
		return next, answer
	}
	decisions := 0
	for _, low := range protocol.Words(protocol.OpRegister) {
		for _, id := range []ID{makeID(gen, 0), makeID(gen-1, 0), makeID(gen+1, 0)} {
			next, answer := hook(low, id.gen() == gen)
			var a cancelWord
			a.Store(wordOf(gen, uint64(low)))
			got := map[armStep]string{
				armSet: "registered", armRun: "run the callback", armTwice: "refused: has one", armLate: "refused: completed",
			}[armHook(&a, id, MaxHooks)]
			require.Equal(t, answer, got, "hook in %#x by %v", low, id)
			require.Equal(t, wordOf(gen, uint64(next)), a.Load()&^hookMask, "hook in %#x by %v", low, id)
			require.Equal(t, got == "registered" || got == "run the callback", wordHook(a.Load()) == MaxHooks)
			decisions++
		}
	}
	for op := range protocol.Op(protocol.NumOps) {
		for _, low := range protocol.Words(op) {
			for _, id := range []ID{makeID(gen, 0), makeID(gen-1, 0), makeID(gen+1, 0)} {
				owner := op == protocol.OpFinish || op == protocol.OpRegistered || op == protocol.OpCompleteFinish
				if owner && id.gen() != gen {
					continue // who owns the state is of its generation
				}
				next, answer := protocol.Decide(op, low, id.gen() == gen)
				var a cancelWord
				a.Store(wordOf(gen, uint64(low)))
				got := take[op](&a, id)
				say := fmt.Sprintf("decision %d of %#x by %v", op, low, id)
				require.Equal(t, wordOf(gen, uint64(next)), a.Load(), say)
				if op != protocol.OpRequeue { // which answers nothing
					require.Equal(t, answer, got, say)
				}
				decisions++
			}
		}
	}
	t.Logf("%d decisions about words are the same in the code and in the model", decisions)
}

// A cancel with an ID that is given out only later: until then it is not found, and
// changes nothing that the I/O would keep.
func TestCancelOfTheNextGeneration(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 2, 1)
		w := r.submit(0, nil)
		r.keep(1)
		next := r.watch()
		tr.Actor("reuse", func() { r.poll(); next.submit(0, nil) })
		id := makeID(w.k.id.gen()+1, w.k.id.index())
		tr.Actor("complete", func() { w.complete(nil, OK, 7) })
		tr.Actor("guess", func() { next.answers = append(next.answers, r.c.Cancel(id)) })
		tr.Final(func() {
			require.Equal(tr, id, next.k.id)
			res := next.answers[0]
			if asked := r.c.word(id.index())&flagAsked != 0; asked != (res == Accepted) {
				tr.Failf("S7: %v, and the I/O is marked: %v", res, asked)
			}
			if res == TooLate {
				tr.Failf("S7: too late for an I/O that was never completed")
			}
		})
	})
}

// The parts of an I/O that is done whole or not at all start all, or none.
func TestPartsStartTogether(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 1)
		w := r.submit(0, nil)
		var parts [2]bool
		for i := range parts {
			tr.Actor(fmt.Sprint("part ", i), func() { parts[i] = w.k.StartPart() })
		}
		tr.Actor("cancel", w.cancel)
		tr.Final(func() {
			if parts[0] != parts[1] {
				tr.Failf("S6: one part has started, and the other must not: %v", parts)
			}
		})
	})
}

// A refused registration tells why: nobody completes here, so there is one that is
// taken, and one that is the second.
func TestRefusalsTellTheReason(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 1, 1)
		w := r.submit(0, nil)
		tr.Actor("register 1", func() { w.register(nil) })
		tr.Actor("register 2", func() { w.register(nil) })
		tr.Actor("cancel", w.cancel)
		tr.Final(func() {
			if w.regs[0] != nil {
				w.regs[0], w.regs[1] = w.regs[1], w.regs[0]
			}
			if w.regs[0] != nil || w.regs[1] != ErrCancelFuncSet {
				tr.Failf("S8: registrations answer %v", w.regs)
			}
			if w.calls != 1 {
				tr.Failf("S8: a cancel was accepted, and the callback was called %d times", w.calls)
			}
		})
	})
}

// A Requeue that is one generation late leaves the next I/O at its device.
func TestStaleRequeueTouchesNothing(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 2, 1)
		w := r.submit(0, nil)
		r.keep(1)
		next := r.watch()
		tr.Actor("stale target", func() {
			w.complete(nil, OK, 7)
			w.k.Requeue()
		})
		tr.Actor("next", func() {
			r.poll()
			next.submit(0, nil)
			if !next.k.TryStart() {
				tr.Failf("S6: not to be started, and nobody cancelled")
			}
			next.complete(nil, OK, 8)
		})
		tr.Final(func() {
			for _, ev := range r.evs {
				if ev.ID == next.k.id && !ev.Started {
					tr.Failf("S5: a stale handle took back the start of the next I/O")
				}
			}
		})
	})
}

// The walk of a teardown asks each I/O, from the first index to the last: the
// devices here complete nothing else.
func TestShutdownAsksTheFirstAndTheLast(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 2, 1)
		r.shut = true
		a, b := r.submit(0, nil), r.submit(0, nil)
		require.EqualValues(tr, 1, a.k.id.index()+b.k.id.index())
		tr.Actor("shutdown", r.c.Shutdown)
		for _, w := range []*watch{a, b} {
			tr.Actor("device", func() {
				for !w.k.Cancelled() {
					step.Yield()
				}
				w.complete(nil, Cancelled, 0)
			})
		}
	})
}

// Shutdown against a batch: what the walk missed the submitter cancels, each of it.
func TestShutdownMeetsBatch(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 2, 1)
		r.shut = true
		var h holder
		done := 0
		tr.Actor("batch", func() {
			n, err := r.c.SubmitBatch(r.lanes[0], &h, []IO{{Data: 1}, {Data: 2}}, nil)
			if n < 2 {
				require.ErrorIs(tr, err, ErrClosed)
				require.Zero(tr, n)
			}
			step.Write(&done)
			done = 1
		})
		tr.Actor("shutdown", r.c.Shutdown)
		tr.Actor("device", func() {
			for {
				step.Read(&done)
				if done != 0 {
					break
				}
				step.Yield()
			}
			for _, k := range h.ks {
				for !k.Cancelled() {
					step.Yield()
				}
				require.Equal(tr, Delivered, k.Complete(nil, Cancelled, 0))
			}
		})
		tr.Final(func() { require.Len(tr, r.evs, len(h.ks)) })
	})
}

// A batch for which there is no memory, against a submit for which there is: the
// other tags and places of the batch come back.
func TestFailedBatchLosesNothing(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 3, 2)
		calls := 0
		r.c.table.alloc = func() *page {
			step.Write(&calls)
			if calls++; calls == 1 {
				return nil
			}
			return newPage()
		}
		var h holder
		w := r.watch()
		tr.Actor("batch", func() {
			if n, err := r.c.SubmitBatch(r.lanes[0], &h, []IO{{}, {}}, nil); n < 2 {
				require.ErrorIs(tr, err, ErrNoMemory)
			}
			for _, k := range h.ks {
				require.Equal(tr, Delivered, k.Complete(nil, OK, 0))
			}
		})
		tr.Actor("single", func() {
			if w.submit(1, nil); w.refused == nil {
				w.complete(nil, OK, 7)
			}
		})
	})
}

// One lane completes every I/O that the context has room for, and that number is
// no power of two.
func TestRingHasRoomForEveryIO(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		r := newRig(tr, 3, 1)
		ws := []*watch{r.submit(0, nil), r.submit(0, nil), r.submit(0, nil)}
		tr.Actor("lane 0", func() {
			for i, w := range ws {
				w.complete(r.lanes[0], OK, int64(i))
			}
		})
		tr.Actor("reap", func() { r.reap(1) })
	})
}

// A handler that submits an I/O for each event finds its place free, and gets the
// event of what completes at once.
func TestHandlerSubmitsWhatCompletesAtOnce(t *testing.T) {
	every(t, func(tr *explore.Trial) {
		var r *rig
		handled := 0
		r = newRigOn(tr, 1, 1, func(_ lane.Lane, evs []Event) {
			r.note(evs)
			if handled += len(evs); handled < 3 {
				next := r.watch()
				next.submit(0, func(*watch) { next.complete(r.lanes[0], OK, 8) })
				if next.refused != nil {
					tr.Failf("S13: no room for the I/O that replaces a reaped one: %v", next.refused)
				}
			}
		})
		w := r.submit(0, nil)
		l := r.lanes[0]
		tr.Actor("outside", func() { w.complete(nil, OK, 7) })
		tr.Actor("lane 0", func() {
			for handled < 3 {
				step.Write(l)
				if len(l.posted) == 0 {
					step.Yield()
					continue
				}
				f := l.posted[0]
				l.posted = l.posted[1:]
				f()
			}
		})
	})
}
