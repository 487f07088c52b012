package nvme_test

import (
	"fmt"
	"testing"
	"time"

	"blksim/aio/lane"
	"blksim/device/nvme"
	"blksim/device/nvme/flash"
	"blksim/device/nvme/spec"

	"github.com/stretchr/testify/require"
)

const us = time.Microsecond

// plainFlash has round numbers and no jitter: 4 dies on 2 channels.
var plainFlash = flash.Config{
	Capacity: 64 << 20, Channels: 2, DiesPerChannel: 2, PageSize: 16384, Planes: 1, PagesPerBlock: 8,
	ReadTime: 50 * us, ProgramTime: 500 * us, EraseTime: 3000 * us,
	ChannelRate: 1_000_000_000, LinkRate: 4_000_000_000, CommandTime: 2 * us, Latency: 10 * us,
}

const (
	xfer4k = 4096 * time.Nanosecond // on the channel
	link4k = 1024 * time.Nanosecond
)

func with(c flash.Config, f func(*flash.Config)) flash.Config { f(&c); return c }

// took carries out one command and says how long it was with the device.
func (r *rig) took(e spec.SQE) time.Duration {
	start := r.w.Now()
	r.submit(1, e)
	for len(r.peek(1)) == 0 {
		require.True(r.t, r.w.Step(), "stuck")
	}
	d := r.w.Now().Sub(start)
	r.c.Write32(spec.CQHeadDoorbell(1, 0), uint32(r.q[1].head))
	return d
}

func flashRig(t testing.TB, cfg flash.Config, c nvme.Config, depth int) *rig {
	c.Capacity = cfg.Capacity
	return newReady(t, c, flashOf(cfg), depth)
}

func TestLatencyAtDepthOneIsTheSumOfItsParts(t *testing.T) {
	r := flashRig(t, plainFlash, nvme.Config{}, 8)
	fixed := 2*us + 10*us
	require.Equal(t, fixed+50*us+xfer4k+link4k, r.took(r.rw(spec.IORead, 8, 8)), "4 KiB")
	require.Equal(t, fixed+50*us+xfer4k+128, r.took(r.rw(spec.IORead, 1, 1)), "512 B still moves a whole unit inside")
	require.Equal(t, fixed+50*us+4*xfer4k+4*link4k, r.took(r.rw(spec.IORead, 32, 32)), "16 KiB of one page")
	require.Equal(t, fixed+50*us+4*xfer4k+8*link4k, r.took(r.rw(spec.IORead, 0, 64)), "32 KiB of two dies on two channels")
	require.Equal(t, fixed+50*us+8*xfer4k+16*link4k, r.took(r.rw(spec.IORead, 0, 128)), "64 KiB: two dies share each channel")
	require.Equal(t, fixed+link4k+xfer4k+500*us, r.took(r.rw(spec.IOWrite, 8, 8)), "4 KiB write, no buffer")
	require.Equal(t, fixed, r.took(command(spec.IOFlush, 1, 1)), "nothing to flush")
	require.Equal(t, fixed, r.took(r.rw(spec.IOWriteZeroes, 0, 8)))
	require.Equal(t, fixed+link4k, r.took(r.rw(spec.IORead, 0, 8)), "what was trimmed is not read")

	b := flashRig(t, with(plainFlash, func(c *flash.Config) { c.Buffer = 64 << 10 }), nvme.Config{}, 8)
	require.Equal(t, fixed+link4k, b.took(b.rw(spec.IOWrite, 8, 8)), "4 KiB write into the buffer")
	require.Equal(t, fixed+link4k, b.took(b.rw(spec.IORead, 8, 8)), "read back from the buffer")
	require.Equal(t, fixed+50*us+xfer4k+link4k, b.took(b.rw(spec.IORead, 0, 8)), "its neighbour is not there")
}

// closedLoop keeps depth commands in the device until n have ended, and says
// how many a second that was.
func (r *rig) closedLoop(depth, n int, next func(i int) spec.SQE) float64 {
	start := r.w.Now()
	for i, done := 0, 0; done < n; {
		for ; i < n && i-done < depth; i++ {
			r.put(1, next(i))
		}
		r.bell(1)
		for {
			require.True(r.t, r.w.Step(), "stuck")
			if c := r.reap(1); len(c) > 0 {
				done += len(c)
				break
			}
		}
	}
	return float64(n) / r.w.Now().Sub(start).Seconds()
}

