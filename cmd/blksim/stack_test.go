package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/internal/report"
)

// Two legs are slow at moments of their own, so a second read spares the first
// the wait. All of it is in virtual time and the same on every machine.
func TestHedgedReadsOfAMirrorCutTheTail(t *testing.T) {
	plan := file(t, "spikes.plan", "spike chance=0.03 for=20ms\n")
	load := func(more ...string) *report.Run {
		r := runJSON(t, append([]string{"--rw=randread", "--rate_iops=2000", "--number_ios=1000", "--stack=mirror:2", "--faults=" + plan}, more...)...)
		require.True(t, r.Accounting.Balanced, r.Faults)
		require.EqualValues(t, r.Volume.Children, r.Device.Commands)
		require.EqualValues(t, r.Volume.IOs+r.Volume.HedgesIssued, r.Volume.Children)
		return r
	}
	plain, fixed, quantile := load(), load("--hedge=1ms:10%"), load("--hedge=p90:10%")
	require.Greater(t, plain.Ops["read"].LatencyNs.P99, int64(20e6))
	require.Zero(t, plain.Volume.HedgesIssued)
	for _, r := range []*report.Run{fixed, quantile} {
		require.Less(t, r.Ops["read"].LatencyNs.P99, int64(2e6), r.Setup.Hedge)
		v := r.Volume
		require.Positive(t, v.HedgesWon)
		require.Equal(t, v.HedgesIssued, v.LosersCancelled+v.LosersLate)
		require.LessOrEqual(t, v.HedgesIssued, v.IOs/10+16, "the budget")
		require.Equal(t, v.LosersCancelled, r.Device.Aborts.Aborted)
	}
	require.Equal(t, fixed, load("--hedge=1ms:10%"))

	// Without a cancel callback the losers are done all the same, and waited for.
	late := load("--hedge=1ms:10%", "--driver=nvme,callback=off").Volume
	require.Positive(t, late.LosersLate)
	require.Equal(t, late.HedgesIssued, late.LosersCancelled+late.LosersLate)
}

func TestVolumesKeepTheirData(t *testing.T) {
	for _, args := range [][]string{
		{"--stack=stripe:3"}, {"--stack=stripe:3:4KiB", "--deadline=200us"}, {"--stack=mirror:2"}, {"--stack=mirror:2", "--device=ram", "--capacity=8m"},
		{"--stack=mirror:3", "--hedge=100us:50%", "--cancel=random:0.2:200us"}, {"--stack=linear:2", "--device=ram", "--capacity=2m"},
		{"--stack=stripe:2:8KiB", "--queues=2", "--numjobs=2", "--offset_increment=2m", "--realtime"},
	} {
		r := runJSON(t, append([]string{"--rw=randrw", "--bs=16k", "--verify=crc32c", "--verify_interval=4k", "--size=2m", "--io_size=4m", "--iodepth=16"}, args...)...)
		require.True(t, r.Accounting.Balanced, "%v: %v", args, r.Faults)
		require.Zero(t, r.Verify.Bad, args)
		require.Greater(t, r.Verify.Checked, int64(300), args)
		require.Positive(t, r.Volume.Children, args)
	}
}

// TestAReplayOverAVolumeAddsUp with cancels at every stage and faults on all disks.
func TestAReplayOverAVolumeAddsUp(t *testing.T) {
	records := 3000
	if testing.Short() {
		records = 800
	}
	part := head(t, sample, records)
	plan := file(t, "bad.plan", "read-error chance=0.01\nspike chance=0.02 for=5ms\nduplicate count=3\n")
	for _, args := range [][]string{
		{"--stack=linear:2", "--scheduler=mq-deadline", "--queue-depth=4"},
		{"--stack=stripe:4:16KiB", "--queues=2"},
		{"--stack=mirror:2", "--hedge=p95", "--timing=afap", "--cancel=none"},
	} {
		runs := replayJSON(t, append(args, "--device=sim:slow", "--redirect=wrap", "--deadline=2ms", "--faults="+plan,
			"--driver=nvme", "--driver=nvme,callback=off", "--baseline", part)...)
		require.Len(t, runs, 3)
		for _, r := range runs {
			require.True(t, r.Accounting.Balanced, "%v: %v", args, r.Faults)
			require.Equal(t, r.Accounting.Requests.Submitted, r.Volume.IOs)
			require.Equal(t, args[0], "--stack="+r.Setup.Stack)
			require.Positive(t, r.Injected[1].Hits)
		}
	}
	merged := []string{"merge"}
	for _, more := range []string{"--stack=mirror:2", "--seed=2"} {
		out := file(t, "r.json", "")
		code, _, errs := blksim("replay", "--output-format=json", "--output="+out, "--redirect=wrap", more, part)
		require.Zero(t, code, errs)
		merged = append(merged, out)
	}
	code, out, errs := blksim(merged...)
	require.Zero(t, code, errs)
	m := decode(t, out)[0]
	require.True(t, m.Accounting.Balanced, "a volume and a disk: %v", m.Faults)
	require.Less(t, m.Volume.IOs, m.Accounting.Requests.Submitted)
}

// A hang that no timeout ends keeps only the loser; its cancel ends that.
func TestAHedgeIsNotHeldUpByALegThatHangs(t *testing.T) {
	plan := file(t, "hang.plan", "hang count=1 after=5ms\n")
	r := runJSON(t, "--rw=randread", "--number_ios=500", "--stack=mirror:2", "--hedge=1ms", "--faults="+plan)
	require.True(t, r.Accounting.Balanced, r.Faults)
	require.EqualValues(t, 500, r.Accounting.Requests.Completed)
	require.EqualValues(t, 2, r.Injected[0].Hits, "a plan is each disk's own")
}

func TestTheTableSaysWhatWasStacked(t *testing.T) {
	code, out, errs := blksim("run", "--rw=randread", "--number_ios=200", "--stack=mirror:2", "--hedge=50us:20%", "--no-progress")
	require.Zero(t, code, errs)
	flat := strings.Join(strings.Fields(out), " ")
	require.Contains(t, flat, "stack mirror:2: each disk is a device of its own, with those queues; reads hedged: 50us:20%")
	require.Contains(t, out, "hedged reads")
	_, out, _ = blksim("run", "--rw=randread", "--number_ios=200", "--no-progress")
	require.NotContains(t, out, "volume")
	require.NotContains(t, out, "stack ")
}

func TestStacksThatCannotBeAreRefused(t *testing.T) {
	for _, c := range [][]string{
		{`no such layout`, "--stack=raid5:3"}, {"2 to 16 disks", "--stack=mirror:1"}, {"only a mirror has a second leg", "--hedge=1ms"},
		{"only a mirror", "--stack=stripe:2", "--hedge=p95"}, {"p0.1 to p99.9", "--stack=mirror:2", "--hedge=p100"},
		{"multiple of the block size", "--stack=stripe:2:1000"}, {"3 disks want", "--stack=linear:3", "--device=ram", "--capacity=8GiB"},
		{"the driver has 1", "--stack=mirror:2", "--device=ram", "--queues=2"},
	} {
		code, _, errs := blksim(append([]string{"run", "--rw=read", "--number_ios=1"}, c[1:]...)...)
		require.Equal(t, exitUsage, code, errs)
		require.Contains(t, errs, c[0])
	}
}
