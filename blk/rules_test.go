package blk_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/blk"
	"blksim/driver"
)

// openWith is newRig with options of the test's own.
func openWith(t *testing.T, f driver.Driver, o blk.Options) *rig {
	r := newRig(t, newFake(), 1, 1)
	o.Queues = []lane.Lane{r.w.Lane(0)}
	o.Submitters = []lane.Lane{r.w.Lane(0), r.w.Lane(1)}
	var err error
	r.disk, err = blk.Open(f, o)
	require.NoError(t, err)
	return r
}

// io submits on lane 0, with Data n.
func (r *rig) io(n uint64, io aio.IO) (id aio.ID) {
	io.Data = n
	if io.Op.HasData() {
		io.Buf = make([]byte, io.Len)
	}
	r.on(0, func() {
		var err error
		id, err = r.ctx.Submit(r.w.Lane(0), r.disk, io)
		require.NoError(r.t, err)
	})
	return id
}

// extents are what the driver holds, as offset and length.
func extents(q *fakeQueue) (es [][2]int64) {
	for _, r := range q.held {
		es = append(es, [2]int64{r.Off, r.Len})
	}
	return es
}

func TestAdjacentIOsThatWaitGoAsOneRequest(t *testing.T) {
	f := newFake()
	r := openWith(t, f, blk.Options{Depth: 1})
	r.write(0, 100)
	for _, n := range []uint64{5, 6, 4, 9, 7} { // back, front, apart, back
		r.write(0, n)
	}
	r.run()
	q := f.queues[0]
	q.finish(100*512, aio.OK)
	r.run()
	require.Equal(t, [][2]int64{{4 * 512, 4 * 512}}, extents(q))
	require.Len(t, q.held[0].Bufs, 4)
	q.finish(4*512, aio.OK)
	r.run()
	require.Len(t, r.evs, 5, "all of a request's end with it")
	st := r.disk.Stats()
	require.Equal(t, []int64{2, 1, 3}, []int64{st.BackMerges, st.FrontMerges, st.Merged})
}

func TestMergesKeepTheLimits(t *testing.T) {
	for name, c := range map[string]struct {
		o    blk.Options
		want [][2]int64
	}{
		"transfer": {blk.Options{MaxTransfer: 1024}, [][2]int64{{0, 1024}, {1024, 1024}}},
		"segments": {blk.Options{MaxSegments: 3}, [][2]int64{{0, 1536}, {1536, 512}}},
		"boundary": {blk.Options{Boundary: 1024}, [][2]int64{{0, 1024}, {1024, 1024}}},
		"none":     {blk.Options{NoMerges: true}, [][2]int64{{0, 512}, {512, 512}, {1024, 512}, {1536, 512}}},
	} {
		f := newFake()
		r := openWith(t, f, c.o)
		r.on(0, func() {
			r.disk.Plug(r.w.Lane(0))
			for n := range uint64(4) {
				r.writeHere(0, n)
			}
			require.Empty(t, f.queues[0].held, "plugged")
			r.disk.Unplug(r.w.Lane(0))
		})
		require.Equal(t, c.want, extents(f.queues[0]), name)
	}
}

func TestAnIOBeyondTheLimitsIsSplit(t *testing.T) {
	f := newFake()
	f.limits.MaxSegment = 2048
	r := openWith(t, f, blk.Options{MaxTransfer: 4096, Boundary: 8192})
	r.io(1, aio.IO{Op: aio.OpWrite, Off: 7168, Len: 10240})
	q := f.queues[0]
	require.Equal(t, [][2]int64{{7168, 1024}, {8192, 4096}, {12288, 4096}, {16384, 1024}}, extents(q))
	require.Len(t, q.held[1].Bufs, 2, "buffers of 2048 bytes")
	for _, off := range []int64{16384, 7168, 12288} {
		q.finish(off, aio.OK)
	}
	r.run()
	require.Empty(t, r.evs)
	q.finish(8192, aio.OK)
	r.run()
	require.Equal(t, []any{aio.OK, int64(10240)}, []any{r.evs[1].Status, r.evs[1].N})
	require.EqualValues(t, 3, r.disk.Stats().Again)
}

