package flash

import (
	"math"
	"runtime"
	"testing"
	"time"

	"blksim/device/nvme"
	"blksim/device/nvme/spec"
	"blksim/sim"

	"github.com/stretchr/testify/require"
)

// full is a small drive with garbage collection: 64 MiB, superblocks of 512 KiB.
var full = Config{
	Capacity: 64 << 20, Channels: 2, DiesPerChannel: 2, PageSize: 16384, Planes: 1, PagesPerBlock: 8,
	ReadTime: 50 * time.Microsecond, ProgramTime: 200 * time.Microsecond, EraseTime: time.Millisecond,
	ChannelRate: 1 << 30, LinkRate: 4 << 30, CommandTime: time.Microsecond, Latency: 5 * time.Microsecond,
	Buffer: 512 << 10, OverProvision: 15,
}

// writer keeps writes in a drive.
type writer struct {
	f    *Flash
	ops  []nvme.Op
	next func() int64 // unit
	left int
	idle []int
}

func (h *writer) Done(op *nvme.Op, _ spec.Status) { h.idle = append(h.idle, op.Slot) }
func (h *writer) Settle() {
	for _, i := range h.idle {
		if h.left > 0 {
			h.left--
			h.ops[i] = nvme.Op{Kind: nvme.OpWrite, Slot: i, Off: h.next() * Unit, Len: Unit}
			h.f.Begin(&h.ops[i])
		}
	}
	h.idle = h.idle[:0]
}

// write writes n units, one each, says how long that took, and checks the drive.
func write(t testing.TB, w *sim.World, f *Flash, n int, next func() int64) time.Duration {
	defer checkBlocks(t, f)
	return writeOnly(t, w, f, n, next)
}

func writeOnly(t testing.TB, w *sim.World, f *Flash, n int, next func() int64) time.Duration {
	h := &writer{f: f, ops: make([]nvme.Op, 32), next: next, left: n}
	for i := range h.ops {
		h.idle = append(h.idle, i)
	}
	if f.host == nil {
		f.Attach(h, len(h.ops))
	}
	f.host = h
	start := w.Now()
	w.Lane(0).Post(h.Settle)
	require.NoError(t, w.Run())
	return w.Now().Sub(start)
}

// checkBlocks holds the counts of valid units to the mapping, and the mapping to
// what the superblocks remember.
func checkBlocks(t testing.TB, f *Flash) {
	b := f.blocks
	valid := make([]int64, len(b.all))
	for u := range f.unitCount() {
		switch v := f.units.get(u); {
		case v == trimmed:
		case v == unwritten && b.before.kind != Empty:
			i, slot := b.before.find(u)
			valid[i]++
			require.Nil(t, b.all[i].slots, "unit %d lies in a superblock that was erased", u)
			got, ok := b.before.unit(i, slot)
			require.True(t, ok && got == u)
		case v != unwritten:
			row := v.row()
			valid[row/b.rows]++
			slots := b.all[row/b.rows].slots[row%b.rows*f.rowUnits:][:f.rowUnits]
			require.Contains(t, slots, uint32(u))
		}
	}
	for i := range b.all {
		require.Equal(t, valid[i], b.all[i].valid, "superblock %d", i)
		require.LessOrEqual(t, valid[i], b.units)
	}
	require.NotEmpty(t, b.free)
}

func amplification(f *Flash, before nvme.MediumStats, units int) float64 {
	return 1 + float64(f.stats.RelocatedBytes-before.RelocatedBytes)/float64(units*Unit)
}

func newFull(t testing.TB, edit func(c *Config)) (*sim.World, *Flash) {
	cfg := full
	if testing.Short() {
		cfg.Capacity /= 4
	}
	edit(&cfg)
	w := sim.NewWorld(1, 1)
	f, err := New(w.Lane(0), w.Rand("media"), cfg)
	require.NoError(t, err)
	return w, f
}

// theory is the write amplification of uniformly random writes under first-in,
// first-out collection with spare part 1-rho: 1/(1-x) where (1-x)/-ln(x) = rho.
func theory(rho float64) float64 {
	lo, hi := 1e-9, 1-1e-9
	for range 100 {
		if x := (lo + hi) / 2; (1-x)/-math.Log(x) < rho {
			lo = x
		} else {
			hi = x
		}
	}
	return 1 / (1 - lo)
}

