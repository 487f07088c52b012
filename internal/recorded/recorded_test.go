package recorded_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/internal/recorded"
	"blksim/internal/report"
	"blksim/traces"
)

func read(t *testing.T, text string, o traces.Options) (*report.Run, error) {
	t.Helper()
	rd, err := traces.NewReader(strings.NewReader(text), "x.blk", o)
	require.NoError(t, err)
	defer rd.Close()
	return recorded.Read(rd, nil)
}

func TestEachRecordWithACompletionIsAnIO(t *testing.T) {
	r, err := read(t, `blksim trace 1
0 R 0 4096 issued=0.000010000 completed=0.000100000
0.001 R 4096 4096 completed=0.000300000
0.002 W 0 512 issued=0.000020000 completed=0.000200000 status=5
0.003 W 0 512
0.004 F 0 0 issued=0.000001000 completed=0.000050000
0.005 W 0 512 completed=0.000200000 status=125
`, traces.Options{})
	require.NoError(t, err)
	r.Balance()
	require.True(t, r.Accounting.Records.In == 6 && r.Accounting.Records.Replayed == 5, "%+v", r.Accounting.Records)
	require.EqualValues(t, 5, r.Accounting.Requests.Submitted)
	require.EqualValues(t, 3, r.Accounting.Requests.Completed)
	require.EqualValues(t, 1, r.Accounting.Requests.Failed)
	require.EqualValues(t, 1, r.Accounting.Requests.Cancelled.Aborted)
	require.EqualValues(t, 5_200_000, r.ElapsedNs)
	reads := r.Ops["read"]
	require.EqualValues(t, 2, reads.LatencyNs.Count)
	require.EqualValues(t, 100_000, reads.LatencyNs.Min)
	require.EqualValues(t, 300_000, reads.LatencyNs.Max)
	require.EqualValues(t, 1, reads.QueueNs.Count)
	require.EqualValues(t, 10_000, reads.QueueNs.Max)
	require.EqualValues(t, 90_000, reads.DeviceNs.Max)
	odd := strings.Join(r.Odd, "\n")
	for _, says := range []string{"1 record without a completion time", "1 record without an issue time", "1 record with an error"} {
		require.Contains(t, odd, says)
	}
	var completed int64
	for i := range r.Series.Reads {
		completed += r.Series.Reads[i] + r.Series.Writes[i] + r.Series.Others[i]
	}
	require.EqualValues(t, 3, completed)
}

func TestATraceWithoutLatenciesIsRefused(t *testing.T) {
	_, err := read(t, "blksim trace 1\n0 R 0 4096\n1 W 0 4096\n", traces.Options{})
	require.ErrorIs(t, err, recorded.ErrNoLatencies)
	require.ErrorContains(t, err, "x.blk")
	require.ErrorContains(t, err, "2 records of format blksim")
}

func TestTimesBeforeTheFirstRecordCountFromIt(t *testing.T) {
	r, err := read(t, "blksim trace 1\n5 R 0 4096 completed=0.001\n4 R 0 4096 completed=0.002\n", traces.Options{Order: traces.AsIs})
	require.NoError(t, err)
	require.EqualValues(t, 2, r.Accounting.Requests.Completed)
	require.EqualValues(t, 2_000_000, r.Ops["read"].LatencyNs.Max)
}

func TestABadRecordEndsTheRecordingWithItsError(t *testing.T) {
	r, err := read(t, "blksim trace 1\n0 R 0 4096 completed=0.001\n1 R x 4096\n", traces.Options{})
	var bad *traces.Error
	require.ErrorAs(t, err, &bad)
	require.True(t, r.Partial)
	require.EqualValues(t, 1, r.Accounting.Requests.Completed)
}
