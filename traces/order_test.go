package traces

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// mqsimAt is a trace with one record at each time, in ns.
func mqsimAt(times ...int64) string {
	var b strings.Builder
	for i, t := range times {
		fmt.Fprintf(&b, "%d 0 %d 8 1\n", t, i)
	}
	return b.String()
}

func times(recs []Record) []int64 {
	out := make([]int64, len(recs))
	for i, r := range recs {
		out[i] = r.Time
	}
	return out
}

func TestSortRestoresTheOrderWithinTheWindow(t *testing.T) {
	out, err := readBoth(t, []byte(mqsimAt(1000, 3000, 2000, 2000, 1500, 4000)), Options{})
	require.NoError(t, err)
	require.NoError(t, out.err)
	require.Equal(t, []int64{0, 500, 1000, 1000, 2000, 3000}, times(out.recs))
	require.EqualValues(t, 3, out.stats.OutOfOrder)
	// Records of one time keep the order of the file.
	require.Equal(t, []int64{1, 5, 3, 4, 2, 6}, lines(out.recs))
}

func lines(recs []Record) []int64 {
	out := make([]int64, len(recs))
	for i, r := range recs {
		out[i] = r.Line
	}
	return out
}

func TestSortTakesTheEarliestTimeAsTheOrigin(t *testing.T) {
	out := read(t, mqsimAt(3000, 1000, 2000), Options{})
	require.Equal(t, []int64{0, 1000, 2000}, times(out.recs))
}

func TestTimeThatGoesBackBeyondTheWindowIsAnError(t *testing.T) {
	data := mqsimAt(0, 5*s, 10*s, 1*s, 11*s)
	out, err := readBoth(t, []byte(data), Options{})
	require.NoError(t, err)
	require.EqualError(t, out.err, "t:4: time 1.000000000: want at least 5.000000000, the time of line 2 (the order is restored within 1s or 65536 records)")
	require.Equal(t, []int64{0, 5 * s, 10 * s}, times(out.recs))

	out, err = readBoth(t, []byte(data), Options{OnError: Skip})
	require.NoError(t, err)
	require.Equal(t, []int64{0, 5 * s, 10 * s, 11 * s}, times(out.recs))
	require.EqualValues(t, 1, out.stats.Rejected)
	require.EqualValues(t, 1, out.stats.OutOfOrder)

	out = read(t, data, Options{Window: 20 * time.Second})
	require.NoError(t, out.err)
	require.Equal(t, []int64{0, 1 * s, 5 * s, 10 * s, 11 * s}, times(out.recs))

	out = read(t, mqsimAt(0, 5, 10, 15, 1), Options{WindowRecords: 2})
	require.EqualError(t, out.err, "t:5: time 0.000000001: want at least 0.000000010, the time of line 3 (the order is restored within 1s or 2 records)",
		"the window is bounded in records too")
}

func TestRejectTakesNoTimeThatGoesBack(t *testing.T) {
	out, err := readBoth(t, []byte(mqsimAt(1000, 3000, 2000, 4000)), Options{Order: Reject})
	require.NoError(t, err)
	require.EqualError(t, out.err, "t:3: time 0.000001000: want at least 0.000002000, the time of line 2 (times are not to go back)")
	require.Equal(t, []int64{0, 2000}, times(out.recs))
	out, err = readBoth(t, []byte(mqsimAt(1000, 3000, 2000, 4000)), Options{Order: Reject, OnError: Skip})
	require.NoError(t, err)
	require.Equal(t, []int64{0, 2000, 3000}, times(out.recs))
}

func TestAsIsKeepsTheOrderOfTheFile(t *testing.T) {
	out, err := readBoth(t, []byte(mqsimAt(1000, 3000, 500, 4000)), Options{Order: AsIs})
	require.NoError(t, err)
	require.NoError(t, out.err)
	require.Equal(t, []int64{0, 2000, -500, 3000}, times(out.recs))
	require.EqualValues(t, 1, out.stats.OutOfOrder)
}

func TestANoteSaysWhatBecameOfRecordsOutOfOrder(t *testing.T) {
	one, two := mqsimAt(1000, 3000, 2000, 4000), mqsimAt(0, 5*s, 10*s, 1*s, 10*s-1, 11*s)
	for _, c := range []struct {
		data, want string
		o          Options
	}{
		{one, "1 record was out of time order: sorted into place", Options{}},
		{mqsimAt(1000, 3000, 2000, 2000, 1500), "3 records were out of time order: sorted into place", Options{}},
		{one, "1 record was out of time order: taken as they come", Options{Order: AsIs}},
		{one, "1 record was out of time order: rejected", Options{Order: Reject, OnError: Skip}},
		{two, "2 records were out of time order: 1 sorted into place, 1 rejected", Options{OnError: Skip}},
	} {
		out, err := readBoth(t, []byte(c.data), c.o)
		require.NoError(t, err)
		require.Contains(t, out.stats.Notes, c.want)
	}
	require.NotContains(t, strings.Join(read(t, mqsimAt(1, 2, 2), Options{}).stats.Notes, " "), "order")
}

// The window must give what a stable sort gives, wherever no record is further from
// its place than the window reaches.
func TestWindowEqualsAStableSort(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		n := 1 + rng.IntN(400)
		jitter := int64(1 + rng.IntN(200))
		at := make([]int64, n)
		for i := range at {
			at[i] = int64(i)*10 + rng.Int64N(jitter)
		}
		want := make([]int64, n)
		for i := range want {
			want[i] = int64(i)
		}
		slices.SortStableFunc(want, func(a, b int64) int { return int(at[a] - at[b]) })

		w := window{span: jitter, max: 1 << 20}
		var got []int64
		var rec Record
		newest := int64(-1)
		for i, tm := range at {
			r := Record{Time: tm, Line: int64(i)}
			if tm >= newest {
				newest = tm
				*w.slot() = r
				w.keep(tm)
			} else {
				w.pushLate(&r)
			}
			for w.ready() {
				w.pop(&rec)
				got = append(got, rec.Line)
			}
		}
		for w.len() > 0 {
			w.pop(&rec)
			got = append(got, rec.Line)
		}
		require.Equal(t, want, got, "round %d", round)
	}
}

// A reversed trace is the worst case of a window: each record comes before all the
// others in it.
func TestAReversedTraceIsSortedInReasonableTime(t *testing.T) {
	const n = 60_000
	at := make([]int64, n)
	for i := range at {
		at[i] = int64(n - i)
	}
	start := time.Now()
	out := read(t, mqsimAt(at...), Options{})
	require.NoError(t, out.err)
	require.Len(t, out.recs, n)
	require.EqualValues(t, n-1, out.stats.OutOfOrder)
	require.Less(t, time.Since(start), 20*time.Second) // insertion takes minutes
}