func TestFullDriveShowsItsWriteAmplificationUnderRandomWrites(t *testing.T) {
	for _, filled := range []State{Empty, Sequential, Random} {
		w, f := newFull(t, func(c *Config) { c.Filled = filled })
		units := f.unitCount()
		rnd := w.Rand("units")
		random := func() int64 { return rnd.Int64N(units) }
		if filled != Random {
			at := int64(0)
			write(t, w, f, int(units), func() int64 { at++; return at - 1 })
			write(t, w, f, 4*int(units), random)
		}
		before := f.stats
		n := int(units)
		write(t, w, f, n, random)
		got := amplification(f, before, n)
		b := f.blocks
		usable := float64((int64(len(b.all)) - lowWater - 1) * b.units)
		want := theory(float64(units) / usable)
		t.Logf("state %d: write amplification %.2f, theory %.2f", filled, got, want)
		require.InEpsilon(t, want, got, 0.20)
	}
}

func TestSequentialWritesAreNotAmplified(t *testing.T) {
	w, f := newFull(t, func(c *Config) { c.Filled = Sequential })
	units, at := f.unitCount(), int64(0)
	write(t, w, f, int(3*units), func() int64 { at++; return (at - 1) % units })
	require.Less(t, amplification(f, nvme.MediumStats{}, int(3*units)), 1.02)
}

func TestMoreRoomMeansLessAmplificationAndMoreSpeed(t *testing.T) {
	last, lastTime := 100.0, time.Hour
	for _, op := range []int{7, 15, 28, 60} {
		w, f := newFull(t, func(c *Config) { c.Filled, c.OverProvision = Random, op })
		rnd := w.Rand("units")
		n := int(f.unitCount() / 2)
		d := write(t, w, f, n, func() int64 { return rnd.Int64N(f.unitCount()) })
		wa := amplification(f, nvme.MediumStats{}, n)
		require.Less(t, wa, last)
		require.Less(t, d, lastTime)
		last, lastTime = wa, d
	}
	require.Less(t, last, 1.8)
}

func TestTrimmedDriveHasNothingToCopy(t *testing.T) {
	for _, filled := range []State{Sequential, Random} {
		for _, whole := range []bool{true, false} {
			w, f := newFull(t, func(c *Config) { c.Filled = filled })
			write(t, w, f, 1000, func() int64 { return 77 })
			trim := func(off, n int64) { f.blocks.trim(off, n); f.units.trim(off, n) }
			if whole {
				trim(0, f.cfg.Capacity)
			} else {
				third := f.cfg.Capacity / 3 / Unit * Unit
				trim(0, third+5)
				trim(third, f.cfg.Capacity-third)
			}
			checkBlocks(t, f)
			before, at := f.stats, int64(0)
			write(t, w, f, int(f.unitCount()/2), func() int64 { at++; return at - 1 })
			require.Less(t, amplification(f, before, int(f.unitCount()/2)), 1.01)
		}
	}
}

func TestFillIsAOneToOneFormula(t *testing.T) {
	for _, kind := range []State{Sequential, Random} {
		for _, units := range []int64{1000, 4096, 100_003} {
			const size = 128
			blocks := units*115/100/size + 1
			p := newFill(kind, units, size, blocks)
			seen := map[[2]int64]bool{}
			for u := range units {
				i, slot := p.find(u)
				require.False(t, seen[[2]int64{i, slot}])
				seen[[2]int64{i, slot}] = true
				got, ok := p.unit(i, slot)
				require.True(t, ok && got == u, "unit %d", u)
			}
			sum := int64(0)
			for i := range blocks {
				require.LessOrEqual(t, p.held(i), int64(size))
				sum += p.held(i)
			}
			require.Equal(t, units, sum)
		}
	}
}

// TestLargeDrivesAreReadyAtOnce: the state of a filled drive is a formula.
func TestLargeDrivesAreReadyAtOnce(t *testing.T) {
	w := sim.NewWorld(1, 1)
	cfg := full
	cfg.Capacity, cfg.Filled, cfg.Channels, cfg.DiesPerChannel, cfg.PagesPerBlock = 512<<30, Random, 8, 8, 1152
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f, err := New(w.Lane(0), w.Rand("media"), cfg)
	require.NoError(t, err)
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(8<<20), "of the 64 MB that a 512 GiB device may take")
	require.EqualValues(t, 512<<30/Unit, f.unitCount())
}
