package nvme_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/aio/lane"
	"blksim/device/nvme"
	"blksim/device/nvme/spec"
)

// levels is an observer that keeps what it is told of one queue pair.
type levels struct {
	qid     uint16
	sq      []int
	posted  int
	entries [2]int // of both
	last    lane.Time
	back    bool // time went back
}

func (o *levels) SubmissionQueue(at lane.Time, qid uint16, pending, entries int) {
	if o.tell(at); qid == o.qid {
		o.sq, o.entries[0] = append(o.sq, pending), entries
	}
}

func (o *levels) Posted(at lane.Time, qid uint16, entries int) {
	if o.tell(at); qid == o.qid {
		o.posted++
		o.entries[1] = entries
	}
}

func (o *levels) tell(at lane.Time) {
	o.back = o.back || at < o.last
	o.last = at
}

// forget gives what was told since the last time.
func (o *levels) forget() (sq []int, posted int) {
	sq, posted = o.sq, o.posted
	o.sq, o.posted = nil, 0
	return sq, posted
}

// span is from, and on in steps of one, to to.
func span(from, to int) []int {
	out := []int{from}
	for v := from; v != to; {
		if v++; from > to {
			v -= 2
		}
		out = append(out, v)
	}
	return out
}

// TestOccupancyIsToldAtEachChange of a batch of 32, of which the controller has
// slots for 8.
func TestOccupancyIsToldAtEachChange(t *testing.T) {
	o := &levels{qid: 1}
	m := &held{}
	r := newReady(t, nvme.Config{Slots: 8, Observer: o}, withHeld(m), 64)
	sq, posted := o.forget()
	require.Empty(t, sq, "a new queue is empty")
	require.Zero(t, posted)

	for range 32 {
		r.put(1, r.rw(spec.IORead, 0, 1))
	}
	r.run()
	sq, _ = o.forget()
	require.Empty(t, sq, "not rung for")
	r.bell(1)
	r.run()
	sq, posted = o.forget()
	require.Equal(t, span(32, 24), sq, "32 by the doorbell, 8 fetched")
	require.Zero(t, posted)

	for range 4 { // 8 at once end, and 8 are fetched
		m.finish(r, 8)
	}
	sq, posted = o.forget()
	require.Equal(t, span(23, 0), sq)
	require.Equal(t, 32, posted)
	require.Len(t, r.reap(1), 32)
	r.run()
	sq, posted = o.forget()
	require.Empty(t, sq)
	require.Zero(t, posted)
	require.Equal(t, [2]int{64, 64}, o.entries)
	require.False(t, o.back)
}

// TestWhatGoesWithAQueueIsToldAsEmpty by its deletion or a reset of the controller.
func TestWhatGoesWithAQueueIsToldAsEmpty(t *testing.T) {
	for _, how := range []string{"delete", "reset"} {
		t.Run(how, func(t *testing.T) {
			o := &levels{qid: 1}
			m := &held{abort: true}
			r := newReady(t, nvme.Config{Slots: 2, Observer: o}, withHeld(m), 16)
			for range 6 {
				r.put(1, r.rw(spec.IORead, 0, 1))
			}
			r.bell(1)
			r.run()
			m.finish(r, 1)
			sq, posted := o.forget()
			require.Equal(t, 3, sq[len(sq)-1], "6, but for 2 with slots and 1 in the slot of what ended")
			require.Equal(t, 1, posted)
			if how == "reset" {
				r.c.Write32(spec.RegCC, 0)
				r.run()
			} else {
				e := command(spec.AdminDeleteSQ, r.nextCID(), 0)
				e.SetCDW10(1)
				require.Equal(t, spec.Success, r.admin(e).status)
			}
			sq, posted = o.forget()
			require.Equal(t, []int{0}, sq)
			require.Equal(t, map[string]int{"delete": 2, "reset": 0}[how], posted, "what executed is aborted, or cut off")
		})
	}
}

// tally is an observer that keeps no more than numbers.
type tally struct{ told, most, least, posted int }

func (o *tally) SubmissionQueue(_ lane.Time, _ uint16, pending, _ int) {
	o.told++
	o.most, o.least = max(o.most, pending), min(o.least, pending)
}

func (o *tally) Posted(lane.Time, uint16, int) { o.posted++ }

// TestOccupancyAllocatesNothing where somebody observes; TestNoAllocationsPerCommand
// is without.
func TestOccupancyAllocatesNothing(t *testing.T) {
	o := &tally{}
	l := newLoop(t, nvme.Config{Capacity: 64 << 20, Data: nvme.Discard, Observer: o}, null, spec.IORead, 8)
	l.run(2000, 64)
	*o = tally{}
	require.Zero(t, testing.AllocsPerRun(5, func() { l.run(2000, 64) }))
	const all = 6 * 2000 // AllocsPerRun has one run more
	require.Equal(t, all, o.posted)
	require.Greater(t, o.told, all, "each is fetched, and some are rung for")
	require.Equal(t, 64, o.most)
	require.Zero(t, o.least)
}