// S14, split: it ends once; Cancelled only if nothing was done, else with the bytes
// up to the first gap.
func TestASplitIOThatIsCancelledHasADefinedResult(t *testing.T) {
	for name, c := range map[string]struct {
		done []int64 // pieces that were done before the cancel
		fail bool    // the piece that is out fails
		want aio.Status
		n    int64
	}{
		"the first is out":   {nil, false, aio.OK, 1024},
		"the first was done": {[]int64{0}, false, aio.OK, 2048},
		"and then a failure": {[]int64{0}, true, aio.MediaError, 1024},
	} {
		f := newFake()
		r := openWith(t, f, blk.Options{MaxTransfer: 1024, Depth: 1})
		id := r.io(1, aio.IO{Op: aio.OpWrite, Len: 8192})
		q := f.queues[0]
		for _, off := range c.done {
			q.finish(off, aio.OK)
			r.run()
		}
		require.Equal(t, aio.Accepted, r.ctx.Cancel(id))
		r.run()
		require.Empty(t, r.evs, "a piece is with the driver")
		st := aio.OK
		if c.fail {
			st = aio.MediaError
		}
		q.finish(int64(len(c.done))*1024, st)
		r.run()
		require.Equal(t, []any{c.want, c.n}, []any{r.evs[1].Status, r.evs[1].N}, name)
		require.Len(t, q.seen, len(c.done)+1, "the rest was not sent")
	}
	f := newFake()
	r := openWith(t, f, blk.Options{MaxTransfer: 1024, Depth: 1})
	r.write(0, 1000)
	id := r.io(1, aio.IO{Op: aio.OpWrite, Len: 8192})
	r.run()
	r.ctx.Cancel(id)
	r.run()
	require.Equal(t, []any{aio.Cancelled, int64(0), false}, []any{r.evs[1].Status, r.evs[1].N, r.evs[1].Started})
}

// S14, merged: cancelled ones are taken out, wherever they are in the request; it is
// skipped only if all are.
func TestAMergedRequestIsSkippedOnlyIfAllItsIOsAreCancelled(t *testing.T) {
	for _, lazy := range []bool{true, false} {
		for mask := range 16 {
			f := newFake()
			r := openWith(t, f, blk.Options{Depth: 1, LazyCancel: lazy})
			r.write(0, 1000)
			var ids []aio.ID
			for n := range uint64(4) {
				ids = append(ids, r.write(0, n))
			}
			r.run()
			for n, id := range ids {
				if mask>>n&1 != 0 {
					require.Equal(t, aio.Accepted, r.ctx.Cancel(id))
				}
			}
			r.run()
			q := f.queues[0]
			blocks := map[int64]bool{}
			for len(q.held) > 0 {
				h := q.held[0]
				for off := h.Off; off < h.Off+h.Len; off += 512 {
					blocks[off/512] = true
				}
				q.finish(h.Off, aio.OK)
				r.run()
			}
			for n := range ids {
				cancelled := mask>>n&1 != 0
				require.Equal(t, !cancelled, blocks[int64(n)], "mask %04b", mask)
				require.Equal(t, cancelled, r.evs[uint64(n)].Status == aio.Cancelled)
			}
			require.Equal(t, mask == 15, len(q.seen) == 1)
		}
	}
}

func TestTheDriverIsAskedToCancelOnlyIfAllOfARequestAre(t *testing.T) {
	f := newFake()
	f.callback = true
	r := openWith(t, f, blk.Options{Depth: 1})
	r.write(0, 1000)
	a, b := r.write(0, 1), r.write(0, 2)
	r.run()
	q := f.queues[0]
	q.finish(1000*512, aio.OK)
	r.run()
	r.ctx.Cancel(a)
	r.run()
	require.Empty(t, q.cancels, "b is wanted")
	r.ctx.Cancel(b)
	r.run()
	require.Len(t, q.cancels, 1)
	q.held = nil
	r.on(0, func() { q.cancels[0].Complete(aio.Cancelled, 0) })
	r.run()
	require.Equal(t, []aio.Status{aio.Cancelled, aio.Cancelled}, []aio.Status{r.evs[1].Status, r.evs[2].Status})
}

