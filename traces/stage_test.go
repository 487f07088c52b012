package traces

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// stackedTrace is n I/Os as dm-0 and sda log them, sda's some us later and shifted by
// a partition, with others of sdb between them.
func stackedTrace(n int) string {
	var b strings.Builder
	b.WriteString("blksim trace 1\n")
	for i := range n {
		us, off := i*1000, i*7919%100_000*4096
		fmt.Fprintf(&b, "%d.%06d W %d 4096 vol=dm-0\n", us/1e6, us%1e6, off)
		fmt.Fprintf(&b, "%d.%06d R %d 8192 vol=sdb\n", (us+3)/1e6, (us+3)%1e6, i%37*4096)
		fmt.Fprintf(&b, "%d.%06d W %d 4096 vol=sda\n", (us+10+i%20)/1e6, (us+10+i%20)%1e6, off+1<<20)
	}
	return b.String()
}

func TestStackedDevicesAreFoundAndSaid(t *testing.T) {
	note := `100 % of the first records of volume "sda" repeat one of volume "dm-0", 1048576 bytes on, within 100µs: stacked devices logged them twice; the option dedup-stacked keeps one of each`
	for _, n := range []int{100, 3000} {
		out := read(t, stackedTrace(n), Options{})
		require.Len(t, out.recs, 3*n)
		require.Contains(t, out.stats.Notes, note)

		out, err := readBoth(t, []byte(stackedTrace(n)), Options{DedupStacked: true})
		require.NoError(t, err)
		require.Len(t, out.recs, 2*n)
		require.Equal(t, []SkipCount{{"stacked copy", int64(n)}}, out.stats.Skipped)
		for _, r := range out.recs {
			require.NotEqual(t, "sda", out.volumes[r.Volume])
		}
	}
}

func TestTheSameOffsetTwiceOnOneVolumeIsAStackIfManyAre(t *testing.T) {
	var twice, often strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&twice, "0,%d,8192,W,%d.000100\n0,%d,8192,W,%d.000115\n", i*99, i, i*99, i)
		fmt.Fprintf(&often, "0,%d,8192,W,%d.000100\n0,%d,8192,W,%d.000115\n", i*99, i, i*99+i%10, i) // one in ten
	}
	out := read(t, twice.String(), Options{DedupStacked: true})
	require.Len(t, out.recs, 1000)
	out = read(t, often.String(), Options{DedupStacked: true})
	require.Len(t, out.recs, 2000)
	for _, n := range out.stats.Notes {
		require.NotContains(t, n, "stacked")
	}
}

func TestSequentialStreamsAreNoStack(t *testing.T) {
	var b strings.Builder
	b.WriteString("blksim trace 1\n")
	for i := range 2000 {
		fmt.Fprintf(&b, "0.%09d R %d 4096 vol=%c\n", i*10_000, i/2*4096, "ab"[i%2]) // each by itself, at the same place
	}
	// Two streams in step look like a stack, and are said to be one: nothing in the
	// trace tells them apart. Out of step they do not.
	require.Contains(t, strings.Join(read(t, b.String(), Options{}).stats.Notes, "\n"), "stacked")
	b.Reset()
	b.WriteString("blksim trace 1\n")
	for i := range 2000 {
		fmt.Fprintf(&b, "0.%09d R %d 4096 vol=%c\n", i*10_000, i*4096*(1+i%2*i), "ab"[i%2])
	}
	require.NotContains(t, strings.Join(read(t, b.String(), Options{}).stats.Notes, "\n"), "stacked")
}

func TestWholeSecondsAreSpreadWhenAskedFor(t *testing.T) {
	data := "100,0,1,0,1\n100,8,1,0,1\n100,16,1,0,1\n100,24,1,0,1\n102,0,1,1,1\n102,0,1,1,1\n"
	out, err := readBoth(t, []byte(data), Options{SpreadSeconds: true})
	require.NoError(t, err)
	var times []int64
	for _, r := range out.recs {
		times = append(times, r.Time)
	}
	require.Equal(t, []int64{0, 250 * ms, 500 * ms, 750 * ms, 2 * s, 2500 * ms}, times)
	require.Equal(t, []string{"records that share a whole second were spread over it"}, out.stats.Notes)

	var b strings.Builder
	const n = 2*maxGroup + 10
	for range n {
		b.WriteString("100,0,1,0,1\n")
	}
	b.WriteString("101,0,1,0,1\n")
	out = read(t, b.String(), Options{SpreadSeconds: true})
	require.Len(t, out.recs, n+1)
	require.Contains(t, out.stats.Notes, "1 seconds have more than 65536 records: their first ones were spread over the first half")
	require.Less(t, out.recs[n-1].Time, s)

	out = read(t, "0,1,512,R,1.0\n0,1,512,R,1.0\n0,1,512,R,2.5\n0,1,512,R,3.0\n", Options{SpreadSeconds: true})
	require.Contains(t, out.stats.Notes, "not every time is a whole second: nothing is spread from there on")
	require.Equal(t, []int64{0, 0}, []int64{out.recs[0].Time, out.recs[1].Time})
}
