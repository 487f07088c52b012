//go:build interleave

package aio

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/stretchr/testify/require"

	"blksim/aio/lane"
	"blksim/internal/explore"
	"blksim/internal/step"
)

// The scenarios in the files interleave_*_test.go run this package's code under
// every schedule of a few actors. A rig is their context, with what must hold in
// each state and at the end of each schedule.
type rig struct {
	tr     *explore.Trial
	c      *Context
	lanes  []*fakeLane
	ios    []*watch
	kept   []uint32 // tags that the scenario took out of the pool
	evs    []Event  // reaped so far
	looks  bool     // somebody has begun to look for events
	shut   bool     // Shutdown or CancelAll takes part
	unseen bool     // the lane's loop does not run, so that no handler sees an event
}

func newRig(tr *explore.Trial, capacity, lanes int) *rig {
	return newRigOn(tr, capacity, lanes, nil)
}

func newRigOn(tr *explore.Trial, capacity, lanes int, onEvents func(lane.Lane, []Event)) *rig {
	r := &rig{tr: tr}
	fakes, ls := fakeLanes(lanes)
	r.lanes = fakes
	c, err := New(Options{Capacity: capacity, Lanes: ls, OnEvents: onEvents})
	require.NoError(tr, err)
	r.c = c
	tr.Name(&c.submitted, "submitted")
	tr.Name(&c.reaped, "reaped")
	tr.Name(&c.tags.warm, "warm tags")
	tr.Name(&c.waiters, "waiters")
	tr.Name(c.wake, "wake")
	tr.Name(c.idle, "idle")
	tr.Name(&c.outside.tail, "outside tail")
	for i := range lanes {
		tr.Name(fakes[i], fmt.Sprint("lane ", i))
		tr.Name(&c.lanes[i].ring.tail, fmt.Sprint("tail ", i))
		tr.Name(&c.tags.caches[i].word, fmt.Sprint("tag cache ", i))
	}
	for i := range c.tags.free {
		tr.Name(&c.tags.free[i], fmt.Sprint("free tags ", i))
	}
	tr.Invariant(r.invariant)
	tr.Final(r.judge)
	return r
}

// keep takes n tags out of the pool for good.
func (r *rig) keep(n int) {
	for n > 0 {
		group, mask := r.c.tags.take(0, n)
		for ; mask != 0; mask &= mask - 1 {
			r.kept = append(r.kept, group*groupTags+uint32(bits.TrailingZeros32(mask)))
			n--
		}
	}
}

// invariant holds in each state: S10, S13.
func (r *rig) invariant() {
	c := r.c
	taken := int(c.submitted.Load()&^closedBit - c.reaped.Load())
	if taken < 0 || taken > c.capacity {
		r.tr.Failf("S13: %d of %d places taken", taken, c.capacity)
	}
	for _, p := range c.ports {
		if n := int(p.ring.staged - p.ring.head); n < 0 || n > c.capacity {
			r.tr.Failf("S13: %d events in a ring for %d", n, c.capacity)
		}
	}
	checkTags(r.tr, &c.tags, func(tag uint32) {
		if slices.Contains(r.kept, tag) {
			r.tr.Failf("S10: tag %d may be taken, and it is out", tag)
		}
		if w := c.word(tag); wordState(w) != stateFree {
			r.tr.Failf("S10: tag %d may be taken, and its word is %#x", tag, w)
		}
	})
}

// checkTags checks that no tag is in two places, and calls f with each in the
// bitmap or a cache.
func checkTags(tr *explore.Trial, p *tagPool, f func(tag uint32)) {
	seen := make([]uint32, len(p.free))
	see := func(group int, mask uint32) {
		if seen[group]&mask != 0 {
			tr.Failf("S10: tags %#x of group %d are in the pool twice", seen[group]&mask, group)
		}
		seen[group] |= mask
		for ; f != nil && mask != 0; mask &= mask - 1 {
			f(uint32(group*groupTags + bits.TrailingZeros32(mask)))
		}
	}
	for g := range p.free {
		see(g, p.free[g].Load())
	}
	w := p.warm.Load()
	see(int(w>>32), uint32(w))
	for i := range p.caches {
		w := p.caches[i].word.Load()
		see(int(w>>32), uint32(w))
	}
}

