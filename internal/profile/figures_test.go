package profile

import (
	"strings"
	"testing"
	"time"

	"blksim/device/nvme"
	"blksim/device/nvme/flash"
	"blksim/device/nvme/spec"
	"blksim/sim"

	"github.com/stretchr/testify/require"
)

// loop keeps depth operations in a medium: a host without queues.
type loop struct {
	m     nvme.Medium
	ops   []nvme.Op
	again []int
	next  func(op *nvme.Op)
	ended int
}

func (l *loop) Done(op *nvme.Op, _ spec.Status) {
	l.ended++
	l.again = append(l.again, op.Slot)
}

func (l *loop) Settle() {
	for _, i := range l.again {
		l.next(&l.ops[i])
		l.m.Begin(&l.ops[i])
	}
	l.again = l.again[:0]
}

// perSecond is how many operations of a size a preset does a second once it has
// settled: after the write buffer is full, if it is a write.
func perSecond(t *testing.T, name string, kind nvme.OpKind, size int64, depth int, sequential bool) float64 {
	name, state, _ := strings.Cut(name, " ")
	p, err := Load(name)
	require.NoError(t, err)
	switch state { // in which the figure was taken
	case "steady":
		p.Flash.Filled = flash.Random
	case "exhausted": // the SLC cache is full
		p.Flash.SLC, p.Flash.SLCProgramTime = 0, 0
	}
	w := sim.NewWorld(1, 1)
	m, cfg, err := p.Medium(w.Lane(0), w.Rand("media"), 0)
	require.NoError(t, err)
	rnd, at := w.Rand("offsets"), int64(0)
	l := &loop{m: m, ops: make([]nvme.Op, depth), next: func(op *nvme.Op) {
		op.Kind, op.Len = kind, size
		if op.Off = at; !sequential {
			op.Off = rnd.Int64N(cfg.Capacity/size) * size
		}
		at += size
	}}
	m.Attach(l, depth)
	w.Lane(0).Post(func() {
		for i := range l.ops {
			l.ops[i].Slot = i
			l.again = append(l.again, i)
		}
		l.Settle()
	})
	until := func(n int) { require.NoError(t, w.RunWhile(func() bool { return l.ended < n })) }
	warm := depth
	if kind == nvme.OpWrite && depth > 1 {
		warm += int(p.Flash.Buffer/size) * 3
	}
	until(warm)
	from, start := l.ended, w.Now()
	until(from + 4000)
	return float64(l.ended-from) / w.Now().Sub(start).Seconds()
}

func TestPresetsComeWithin15PercentOfTheFiguresThatTheyCite(t *testing.T) {
	const read, write = nvme.OpRead, nvme.OpWrite
	us := func(d float64) float64 { return 1e6 / d }
	for _, c := range []struct {
		name  string
		kind  nvme.OpKind
		size  int64
		depth int
		seq   bool
		want  float64 // operations a second
	}{
		{"tlc-enterprise", read, 128 << 10, 32, true, 6500e6 / (128 << 10)},
		{"tlc-enterprise", write, 128 << 10, 32, true, 3500e6 / (128 << 10)},
		{"tlc-enterprise", read, 4096, 512, false, 900_000},
		{"tlc-enterprise", read, 4096, 1, false, us(78)},
		{"tlc-enterprise steady", write, 4096, 256, false, 200_000},
		{"tlc-consumer exhausted", write, 128 << 10, 32, true, 500e6 / (128 << 10)},
		{"qlc", read, 128 << 10, 32, true, 1800e6 / (128 << 10)},
		{"qlc", write, 128 << 10, 32, true, 1800e6 / (128 << 10)},
		{"qlc", read, 4096, 512, false, 220_000},
		{"qlc", write, 4096, 512, false, 220_000},
		{"qlc exhausted", write, 128 << 10, 32, true, 100e6 / (128 << 10)},
		{"tlc-consumer", read, 128 << 10, 32, true, 3500e6 / (128 << 10)},
		{"tlc-consumer", write, 128 << 10, 32, true, 3000e6 / (128 << 10)},
		{"tlc-consumer", read, 4096, 1, false, 17_000},
		{"tlc-consumer", write, 4096, 1, false, 54_000},
		{"tlc-consumer", read, 4096, 512, false, 500_000},
		{"tlc-consumer", write, 4096, 512, false, 480_000},
		{"optane", read, 4096, 1, false, us(8.9)},
		{"optane", read, 4096, 16, false, 550_000},
		{"optane", write, 4096, 16, false, 500_000},
		{"optane", read, 128 << 10, 16, true, 2400e6 / (128 << 10)},
		{"slow", read, 4096, 32, false, 8000},
	} {
		got := perSecond(t, c.name, c.kind, c.size, c.depth, c.seq)
		t.Logf("%-22s kind %d %6d bytes, depth %3d: %9.0f a second, cited %9.0f (%+.0f%%), %v each",
			c.name, c.kind, c.size, c.depth, got, c.want, 100*(got/c.want-1), time.Duration(float64(c.depth)*1e9/got))
		require.InEpsilon(t, c.want, got, 0.15, "%+v", c)
	}
}