func TestTheRestOfAPartialCompletionIsSentAgain(t *testing.T) {
	f := newFake()
	r := openWith(t, f, blk.Options{Depth: 1})
	r.write(0, 1000)
	for n := range uint64(3) {
		r.io(n, aio.IO{Op: aio.OpWrite, Off: int64(n) * 1024, Len: 1024})
	}
	q := f.queues[0]
	q.finish(1000*512, aio.OK)
	r.run()
	h := q.held[0]
	require.EqualValues(t, 3072, h.Len)
	q.held = nil
	r.on(0, func() { h.Complete(aio.OK, 1536) })
	r.run()
	require.Contains(t, r.evs, uint64(0))
	require.NotContains(t, r.evs, uint64(1))
	require.Equal(t, [][2]int64{{1536, 1536}}, extents(q))
	q.finish(1536, aio.OK)
	r.run()
	for n := range uint64(3) {
		require.Equal(t, []any{aio.OK, int64(1024)}, []any{r.evs[n].Status, r.evs[n].N})
	}
}

// ops are what the driver holds.
func ops(q *fakeQueue) (os []aio.Op) {
	for _, r := range q.held {
		os = append(os, r.Op)
	}
	return os
}

func TestAWritesFlushesAreSentInSequence(t *testing.T) {
	const both = aio.FUA | aio.PreFlush
	for name, c := range map[string]struct {
		cache, fua bool
		want       []aio.Op
	}{
		"no cache":         {false, false, []aio.Op{aio.OpWrite}},
		"a device's FUA":   {true, true, []aio.Op{aio.OpFlush, aio.OpWrite}},
		"FUA by two steps": {true, false, []aio.Op{aio.OpFlush, aio.OpWrite, aio.OpFlush}},
	} {
		f := newFake()
		f.limits.WriteCache, f.limits.FUA = c.cache, c.fua
		r := openWith(t, f, blk.Options{})
		r.io(1, aio.IO{Op: aio.OpWrite, Off: 512, Len: 512, Flags: both})
		q := f.queues[0]
		for i, op := range c.want {
			require.Equal(t, []aio.Op{op}, ops(q), name)
			require.Equal(t, op == aio.OpWrite && c.fua, q.held[0].FUA)
			require.Empty(t, r.evs, "step %d", i)
			q.finish(q.held[0].Off, aio.OK)
			r.run()
		}
		require.Equal(t, []any{aio.OK, int64(512)}, []any{r.evs[1].Status, r.evs[1].N}, name)
		require.EqualValues(t, len(c.want)-1, r.disk.Stats().FlushesAdded)
	}
}

func TestFlushesThatWaitShareOne(t *testing.T) {
	f := newFake()
	f.limits.WriteCache = true
	r := openWith(t, f, blk.Options{})
	q := f.queues[0]
	var last aio.ID
	for n := range uint64(4) {
		last = r.io(n, aio.IO{Op: aio.OpFlush})
	}
	require.Len(t, q.held, 1, "the others came after it was sent")
	r.ctx.Cancel(last)
	r.run()
	require.Equal(t, aio.Cancelled, r.evs[3].Status)
	q.finish(0, aio.OK)
	r.run()
	require.Contains(t, r.evs, uint64(0))
	require.Len(t, q.held, 1)
	q.finish(0, aio.OK)
	r.run()
	require.Len(t, r.evs, 4)
	require.Len(t, q.seen, 2)
}

func TestAFailedFlushFailsTheWritesAroundIt(t *testing.T) {
	f := newFake()
	f.limits.WriteCache = true
	r := openWith(t, f, blk.Options{})
	q := f.queues[0]
	r.io(1, aio.IO{Op: aio.OpWrite, Off: 512, Len: 512, Flags: aio.PreFlush})
	q.finish(0, aio.MediaError)
	r.run()
	require.Equal(t, aio.MediaError, r.evs[1].Status)
	require.Equal(t, []int64{0}, q.seen, "the write was not sent")
	r.io(2, aio.IO{Op: aio.OpWrite, Off: 512, Len: 512, Flags: aio.FUA})
	q.finish(512, aio.OK)
	r.run()
	q.finish(0, aio.IOError)
	r.run()
	require.Equal(t, []any{aio.IOError, int64(0)}, []any{r.evs[2].Status, r.evs[2].N})
}