func TestIOPSSaturateAtDiesTimesRate(t *testing.T) {
	// The limit is a die that is busy for an array read and its transfer.
	limit := 4 / (50*us + xfer4k).Seconds()
	var got []float64
	for _, depth := range []int{1, 2, 4, 8, 32, 128} {
		r := flashRig(t, plainFlash, nvme.Config{}, 256)
		buf := r.alloc(4096)
		rnd := r.w.Rand("offsets")
		got = append(got, r.closedLoop(depth, 2000, func(int) spec.SQE {
			return r.rwAt(spec.IORead, rnd.Uint64N(16384)*8, 8, buf)
		}))
	}
	for i := 1; i < len(got); i++ {
		require.Greater(t, got[i], got[i-1]*0.99)
	}
	require.InEpsilon(t, 1/(2*us+10*us+50*us+xfer4k+link4k).Seconds(), got[0], 0.01, "depth 1")
	require.InEpsilon(t, limit, got[5], 0.05, "depth 128")
	require.Less(t, got[5], limit)
}

func TestCommandTimeLimitsIOPS(t *testing.T) {
	cfg := with(plainFlash, func(c *flash.Config) { c.CommandTime = 100 * us })
	r := flashRig(t, cfg, nvme.Config{}, 256)
	buf := r.alloc(4096)
	iops := r.closedLoop(64, 1000, func(i int) spec.SQE { return r.rwAt(spec.IORead, uint64(i)*32, 8, buf) })
	require.InEpsilon(t, 10_000, iops, 0.02)
}

func TestLinkLimitsSequentialReads(t *testing.T) {
	cfg := with(plainFlash, func(c *flash.Config) { c.LinkRate = 100_000_000 })
	r := flashRig(t, cfg, nvme.Config{}, 64)
	buf := r.alloc(128 << 10)
	n := r.closedLoop(16, 200, func(i int) spec.SQE { return r.rwAt(spec.IORead, uint64(i)*256, 256, buf) })
	require.InEpsilon(t, 100e6/(128<<10), n, 0.02)
}

func TestReadsWaitBehindPrograms(t *testing.T) {
	r := flashRig(t, plainFlash, nvme.Config{}, 64)
	fixed := 12*us + 50*us + xfer4k + link4k
	require.Equal(t, fixed, r.took(r.rw(spec.IORead, 0, 8)))
	r.submit(1, r.rw(spec.IOWrite, 1<<16, 32)) // the log's first row: die 0
	r.runFor(100 * us)
	behind := r.took(r.rw(spec.IORead, 0, 8)) // die 0
	require.Greater(t, behind, 400*us)
	require.Less(t, behind, 500*us+fixed)
}

func TestReadWaitsForOneProgramAtMost(t *testing.T) {
	cfg := with(plainFlash, func(c *flash.Config) { c.Buffer = 1 << 20 })
	r := flashRig(t, cfg, nvme.Config{}, 64)
	for i := range 8 { // 64 rows: 16 for each die
		r.submit(1, r.rw(spec.IOWrite, uint64(i)*256, 256))
	}
	r.runFor(700 * us)
	r.reap(1)
	d := r.took(r.rw(spec.IORead, 1<<16, 8))
	require.Less(t, d, 600*us)
	require.Greater(t, d, 70*us)
}

func TestFullBlockPaysAnErase(t *testing.T) {
	r := flashRig(t, plainFlash, nvme.Config{}, 8)
	times := map[time.Duration]int{}
	for i := range 4 * 8 * 3 { // three blocks on each die, a row at a time
		times[r.took(r.rw(spec.IOWrite, uint64(i)*32, 32))]++
	}
	row := 12*us + 4*link4k + 4*xfer4k + 500*us
	require.Equal(t, map[time.Duration]int{row: 96 - 8, row + 3000*us: 8}, times)
	require.EqualValues(t, 8, r.c.Stats().Medium.Erases)
	require.EqualValues(t, 96, r.c.Stats().Medium.Programs)
}

