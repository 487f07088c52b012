package ebpf

import (
	"flag"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

var cost = flag.Duration("cost", 0, "measure what the programs cost under a full load of so long, for TestCost")

// TestCost prints what each program takes, by the kernel's own account (which adds some
// 45 ns to each run: two readings of the clock). It asserts nothing about time. Runs for
// other devices than the traced one are among them, and short: a machine with no other I/O
// tells more.
func TestCost(t *testing.T) {
	if *cost == 0 {
		t.Skip("a measurement: ask with -cost 3s")
	}
	l := fastLoop(t, 64<<20)
	d, err := FindDevice(l.Path())
	require.NoError(t, err)
	for name, o := range map[string]Options{
		"events":           {},
		"events-apps":      {AppIDs: true},
		"requests":         {RequestsOnly: true},
		"histogram":        {Mode: Histogram},
		"histogram-queue":  {Mode: Histogram, QueueTime: true},
		"histogram-powers": {Mode: Histogram, Buckets: Log2},
	} {
		t.Run(name, func(t *testing.T) {
			o.Devices = []Device{d}
			each(t, func(t *testing.T, open func(Options) *Tracer) { costOf(t, open(o), l.Path()) })
		})
	}
}

func costOf(t *testing.T, tr *Tracer, device string) {
	stats, err := ebpf.EnableStats(uint32(unix.BPF_STATS_RUN_TIME))
	require.NoError(t, err)
	defer stats.Close()
	read := keep(tr)
	fio(t, device, *cost)
	require.NoError(t, tr.Stop(time.Second))
	_, _ = read()
	c, err := tr.Counts()
	require.NoError(t, err)
	for program, p := range tr.programs.Programs {
		s, err := p.Stats()
		require.NoError(t, err)
		if s.RunCount > 0 {
			t.Logf("%-28s %8d runs of %4d ns", program, s.RunCount, uint64(s.Runtime)/s.RunCount)
		}
	}
	t.Logf("%d requests; lost %d of %d bios", c.Requests, c.Lost, c.Started)
}