// watch is what a scenario knows of one I/O.
type watch struct {
	r    *rig
	k    Kiocb
	data uint64

	mon       int  // is marked: stands for those below
	running   bool // the callback
	delivered bool // the event is on its way
	reaped    bool
	left      bool // Complete has left its result
	begun     int  // calls of Cancel

	calls   int // of the callback
	regs    []error
	answers []CancelResult
	ends    []end
	refused error // the submit's
}

// end is a call of Complete.
type end struct {
	how Completion
	st  Status
	n   int64
}

// submit starts an I/O; target, if set, is run as its target.
func (r *rig) submit(li int, target func(w *watch)) *watch {
	w := r.watch()
	w.submit(li, target)
	return w
}

func (r *rig) watch() *watch {
	w := &watch{r: r, data: uint64(100 + len(r.ios))}
	r.ios = append(r.ios, w)
	return w
}

func (w *watch) submit(li int, target func(w *watch)) {
	io := IO{Op: OpWrite, Off: int64(w.data), Len: 1, Buf: make([]byte, 1), Data: w.data}
	_, w.refused = w.r.c.Submit(w.r.lanes[li], targetFunc(func(_ lane.Lane, k Kiocb) {
		w.k = k
		w.r.tr.Name(&k.slot.word, fmt.Sprint("word ", k.id))
		w.r.tr.Name(&w.mon, fmt.Sprint("monitor ", k.id))
		w.r.tr.Notef("%v is submitted", k.id)
		if k.Off() != int64(w.data) || len(k.Buf()) != 1 {
			w.r.tr.Failf("S11: the target sees offset %d, want %d", k.Off(), w.data)
		}
		if target != nil {
			target(w)
		}
	}), io)
}

// register sets a callback, which runs inside, if that is set.
func (w *watch) register(inside func()) {
	err := w.k.SetCancelFunc(func(k Kiocb) {
		w.enter(k)
		if inside != nil {
			inside()
		}
		w.leave()
	})
	w.r.tr.Notef("SetCancelFunc(%v) = %v", w.k.id, err)
	w.regs = append(w.regs, err)
}

func (w *watch) enter(k Kiocb) {
	step.Write(&w.mon)
	w.r.tr.Notef("callback of %v begins", k.id)
	switch {
	case k != w.k:
		w.r.tr.Failf("S2: callback of %v called for %v", w.k.id, k.id)
	case w.running:
		w.r.tr.Failf("S4: two callbacks at once")
	case w.delivered:
		w.r.tr.Failf("S3: callback after the delivery")
	case w.calls > 0:
		w.r.tr.Failf("S2: callback called twice")
	}
	w.running, w.calls = true, w.calls+1
}

func (w *watch) leave() {
	step.Write(&w.mon)
	w.r.tr.Notef("callback of %v ends", w.k.id)
	w.running = false
	if w.delivered {
		w.r.tr.Failf("S3: delivered while the callback ran")
	}
}

// deliver notes that the event is known to be there.
func (w *watch) deliver() {
	step.Write(&w.mon)
	w.delivered = true
	if w.running {
		w.r.tr.Failf("S3: delivered while the callback runs")
	}
}

func (w *watch) cancel() {
	step.Write(&w.mon)
	over, gone, late := w.delivered, w.reaped, w.left && w.begun == 0 && !w.r.shut
	w.begun++
	res := w.r.c.Cancel(w.k.id)
	w.r.tr.Notef("Cancel(%v) = %v", w.k.id, res)
	switch {
	case gone && res != NotFound:
		w.r.tr.Failf("S7: %v after the event was reaped", res)
	case over && res == Accepted:
		w.r.tr.Failf("S7: accepted after the delivery")
	case res == NotFound && !w.r.looks:
		w.r.tr.Failf("S7: not found, and nobody has begun to reap the event")
	}
	if late && res == Accepted {
		w.r.tr.Failf("S7: the first cancel was accepted after the completion")
	}
	w.answers = append(w.answers, res)
}

func (w *watch) complete(l lane.Lane, st Status, n int64) Completion {
	how := w.k.Complete(l, st, n)
	w.r.tr.Notef("Complete(%v, %v) = %v", w.k.id, st, how)
	switch how {
	case Delivered:
		w.deliver()
	case Left:
		step.Write(&w.mon)
		w.left = true
	}
	w.ends = append(w.ends, end{how, st, n})
	return how
}

// reap waits for n events.
func (r *rig) reap(n int) {
	evs := make([]Event, n)
	r.looks = true
	got, err := r.c.Events(background, n, evs)
	require.NoError(r.tr, err)
	r.note(evs[:got])
}