func TestBufferPacksSmallWritesAndIsBounded(t *testing.T) {
	cfg := with(plainFlash, func(c *flash.Config) { c.Buffer = 128 << 10 }) // 8 rows
	r := flashRig(t, cfg, nvme.Config{}, 64)
	for i := range 32 { // fills it
		require.Equal(t, 12*us+link4k, r.took(r.rw(spec.IOWrite, uint64(i)*800, 8)))
	}
	late := r.took(r.rw(spec.IOWrite, 40000, 8))
	require.Greater(t, late, 100*us, "waits for a program")
	r.run()
	s := r.c.Stats().Medium
	require.EqualValues(t, 8, s.Programs, "33 writes of 4 KiB: 8 full rows, 4 KiB stay")
	require.Zero(t, s.PaddedBytes)
	// Larger than the whole buffer.
	require.Greater(t, r.took(r.rw(spec.IOWrite, 0, 512)), 500*us)
	r.run()
	// Sustained, the buffer is as quick as the dies.
	buf := r.alloc(64 << 10)
	n := r.closedLoop(32, 2000, func(i int) spec.SQE { return r.rwAt(spec.IOWrite, uint64(i%1000)*128, 128, buf) })
	perRow := (500*us + 4*xfer4k + 3000*us/8).Seconds()
	require.InEpsilon(t, 4/perRow/4, n, 0.1)
}

func TestFlushAndForcedWritesWaitForAVolatileBuffer(t *testing.T) {
	cfg := with(plainFlash, func(c *flash.Config) { c.Buffer = 256 << 10; c.Volatile = true })
	fua := func(r *rig) spec.SQE {
		e := r.rw(spec.IOWrite, 64, 8)
		e.SetCDW12(e.CDW12() | spec.RWForceUnit)
		return e
	}
	program := 4*xfer4k + 500*us

	r := flashRig(t, cfg, nvme.Config{}, 8)
	require.Equal(t, 12*us+link4k, r.took(r.rw(spec.IOWrite, 0, 8)))
	require.Equal(t, 12*us+program, r.took(command(spec.IOFlush, 7, 1)))
	require.Equal(t, 12*us, r.took(command(spec.IOFlush, 7, 1)), "it is clean now")
	require.EqualValues(t, 12<<10, r.c.Stats().Medium.PaddedBytes)
	require.Equal(t, 12*us+link4k+program, r.took(fua(r)))

	safe := flashRig(t, with(cfg, func(c *flash.Config) { c.Volatile = false }), nvme.Config{}, 8)
	require.Equal(t, 12*us+link4k, safe.took(fua(safe)))
	require.Equal(t, 12*us, safe.took(command(spec.IOFlush, 7, 1)))
}

func TestPartialWriteReadsTheOldUnit(t *testing.T) {
	r := flashRig(t, with(plainFlash, func(c *flash.Config) { c.Buffer = 256 << 10 }), nvme.Config{}, 8)
	reads := func(e spec.SQE) uint64 {
		before := r.c.Stats().Medium
		r.took(e)
		r.run()
		after := r.c.Stats().Medium
		require.Equal(t, after.Reads-before.Reads, after.PartialWrites-before.PartialWrites)
		return after.Reads - before.Reads
	}
	require.EqualValues(t, 1, reads(r.rw(spec.IOWrite, 1, 1)))
	require.EqualValues(t, 0, reads(r.rw(spec.IOWrite, 2, 1)), "it is in the buffer now")
	require.EqualValues(t, 2, reads(r.rw(spec.IOWrite, 804, 8)), "two units, each in part")
	require.EqualValues(t, 1, reads(r.rw(spec.IOWrite, 1600, 12)), "the second one in part")
	require.EqualValues(t, 0, reads(r.rw(spec.IOWrite, 2400, 8)))
}

func TestWrittenDataIsReadFromWhereItWent(t *testing.T) {
	// Four units that lie apart are written together, and then read at the cost
	// of one row.
	r := flashRig(t, with(plainFlash, func(c *flash.Config) { c.Buffer = 64 << 10; c.Volatile = true }), nvme.Config{}, 8)
	for i := range 4 {
		r.took(r.rw(spec.IOWrite, uint64(i)*8, 8))
	}
	r.took(command(spec.IOFlush, 1, 1))
	before := r.c.Stats().Medium.Reads
	require.Equal(t, 12*us+50*us+4*xfer4k+4*link4k, r.took(r.rw(spec.IORead, 0, 32)))
	require.EqualValues(t, 1, r.c.Stats().Medium.Reads-before)
	// The other way round: one row's worth of old data, half of it rewritten.
	for i := range 2 {
		r.took(r.rw(spec.IOWrite, 32+uint64(i)*16, 8))
	}
	r.took(command(spec.IOFlush, 1, 1))
	before = r.c.Stats().Medium.Reads
	r.took(r.rw(spec.IORead, 32, 32))
	require.EqualValues(t, 2, r.c.Stats().Medium.Reads-before, "the old row and the new one")
}