func TestWhatTheDriverLacksIsDoneOtherwise(t *testing.T) {
	f := newFake() // reads, writes and flushes
	r := openWith(t, f, blk.Options{Discard: blk.DiscardZero, MaxTransfer: 128 << 10})
	q := f.queues[0]
	for n, op := range []aio.Op{aio.OpWriteZeroes, aio.OpDiscard} {
		r.io(uint64(n), aio.IO{Op: op, Len: 200 << 10})
		require.Equal(t, []aio.Op{aio.OpWrite, aio.OpWrite}, ops(q))
		require.Len(t, q.held[0].Bufs, 2)
		for len(q.held) > 0 {
			q.finish(q.held[0].Off, aio.OK)
			r.run()
		}
		require.Equal(t, []any{aio.OK, int64(200 << 10)}, []any{r.evs[uint64(n)].Status, r.evs[uint64(n)].N})
	}
	r = openWith(t, newFake(), blk.Options{Discard: blk.DiscardIgnore})
	r.io(9, aio.IO{Op: aio.OpDiscard, Len: 512})
	r.run()
	require.Equal(t, aio.OK, r.evs[9].Status)
	require.False(t, r.evs[9].Started)

	f = newFake()
	f.inline = true
	f.limits.Ops |= driver.Ops(aio.OpWriteZeroes)
	f.refuse = func(r *driver.Request) aio.Status {
		if r.Op == aio.OpWriteZeroes {
			return aio.NotSupported
		}
		return aio.OK
	}
	r = openWith(t, f, blk.Options{})
	r.io(1, aio.IO{Op: aio.OpWriteZeroes, Len: 4096})
	r.run()
	require.Equal(t, aio.OK, r.evs[1].Status, "the driver has it in name only")
}

func TestADeadlineCancelsWhereverTheIOIs(t *testing.T) {
	f := newFake()
	f.callback = true
	f.onCancel = func(q *fakeQueue, req *driver.Request) { q.finish(req.Off, aio.Cancelled) }
	for _, lazy := range []bool{true, false} {
		r := openWith(t, f, blk.Options{Depth: 1, NoMerges: true, LazyCancel: lazy})
		for n := range uint64(3) {
			r.io(n, aio.IO{Op: aio.OpWrite, Off: int64(n) * 512, Len: 512, Deadline: lane.Time(time.Millisecond) + lane.Time(n)})
		}
		r.run()
		require.Len(t, r.evs, 3)
		for n := range uint64(3) {
			require.Equal(t, aio.Cancelled, r.evs[n].Status)
			require.True(t, r.evs[n].CancelAsked)
		}
		require.LessOrEqual(t, r.w.Now(), lane.Time(time.Millisecond+10))
		require.EqualValues(t, 3, r.disk.Stats().Expired)
	}
}