// poll gets one event, without sleeping.
func (r *rig) poll() {
	evs := make([]Event, 1)
	r.looks = true
	for {
		n, err := r.c.Events(background, 0, evs)
		require.NoError(r.tr, err)
		if n == 1 {
			r.note(evs)
			return
		}
		step.Yield()
	}
}

// note takes account of events.
func (r *rig) note(evs []Event) {
	for _, ev := range evs {
		r.tr.Notef("event of %v: %v", ev.ID, ev.Status)
		r.evs = append(r.evs, ev)
		for _, w := range r.ios {
			if w.k.id == ev.ID {
				w.deliver()
				w.reaped = true
			}
		}
	}
}

// judge looks at the end of a schedule.
func (r *rig) judge() {
	if r.unseen {
		return
	}
	if r.c.onEvents == nil {
		evs := make([]Event, r.c.capacity)
		n, err := r.c.Events(background, 0, evs)
		require.NoError(r.tr, err)
		r.note(evs[:n])
	}
	inFlight, stale := 0, 0
	for _, w := range r.ios {
		if w.judge() {
			inFlight++
		}
		for _, e := range w.ends {
			if e.how == Stale {
				stale++
			}
		}
	}
	c := r.c
	if n := c.places(); n != inFlight {
		r.tr.Failf("S13: %d places taken with %d I/Os in flight", n, inFlight)
	}
	if n := c.tags.count(); n != c.capacity-inFlight-len(r.kept) {
		r.tr.Failf("S10: %d tags of %d in the pool, with %d I/Os in flight", n, c.capacity-len(r.kept), inFlight)
	}
	if st := c.Stats(); int(st.StaleCompletes) != stale {
		r.tr.Failf("stats %+v: %d completions were refused", st, stale)
	}
	for i := range uint32(c.capacity) {
		if p := c.table.find(i); p != nil && inFlight == 0 && (p.slots[i].fn != nil || p.slots[i].buf != nil) {
			r.tr.Failf("slot %d keeps its callback or its buffer", i)
		}
	}
}

// judge looks at one I/O and says whether it is still in flight.
func (w *watch) judge() bool {
	tr, c := w.r.tr, w.r.c
	var evs []Event
	for _, ev := range w.r.evs {
		if w.refused == nil && ev.ID == w.k.id || ev.Data == w.data {
			evs = append(evs, ev)
		}
	}
	var result *end
	for i, e := range w.ends {
		if e.how != Stale {
			if result != nil {
				tr.Failf("S1: two completions were taken: %v", w.ends)
			}
			result = &w.ends[i]
		}
	}
	if result == nil || w.refused != nil {
		if len(evs) != 0 {
			tr.Failf("S1: event %+v of an I/O that did not complete", evs[0])
		}
		if w.refused != nil {
			return false
		}
		switch word := c.word(w.k.id.index()); {
		case !sameGen(word, w.k.id):
			tr.Failf("S1: the I/O did not complete, and its slot is another's")
		case len(w.answers)+len(w.regs) == 0 && !w.r.shut && word&lowMask&^flagStarted != stateLive:
			tr.Failf("S5: nobody touched the I/O, and its word is %#x", word)
		}
		return true
	}
	if len(evs) != 1 {
		tr.Failf("S1: %d events: %+v", len(evs), evs)
	}
	ev := evs[0]
	if ev.ID != w.k.id || ev.Data != w.data || ev.Status != result.st || ev.N != result.n {
		tr.Failf("S15: event %+v, want ID %v, data %d, result %+v", ev, w.k.id, w.data, *result)
	}
	accepted := slices.Contains(w.answers, Accepted)
	if accepted && !ev.CancelAsked || ev.CancelAsked && !accepted && !w.r.shut {
		tr.Failf("S7: answers %v, and CancelAsked is %v", w.answers, ev.CancelAsked)
	}
	registered := 0
	for _, err := range w.regs {
		if err == nil {
			registered++
		}
	}
	if registered > 1 {
		tr.Failf("S8: two registrations were taken: %v", w.regs)
	}
	if want := ev.CancelAsked && registered == 1; w.calls > 1 || (w.calls == 1) != want {
		tr.Failf("S2, S8: %d callbacks; asked %v, registered %v", w.calls, ev.CancelAsked, w.regs)
	}
	return false
}
