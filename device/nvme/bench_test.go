package nvme_test

import (
	"testing"
	"time"

	"blksim/device/nvme"
	"blksim/device/nvme/flash"
	"blksim/device/nvme/spec"
	"blksim/sim"

	"github.com/stretchr/testify/require"
)

// loop keeps a fixed number of commands in the device from outside all events,
// as cheaply as a host can.
type loop struct {
	r      *rig
	q      *hostQueue
	sq, cq []byte
	op     uint8
	blocks uint32
	rnd    *sim.Rand
	span   uint64
	cid    uint16
	flying int
}

func newLoop(t testing.TB, cfg nvme.Config, m makeMedium, op uint8, blocks int) *loop {
	r := newReady(t, cfg, m, 256)
	l := &loop{r: r, q: r.q[1], op: op, blocks: uint32(blocks), rnd: sim.NewRand(1, "loop"), span: uint64(cfg.Capacity / 512 / int64(blocks))}
	l.sq, l.cq = r.mem.at(l.q.sq, l.q.entries*64), r.mem.at(l.q.cq, l.q.entries*16)
	return l
}

// submit puts n commands into the queue and rings once.
func (l *loop) submit(n int) {
	q := l.q
	for range n {
		e := spec.SQEAt(l.sq, q.tail)
		l.cid++
		e.Begin(l.op, l.cid, 1)
		e.SetPRPs(busBase+1<<20, busBase+1<<20+4096)
		e.SetSLBA(l.rnd.Uint64N(l.span) * uint64(l.blocks))
		e.SetCDW12(l.blocks - 1)
		if q.tail++; q.tail == q.entries {
			q.tail = 0
		}
	}
	l.flying += n
	l.r.bell(1)
}

// reap consumes what is there.
func (l *loop) reap() int {
	q, n := l.q, 0
	for {
		d := spec.CQEAt(l.cq, q.head).Poll()
		if d.Phase() != q.phase {
			break
		}
		if !d.Status().OK() {
			panic(d.Status().String())
		}
		if q.head++; q.head == q.entries {
			q.head, q.phase = 0, !q.phase
		}
		n++
	}
	if n > 0 {
		l.r.c.Write32(spec.CQHeadDoorbell(1, 0), uint32(q.head))
	}
	l.flying -= n
	return n
}

// run carries out n commands at the given depth.
func (l *loop) run(n, depth int) {
	for done := 0; done < n; {
		if k := min(depth-l.flying, n-done-l.flying); k > 0 {
			l.submit(k)
		}
		for {
			if !l.r.w.Step() {
				break
			}
			if spec.CQEAt(l.cq, l.q.head).Poll().Phase() == l.q.phase {
				break
			}
		}
		done += l.reap()
	}
}

// benchFlash is like the default profile: 64 dies on 8 channels.
var benchFlash = flash.Config{
	Capacity: 64 << 30, Channels: 8, DiesPerChannel: 8, PageSize: 16384, Planes: 2, PagesPerBlock: 1152,
	ReadTime: 45 * us, ProgramTime: 560 * us, EraseTime: 5 * time.Millisecond, Jitter: 5,
	ChannelRate: 1_200_000_000, LinkRate: 6_500_000_000, CommandTime: 1100, Latency: 28 * us, Buffer: 32 << 20,
}

func TestNoAllocationsPerCommand(t *testing.T) {
	small := with(benchFlash, func(c *flash.Config) { c.Capacity = 64 << 20 })
	for name, c := range map[string]struct {
		m    makeMedium
		data nvme.DataMode
		op   uint8
	}{
		"null, sparse read":    {null, nvme.Sparse, spec.IORead},
		"null, sparse write":   {null, nvme.Sparse, spec.IOWrite},
		"null, discard":        {null, nvme.Discard, spec.IORead},
		"null, write zeroes":   {null, nvme.Sparse, spec.IOWriteZeroes},
		"flash read":           {flashOf(small), nvme.Discard, spec.IORead},
		"flash write":          {flashOf(small), nvme.Discard, spec.IOWrite},
		"flash write, sparse":  {flashOf(small), nvme.Sparse, spec.IOWrite},
		"flash, write through": {flashOf(with(small, func(c *flash.Config) { c.Buffer = 0 })), nvme.Discard, spec.IOWrite},
		"flash, write zeroes":  {flashOf(small), nvme.Discard, spec.IOWriteZeroes},
		"flash, lognormal": {flashOf(with(small, func(c *flash.Config) {
			c.ReadSpread = flash.Distribution{Shape: flash.Lognormal, Sigma: 200_000}
			c.ReadPages = [flash.MaxPageTypes]time.Duration{30 * us, 45 * us, 60 * us}
		})), nvme.Discard, spec.IORead},
	} {
		l := newLoop(t, nvme.Config{Capacity: 64 << 20, Data: c.data}, c.m, c.op, 16)
		l.run(40_000, 64) // grow pools, touch every chunk
		require.Zero(t, testing.AllocsPerRun(5, func() { l.run(2000, 64) }), name)
	}
}