func TestTheTimeoutLadder(t *testing.T) {
	f := newFake() // neither Cancel nor Reset
	r := openWith(t, f, blk.Options{Depth: 2, Timeout: time.Millisecond, NoMerges: true})
	r.write(0, 1)
	r.run()
	require.Equal(t, aio.TimedOut, r.evs[1].Status)
	require.EqualValues(t, time.Millisecond, r.w.Now())
	require.Nil(t, f.queues[0].held[0].Bufs, "the buffers are the user's again")
	r.write(0, 2)
	r.on(0, func() { f.queues[0].held[0].Complete(aio.OK, 512) })
	require.EqualValues(t, 1, r.disk.Stats().LateCompletes)
	f.queues[0].held = f.queues[0].held[1:]
	f.queues[0].finish(1024, aio.OK)
	r.run()
	require.Equal(t, aio.OK, r.evs[2].Status)

	// All tags lost: the disk is gone, and says so at once.
	for n := range uint64(4) {
		r.write(0, 10+n)
	}
	r.run()
	for n := range uint64(4) {
		require.Contains(t, []aio.Status{aio.TimedOut, aio.Gone}, r.evs[10+n].Status)
	}
	r.write(0, 20)
	r.run()
	require.Equal(t, aio.Gone, r.evs[20].Status)

	// With Cancel a timeout is tried again, so many times; a user's cancel is not.
	f = newFake()
	f.callback = true
	f.onCancel = func(q *fakeQueue, req *driver.Request) { q.finish(req.Off, aio.Cancelled) }
	r = openWith(t, f, blk.Options{Timeout: time.Millisecond, Retries: 2, NoMerges: true})
	r.write(0, 1)
	id := r.write(0, 2)
	r.ctx.Cancel(id)
	r.run()
	require.Equal(t, aio.TimedOut, r.evs[1].Status)
	require.Equal(t, aio.Cancelled, r.evs[2].Status)
	require.Equal(t, []int64{512, 1024, 512, 512}, f.queues[0].seen)
}

func TestALostInterruptIsPolledFor(t *testing.T) {
	f := newFake()
	r := openWith(t, &polled{f}, blk.Options{Timeout: time.Millisecond})
	r.write(0, 1)
	r.run()
	require.Equal(t, aio.OK, r.evs[1].Status)
	require.EqualValues(t, 1, r.disk.Stats().LostInterrupts)
	require.Zero(t, r.disk.Stats().Timeouts)
}

// polled is a device that completes everything, and never tells.
type polled struct{ *fake }

func (p *polled) OpenQueue(l lane.Lane, qid, depth int) (driver.Queue, error) {
	q, err := p.fake.OpenQueue(l, qid, depth)
	return &polledQueue{q.(*fakeQueue)}, err
}

type polledQueue struct{ *fakeQueue }

func (q *polledQueue) Poll(int) int {
	n := len(q.held)
	for _, r := range q.held {
		r.Complete(aio.OK, r.Len)
	}
	q.held = nil
	return n
}

func TestQuiesceFreezeDrainAndRemove(t *testing.T) {
	f := newFake()
	f.service = 10 * time.Microsecond
	r := openWith(t, f, blk.Options{Depth: 1, NoMerges: true})
	told := 0
	done := func() { told++ }
	r.disk.Quiesce(done)
	r.run()
	r.write(0, 1)
	r.run()
	require.Equal(t, []int{1, 0, 0}, []int{told, len(r.evs), len(f.queues[0].seen)})
	r.disk.Resume(done)
	r.disk.Drain(done)
	r.run()
	require.Equal(t, []int{3, 1}, []int{told, len(r.evs)})

	for n := range uint64(3) {
		r.write(0, 10+n)
	}
	r.disk.Freeze(func() {
		done()
		require.Len(t, r.evs, 4, "what came before has ended")
	})
	require.NoError(t, r.w.RunUntil(r.w.Now()))
	id := r.write(0, 20)
	r.write(0, 21)
	r.run()
	require.Equal(t, 4, told)
	require.NotContains(t, r.evs, uint64(21))
	r.ctx.Cancel(id)
	r.run()
	require.Equal(t, aio.Cancelled, r.evs[20].Status, "a cancel finds what is held back")
	r.disk.Unfreeze(done)
	r.run()
	require.Equal(t, aio.OK, r.evs[21].Status)

	f.service = 0
	for n := range uint64(3) {
		r.write(0, 30+n)
	}
	r.disk.Remove(done)
	r.run()
	require.Equal(t, 5, told, "the driver has one")
	require.Equal(t, []aio.Status{aio.Gone, aio.Gone}, []aio.Status{r.evs[31].Status, r.evs[32].Status})
	f.queues[0].finish(30*512, aio.OK)
	r.run()
	require.Equal(t, 6, told)
	require.Equal(t, aio.OK, r.evs[30].Status, "it was done after all")
	r.write(0, 40)
	r.run()
	require.Equal(t, aio.Gone, r.evs[40].Status)
}
