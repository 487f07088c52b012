package ebpf

import (
	"flag"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/stretchr/testify/require"
)

var cost = flag.Duration("cost", 0, "measure what the programs cost under a full load of so long, for TestCost")

// TestCost prints what each program takes, by the kernel's own account (which adds some
// 20 ns for each run: two readings of the clock). It asserts nothing about time.
func TestCost(t *testing.T) {
	if *cost == 0 {
		t.Skip("a measurement: ask with -cost 3s")
	}
	l := fastLoop(t, 64<<20)
	d, err := FindDevice(l.Path())
	require.NoError(t, err)
	for name, o := range map[string]Options{
		"events":          {},
		"events, apps":    {AppIDs: true},
		"requests":        {RequestsOnly: true},
		"histogram":       {Mode: Histogram},
		"histogram, Q+":   {Mode: Histogram, QueueTime: true},
		"histogram, log2": {Mode: Histogram, Buckets: Log2},
	} {
		each(t, func(t *testing.T, open func(Options) *Tracer) {
			o.Devices = []Device{d}
			tr := open(o)
			stats, err := ebpf.EnableStats(0)
			require.NoError(t, err)
			defer stats.Close()
			read := keep(tr)
			fio(t, l.Path(), *cost)
			require.NoError(t, tr.Stop(time.Second))
			_, _ = read()
			c, err := tr.Counts()
			require.NoError(t, err)
			total := time.Duration(0)
			for program, p := range tr.programs.Programs {
				s, err := p.Stats()
				require.NoError(t, err)
				if s.RunCount > 0 {
					t.Logf("%-16s %-28s %8d runs of %4d ns", name, program, s.RunCount, uint64(s.Runtime)/s.RunCount)
					total += s.Runtime
				}
			}
			t.Logf("%-16s %d I/Os, %d ns each; lost %d of %d", name, c.Requests, uint64(total)/max(c.Requests, 1), c.Lost, c.Started)
		})
	}
}
