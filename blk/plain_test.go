package blk_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/blk"
	"blksim/driver"
	"blksim/sim"
)

// plainRun is what came of a run: what the driver saw, in order, and the events.
type plainRun struct {
	seen   []driver.Request
	events []aio.Event
	stats  blk.Stats
	plain  int // most bios that the driver had without a request
}

// runPlainly gives random batches, with adjacent and special I/Os among them, to a
// driver that is busy, fails, does a part and completes inside Submit now and then.
func runPlainly(t *testing.T, seed uint64, o blk.Options, cancel, plain bool) (got plainRun) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	w := sim.NewWorld(seed, 2)
	f := newFake()
	f.callback = cancel
	f.limits.WriteCache = true
	f.limits.Queues = 1
	f.limits.MaxTransfer = 32 << 10
	answers := rand.New(rand.NewPCG(seed, 2))
	end := func(r *driver.Request) {
		switch answers.IntN(12) {
		case 0:
			r.Complete(aio.MediaError, 0)
		case 1:
			r.Complete(aio.OK, r.Len/1024*512)
		default:
			r.Complete(aio.OK, r.Len)
		}
	}
	f.refuse = func(r *driver.Request) aio.Status {
		seen := driver.Request{Tag: r.Tag, Driver: len(r.Bufs)}
		seen.Forward(r)
		seen.Bufs = nil
		got.seen = append(got.seen, seen)
		switch answers.IntN(20) {
		case 0:
			return aio.Busy
		case 1:
			return aio.Invalid
		}
		return aio.OK
	}
	f.onCancel = func(q *fakeQueue, r *driver.Request) {
		if i := slices.Index(q.held, r); i >= 0 {
			q.held = slices.Delete(q.held, i, i+1)
			r.Complete(aio.Cancelled, 0)
		}
	}
	o.Queues, o.Submitters, o.Depth = []lane.Lane{w.Lane(0)}, []lane.Lane{w.Lane(0), w.Lane(1)}, 8
	disk, err := blk.Open(f, o)
	require.NoError(t, err)
	if !plain {
		disk.WithoutPlainWay()
	}
	ctx, err := aio.New(aio.Options{Capacity: 256, Lanes: o.Submitters, OnEvents: func(_ lane.Lane, evs []aio.Event) {
		got.events = append(got.events, evs...)
	}})
	require.NoError(t, err)
	buf := make([]byte, 64<<10)
	number := uint64(0)
	var recent []aio.ID
	batch := func(l int) {
		ios := make([]aio.IO, 1+rnd.IntN(12))
		at := int64(rnd.IntN(1000)) * 4096
		for i := range ios {
			n := int64(1+rnd.IntN(8)) * 512
			if rnd.IntN(3) > 0 {
				at = int64(rnd.IntN(1000)) * 4096 // else it follows the one before
			}
			ios[i] = aio.IO{Op: aio.Op(rnd.IntN(2)), Off: at, Len: n, Buf: buf[:n], Data: number}
			at += n
			number++
			switch io := &ios[i]; rnd.IntN(30) {
			case 0:
				*io = aio.IO{Op: aio.OpFlush, Data: io.Data}
			case 1:
				io.Op, io.Flags = aio.OpWrite, aio.FUA|aio.PreFlush
			case 2:
				io.Len, io.Buf = 64<<10, buf
			case 3:
				io.Off = 1
			case 4:
				io.Deadline = w.Now() + 1 + lane.Time(rnd.IntN(5000))
			}
		}
		ids := make([]aio.ID, len(ios))
		n, err := ctx.SubmitBatch(w.Lane(l), disk, ios, ids)
		if err != nil {
			require.ErrorIs(t, err, aio.ErrFull)
		}
		recent = append(recent, ids[:n]...)
		got.plain = max(got.plain, disk.PlainBios())
	}
	q := f.queues[0]
	for range 300 {
		l := rnd.IntN(4) / 3
		require.NoError(t, w.Do(l, func(done func()) {
			f.inline = rnd.IntN(4) == 0
			batch(l)
			if len(recent) > 0 && rnd.IntN(2) == 0 {
				ctx.Cancel(recent[rnd.IntN(len(recent))])
			}
			done()
		}))
		if rnd.IntN(3) > 0 {
			require.NoError(t, w.Do(0, func(done func()) {
				for n := rnd.IntN(6); n > 0 && len(q.held) > 0; n-- {
					r := q.held[0]
					q.held = q.held[1:]
					end(r)
				}
				done()
			}))
		}
		require.NoError(t, w.RunUntil(w.Now().Add(time.Duration(rnd.IntN(3000)))))
	}
	f.inline = true
	for round := 0; ctx.InFlight() > 0; round++ {
		require.Less(t, round, 1000, "stuck: %d in flight", ctx.InFlight())
		require.NoError(t, w.Do(0, func(done func()) {
			held := q.held
			q.held = nil
			for _, r := range held {
				r.Complete(aio.OK, r.Len)
			}
			done()
		}))
		require.NoError(t, w.Run())
	}
	got.stats = disk.Stats()
	return got
}

// TestThePlainWayDoesWhatTheOtherDoes: the driver sees the same requests in the same
// order, the user the same events, and the counts are the same.
func TestThePlainWayDoesWhatTheOtherDoes(t *testing.T) {
	seeds := uint64(40)
	if testing.Short() {
		seeds = 8
	}
	for name, o := range map[string]blk.Options{
		"none": {}, "no merges": {NoMerges: true}, "histograms": {Histograms: true}, "boundary": {Boundary: 8192}, "reserved": {ReservedTags: 2},
	} {
		for _, cancel := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/cancel %v", name, cancel), func(t *testing.T) {
				plain := 0
				for seed := range seeds {
					a, b := runPlainly(t, seed, o, cancel, true), runPlainly(t, seed, o, cancel, false)
					require.Zero(t, b.plain)
					plain = max(plain, a.plain)
					require.Equal(t, b.seen, a.seen, "seed %d", seed)
					require.Equal(t, b.events, a.events, "seed %d", seed)
					require.Equal(t, b.stats, a.stats, "seed %d", seed)
				}
				require.Positive(t, plain, "bios without a request")
			})
		}
	}
}

// TestHotPartsKeepToTheirLines: what a plain I/O touches.
func TestHotPartsKeepToTheirLines(t *testing.T) {
	bio, bioHot, slot, slotHot := blk.Sizes()
	require.LessOrEqual(t, bioHot, uintptr(64))
	require.LessOrEqual(t, slotHot, uintptr(128))
	for _, n := range []uintptr{bio, slot} {
		require.Zero(t, n%64, "whole lines")
		require.EqualValues(t, 1, n/64%2, "an odd number of them")
	}
}

// TestARefusedFlushLetsTheNextGo: a flush that the driver refuses is over.
func TestARefusedFlushLetsTheNextGo(t *testing.T) {
	f := newFake()
	f.limits.WriteCache = true
	f.inline = true
	refused := false
	f.refuse = func(*driver.Request) aio.Status {
		if !refused {
			refused = true
			return aio.Invalid
		}
		return aio.OK
	}
	r := newRig(t, f, 1, 4)
	for n := range uint64(2) {
		r.on(0, func() {
			_, err := r.ctx.Submit(r.w.Lane(0), r.disk, aio.IO{Op: aio.OpFlush, Data: n})
			require.NoError(t, err)
		})
		r.run()
	}
	require.Equal(t, aio.Invalid, r.evs[0].Status)
	require.Len(t, r.evs, 2)
	require.Equal(t, aio.OK, r.evs[1].Status)
}