func TestAbortedReadGivesItsDiesBack(t *testing.T) {
	r := flashRig(t, plainFlash, nvme.Config{}, 64)
	var cids []uint16
	for range 10 { // all on die 0
		e := r.rw(spec.IORead, 0, 8)
		cids = append(cids, e.CID())
		r.put(1, e)
	}
	r.bell(1)
	r.runFor(30 * us) // the first is in the array, the others behind it
	for _, i := range []int{9, 5, 1, 0, 7} {
		r.submit(0, r.abortOf(1, cids[i]))
		r.runFor(1)
		c := r.reap(1)
		require.Len(t, c, 1)
		require.Equal(t, cids[i], c[0].cid)
		require.Equal(t, spec.AbortRequested, c[0].status)
		require.Equal(t, aborted, r.reap(0)[0].result)
	}
	start := r.w.Now()
	r.run()
	require.Len(t, r.reap(1), 5)
	s := r.c.Stats()
	require.EqualValues(t, 4, s.Medium.Saved)
	require.EqualValues(t, 1, s.Medium.Dropped)
	require.EqualValues(t, 6, s.Medium.Reads)
	require.Less(t, r.w.Now().Sub(start), 6*60*us)
	r.checkIdentity()
}

// TestAbortAtEveryMoment aborts one command after each possible delay: it ends
// exactly once, aborted or done, as the answer says; afterwards the drive is as
// quick as before.
func TestAbortAtEveryMoment(t *testing.T) {
	flashes := map[string]flash.Config{
		"no buffer": plainFlash,
		"buffer":    with(plainFlash, func(c *flash.Config) { c.Buffer = 64 << 10; c.Volatile = true }),
	}
	for fname, cfg := range flashes {
		for _, op := range []uint8{spec.IORead, spec.IOWrite, spec.IOFlush, spec.IOWriteZeroes} {
			t.Run(fmt.Sprintf("%s/opcode %d", fname, op), func(t *testing.T) {
				var outcomes [2]int
				for delay := time.Duration(0); delay < 700*us; delay += 11*us + 7 {
					r := flashRig(t, cfg, nvme.Config{}, 64)
					if op == spec.IOFlush {
						r.took(r.rw(spec.IOWrite, 0, 8))
					}
					e := r.rw(op, 0, 200) // 7 rows
					e.SetCDW10(0)
					start := r.w.Now()
					r.submit(1, e)
					r.runFor(delay)
					r.submit(0, r.abortOf(1, e.CID()))
					r.run()
					io, ad := r.reap(1), r.reap(0)
					require.Len(t, io, 1)
					require.Len(t, ad, 1)
					if ad[0].result == aborted {
						outcomes[0]++
						require.Equal(t, spec.AbortRequested, io[0].status, "%v", delay)
					} else {
						outcomes[1]++
						require.Equal(t, spec.Success, io[0].status, "%v", delay)
					}
					_ = start
					r.checkIdentity()
					require.Equal(t, 12*us+50*us+xfer4k+link4k, r.took(r.rw(spec.IORead, 100000, 8)), "%v", delay)
				}
				require.NotZero(t, outcomes[0])
				require.NotZero(t, outcomes[1])
			})
		}
	}
}