func TestNoAllocationsPerAbort(t *testing.T) {
	small := with(benchFlash, func(c *flash.Config) { c.Capacity = 64 << 20 })
	l := newLoop(t, nvme.Config{Capacity: 64 << 20, Data: nvme.Discard, Slots: 16}, flashOf(small), spec.IORead, 8)
	asq, acq := l.r.mem.at(l.r.q[0].sq, 64*64), l.r.mem.at(l.r.q[0].cq, 64*16)
	aq := l.r.q[0]
	round := func() {
		l.submit(64)
		for i := range uint16(4) {
			e := spec.SQEAt(asq, aq.tail)
			e.Begin(spec.AdminAbort, i, 0)
			e.SetCDW10(spec.AbortCDW10(1, l.cid-i*16)) // executing and unfetched ones
			aq.tail = (aq.tail + 1) % aq.entries
		}
		l.r.bell(0)
		for l.r.w.Step() {
		}
		for {
			d := spec.CQEAt(acq, aq.head).Poll()
			if d.Phase() != aq.phase {
				break
			}
			if aq.head++; aq.head == aq.entries {
				aq.head, aq.phase = 0, !aq.phase
			}
		}
		l.r.c.Write32(spec.CQHeadDoorbell(0, 0), uint32(aq.head))
		for q := l.q; spec.CQEAt(l.cq, q.head).Poll().Phase() == q.phase; {
			if q.head++; q.head == q.entries {
				q.head, q.phase = 0, !q.phase
			}
		}
		l.r.c.Write32(spec.CQHeadDoorbell(1, 0), uint32(l.q.head))
		for l.r.w.Step() {
		}
	}
	for range 100 {
		round()
	}
	require.Zero(t, testing.AllocsPerRun(50, round))
	require.NotZero(t, l.r.c.Stats().Aborts.Aborted)
	l.r.checkIdentity()
}

func bench(b *testing.B, m makeMedium, cfg nvme.Config, op uint8, blocks, depth int) {
	l := newLoop(b, cfg, m, op, blocks)
	l.run(20_000, depth)
	b.ReportAllocs()
	b.ResetTimer()
	l.run(b.N, depth)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ios/s")
}

var discard64G = nvme.Config{Capacity: 64 << 30, Data: nvme.Discard}

func BenchmarkNullRead4KDepth32(b *testing.B) { bench(b, null, discard64G, spec.IORead, 8, 32) }
func BenchmarkNullRead4KDepth1(b *testing.B)  { bench(b, null, discard64G, spec.IORead, 8, 1) }
func BenchmarkFlashRead4KDepth128(b *testing.B) {
	bench(b, flashOf(benchFlash), discard64G, spec.IORead, 8, 128)
}
func BenchmarkFlashRead4KDepth1(b *testing.B) {
	bench(b, flashOf(benchFlash), discard64G, spec.IORead, 8, 1)
}
func BenchmarkFlashWrite4KDepth32(b *testing.B) {
	bench(b, flashOf(benchFlash), discard64G, spec.IOWrite, 8, 32)
}
func BenchmarkFlashWrite8KDepth32(b *testing.B) {
	bench(b, flashOf(benchFlash), discard64G, spec.IOWrite, 16, 32)
}
func BenchmarkSparseWrite4KDepth32(b *testing.B) {
	bench(b, null, nvme.Config{Capacity: 64 << 20}, spec.IOWrite, 8, 32)
}
