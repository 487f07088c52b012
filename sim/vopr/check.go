package vopr

import (
	"blksim/aio"
	"blksim/aio/lane"
	"blksim/blk"
	"blksim/internal/blockmodel"
)

// events takes what ended.
func (r *run) events(l lane.Lane, evs []aio.Event) {
	for i := range evs {
		r.end(l, &evs[i])
	}
}

// end checks one event.
func (r *run) end(l lane.Lane, ev *aio.Event) {
	r.rep.Ended[ev.Status]++
	r.digest(uint64(r.st.world.Now()), uint64(ev.ID), uint64(ev.Status), uint64(ev.N))
	if ev.Data >= uint64(len(r.flights)) {
		r.broke("an event for I/O %d, which there is not", ev.Data)
		return
	}
	f := r.flights[ev.Data]
	r.note("event of I/O %d.%d: %v n=%d%s%s", f.index, f.uses, ev.Status, ev.N, word(ev.Started, " started"), word(ev.CancelAsked, " asked"))
	switch {
	case !f.live:
		r.broke("a second event of %v: %v", f, ev.Status)
		return
	case f.asked && !ev.CancelAsked:
		r.broke("%v: a cancel was accepted, and the event does not say so", f)
	case ev.Status == aio.Cancelled && !ev.CancelAsked:
		r.broke("%v was cancelled, which nobody had asked for", f)
	case !f.bad && !ev.Started && ev.Status != aio.Cancelled && f.op != aio.OpFlush && !r.mayFail(f, ev.Status):
		r.broke("%v ended as %v, and the device never had it", f, ev.Status)
	case ev.Status == aio.OK && f.bad && f.op != aio.OpFlush:
		r.broke("%v, whose extent no device has, ended as ok", f)
	case ev.Status == aio.OK && ev.N != f.n*r.block && !(ev.CancelAsked && ev.N < f.n*r.block):
		// One that was split and cancelled on the way is done up to there.
		r.broke("%v ended as ok with %d bytes", f, ev.N)
	case ev.Status != aio.OK && ev.Status != aio.Cancelled && !f.bad && !r.mayFail(f, ev.Status):
		r.broke("%v ended as %v, and nothing was wrong with it", f, ev.Status)
	}
	if ev.Status == aio.Cancelled && !ev.Started {
		r.rep.Skipped++
	}
	r.settle(f, ev)
	f.live = false
	r.free = append(r.free, f)
	f.client.flying--
	f.client.wake()
	if !r.healing && f.client.rand.Int64N(100) < r.o.Set[Again] {
		r.cancel(f, ev.ID, f.uses)
	}
}

// mayFail says whether an I/O may end so though nothing is wrong with it.
func (r *run) mayFail(f *flight, st aio.Status) bool {
	switch st {
	case aio.NotSupported:
		return !r.st.lim.Ops.Has(f.op)
	case aio.MediaError, aio.IOError:
		return r.o.Set[Errors] > 0
	case aio.TimedOut:
		return r.o.timeout() > 0
	case aio.Gone:
		return r.removed
	case aio.OK: // and the device never had it
		return f.op == aio.OpDiscard && !r.st.lim.Ops.Has(f.op) && r.o.Set[DiscardBy] != 0
	}
	return false
}

// settle compares the data with the model, and tells it what became of the I/O.
func (r *run) settle(f *flight, ev *aio.Event) {
	done := 0
	if r.block > 0 {
		done = int(max(0, min(ev.N, f.n*r.block)) / r.block)
	}
	if f.read != nil {
		f.each(func(i int, b []byte) {
			if i >= done {
				return
			}
			got, err := blockmodel.Parse(b, f.first+int64(i))
			if bad := r.model.Found(f.read, i, got, err); bad != nil {
				r.broke("%v: %v", f, bad)
			}
		})
		r.model.EndRead(f.read)
	}
	switch {
	case f.write == nil:
	case !ev.Started:
		r.model.Never(f.write)
	case f.op == aio.OpDiscard:
		r.model.EndWrite(f.write, 0)
	default:
		r.model.EndWrite(f.write, done)
	}
	if f.flush != nil && ev.Status == aio.OK {
		r.model.EndFlush(f.flush)
	}
	// Whoever still has the buffer shall be seen.
	f.each(func(_ int, b []byte) { blockmodel.Fill(b, blockmodel.Mangled, 0) })
}

// layers compares the block layer's own counters with each other, and with what was
// seen.
func (r *run) layers(s blk.Stats) {
	switch {
	case r.fail != nil || s.GivenUp > 0:
	case r.o.Set[Stack] == single && s.Skipped != r.rep.Skipped:
		r.broke("%d I/Os ended as cancelled before the device had them, and the block layer skipped %d", r.rep.Skipped, s.Skipped)
	case s.Queued != s.Reached+s.Skipped+s.Refused:
		r.broke("%d I/Os were queued, and %d reached the driver, %d were skipped, %d refused", s.Queued, s.Reached, s.Skipped, s.Refused)
	case s.TotalDispatched() != s.Reached-s.Merged+s.Again+s.FlushesAdded:
		r.broke("%d requests were dispatched for %d I/Os, of which %d were merged, with %d more pieces and %d flushes added",
			s.TotalDispatched(), s.Reached, s.Merged, s.Again, s.FlushesAdded)
	}
}

func word(is bool, w string) string {
	if is {
		return w
	}
	return ""
}