func TestAbortedWriteIsNeverTorn(t *testing.T) {
	for _, buffer := range []int64{0, 64 << 10} {
		cfg := with(plainFlash, func(c *flash.Config) { c.Buffer = buffer; c.Jitter = 20 })
		r := flashRig(t, cfg, nvme.Config{Queues: 2}, 64)
		rnd := r.w.Rand("test")
		buf, back := r.alloc(256<<10), r.alloc(256<<10)
		old := byte(0)
		for round := range 200 {
			v := byte(round + 1)
			fill(r.mem.at(buf, 256<<10), v)
			for range 3 { // something to wait behind
				r.submit(1, r.rwAt(spec.IOWrite, 4096+rnd.Uint64N(1000)*8, 64, buf))
			}
			e := r.rwAt(spec.IOWrite, 0, 512, buf)
			r.submit(1, e)
			r.runFor(rnd.Duration(0, 1500*us))
			r.submit(0, r.abortOf(1, e.CID()))
			r.run()
			r.reap(1)
			ad := r.reap(0)
			require.Len(t, ad, 1)
			if ad[0].result == notAborted {
				old = v
			}
			require.Equal(t, spec.Success, r.do(r.rwAt(spec.IORead, 0, 512, back)).status)
			for i, b := range r.mem.at(back, 256<<10) {
				if b != old {
					t.Fatalf("round %d: byte %d is %d, want %d", round, i, b, old)
				}
			}
		}
		s := r.c.Stats()
		require.NotZero(t, s.Aborts.Aborted)
		require.NotZero(t, s.Aborts.NotAborted)
		r.checkIdentity()
	}
}

func TestResetWithTheDriveBusyLeavesItWorking(t *testing.T) {
	for _, buffer := range []int64{0, 64 << 10} {
		for delay := time.Duration(0); delay < 1200*us; delay += 17 * us {
			r := flashRig(t, with(plainFlash, func(c *flash.Config) { c.Buffer = buffer; c.Volatile = buffer > 0 }), nvme.Config{}, 64)
			for i := range 20 {
				r.put(1, r.rw([]uint8{spec.IORead, spec.IOWrite}[i&1], uint64(i)*64, 64))
			}
			r.put(1, command(spec.IOFlush, 999, 1))
			r.bell(1)
			r.runFor(delay)
			r.c.Write32(spec.RegCC, 0)
			r.runFor(0)
			r.peek(1)
			r.run()
			require.Empty(t, r.peek(1))
			r.enable()
			r.createPair(1, 64)
			require.Equal(t, 12*us+50*us+xfer4k+link4k, r.took(r.rw(spec.IORead, 100000, 8)))
			if buffer > 0 {
				r.took(command(spec.IOFlush, 1, 1))
				require.Equal(t, 12*us, r.took(command(spec.IOFlush, 1, 1)))
			}
		}
	}
}

// history is a mixed run with aborts: everything that the host could see.
func history(t *testing.T, seed uint64) ([]completion, nvme.Stats, lane.Time) {
	r := newRig(t, seed, nvme.Config{Capacity: 4 << 20, Slots: 8, Data: nvme.Discard}, flashOf(smallFlash))
	r.enable()
	r.createPair(1, 32)
	rnd := r.w.Rand("load")
	buf := r.alloc(64 << 10)
	var recent []uint16
	for range 400 {
		for range rnd.IntN(4) {
			op := []uint8{spec.IORead, spec.IORead, spec.IOWrite, spec.IOWrite, spec.IOFlush, spec.IOWriteZeroes}[rnd.IntN(6)]
			n := 1 + rnd.IntN(64)
			e := r.rwAt(op, rnd.Uint64N(8192-64), n, buf)
			r.submit(1, e)
			recent = append(recent, e.CID())
		}
		if len(recent) > 0 && rnd.IntN(3) == 0 {
			r.submit(0, r.abortOf(1, recent[max(0, len(recent)-1-rnd.IntN(10))]))
		}
		r.runFor(rnd.Duration(0, 400*us))
		r.reap(1)
		r.reap(0)
		if rnd.IntN(8) == 0 {
			r.run()
			r.reap(1)
		}
	}
	r.run()
	r.reap(0)
	r.reap(1)
	r.checkIdentity()
	return r.log, r.c.Stats(), r.w.Now()
}

func TestRunIsAFunctionOfItsSeed(t *testing.T) {
	log1, stats1, end1 := history(t, 5)
	log2, stats2, end2 := history(t, 5)
	require.Equal(t, log1, log2)
	require.Equal(t, stats1, stats2)
	require.Equal(t, end1, end2)
	require.NotZero(t, stats1.Aborts.Aborted)
	require.NotZero(t, stats1.Aborts.NotAborted)
	log3, _, _ := history(t, 6)
	require.NotEqual(t, log1, log3)
}
