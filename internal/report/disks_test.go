package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDisksAndStuckIOsOfMergedRunsAddUp(t *testing.T) {
	part := func(path string, errors int64, ages ...int64) *Run {
		r := &Run{Ops: map[string]OpRun{}, Disks: []RealDisk{{Path: path, RealPath: path, Engine: "sync", Errors: map[string]int64{"input/output error": errors},
			Short: 1, Cancels: KernelCancels{Asked: 2, NotFound: 2}}}}
		for _, age := range ages {
			r.Stuck = append(r.Stuck, StuckIO{AgeNs: age})
		}
		r.Accounting.Requests.Submitted, r.Accounting.Requests.Stuck = int64(len(ages)), int64(len(ages))
		r.Accounting.Records.In, r.Accounting.Records.Replayed = int64(len(ages)), int64(len(ages))
		return r
	}
	a := part("/dev/a", 3, 50, 10)
	all, err := Merge([]*Run{a, part("/dev/a", 4, 70), part("/dev/b", 5)}, false)
	require.NoError(t, err)
	require.Len(t, all.Disks, 2)
	require.EqualValues(t, 7, all.Disks[0].Errors["input/output error"])
	require.EqualValues(t, 2, all.Disks[0].Short)
	require.Equal(t, KernelCancels{Asked: 4, NotFound: 4}, all.Disks[0].Cancels)
	require.EqualValues(t, 5, all.Disks[1].Errors["input/output error"])
	require.Equal(t, []StuckIO{{AgeNs: 70}, {AgeNs: 50}, {AgeNs: 10}}, all.Stuck)
	require.EqualValues(t, 3, a.Disks[0].Errors["input/output error"], "what was merged stays as it was")
}

func TestATableShowsTheOldestStuckIOs(t *testing.T) {
	r := &Run{}
	for i := range 30 {
		r.Stuck = append(r.Stuck, StuckIO{ID: "1#2", Op: "read", Offset: 8192, LBA: 16, Bytes: 4096, AgeNs: int64(30-i) * 1e9, Stage: "device"})
	}
	r.Accounting.Requests.Stuck = 2000
	var b bytes.Buffer
	writeStuck(&b, r, false)
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	require.Len(t, lines, shownStuck+1)
	require.Equal(t, "STUCK    1#2 read of 4 KiB at byte 8192 (LBA 16): for 30.0 s, with the device", lines[0])
	require.Equal(t, "STUCK    and 1,990 more, of which the JSON has 20", lines[shownStuck])
}
