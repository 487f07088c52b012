package convert

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/traces"
)

var names = traces.Names{Volumes: []string{"a", "b"}}

// five records, one a second, of 4 KiB, 4 KiB apart.
func five() []traces.Record {
	recs := make([]traces.Record, 5)
	for i := range recs {
		recs[i] = traces.Record{Time: int64(i) * int64(time.Second), Offset: int64(i) * 4096, Length: 4096, CancelAfter: -1,
			Line: int64(i), Volume: uint32(i % 2), Op: traces.Op(i)}
	}
	recs[2].Offset, recs[2].Length = 0, 0 // the flush
	return recs
}

func lines(recs []traces.Record) []int64 {
	out := []int64{}
	for _, r := range recs {
		out = append(out, r.Line)
	}
	return out
}

func TestFiltersKeepWhatTheyNameAndCountTheRest(t *testing.T) {
	for _, c := range []struct {
		name string
		c    Config
		kept []int64
		left []traces.SkipCount
	}{
		{"nothing", Config{}, []int64{0, 1, 2, 3, 4}, nil},
		{"time", Config{From: time.Second, To: 3 * time.Second}, []int64{1, 2},
			[]traces.SkipCount{{Reason: "before the time range", Count: 1}, {Reason: "behind the time range", Count: 2}}},
		{"volume", Config{Volumes: []string{"b"}}, []int64{1, 3}, []traces.SkipCount{{Reason: "other volume", Count: 3}}},
		{"op", Config{Ops: []traces.Op{traces.Read, traces.Flush}}, []int64{0, 2}, []traces.SkipCount{{Reason: "other op", Count: 3}}},
		{"addresses", Config{Low: 4096, High: 12289}, []int64{1, 3}, []traces.SkipCount{{Reason: "outside of the address range", Count: 3}}},
		{"what touches", Config{Low: 4095, High: 4097}, []int64{0, 1}, []traces.SkipCount{{Reason: "outside of the address range", Count: 3}}},
		{"limit", Config{Limit: 2}, []int64{0, 1}, []traces.SkipCount{{Reason: "over the limit", Count: 3}}},
		{"shifted away", Config{TimeShift: -time.Second}, []int64{1, 2, 3, 4}, []traces.SkipCount{{Reason: "moved out of what a record can hold", Count: 1}}},
		{"offsets below 0", Config{OffsetShift: -4096}, []int64{1, 2, 3, 4}, []traces.SkipCount{{Reason: "moved out of what a record can hold", Count: 1}}},
		{"offsets beyond", Config{OffsetShift: math.MaxInt64 - 8192}, []int64{0, 1, 2}, []traces.SkipCount{{Reason: "moved out of what a record can hold", Count: 2}}},
	} {
		v := New(c.c)
		require.Equal(t, c.kept, lines(v.Apply(five(), names)), c.name)
		require.Equal(t, c.left, v.Left(), c.name)
		var sum int64
		for _, l := range v.Left() {
			sum += l.Count
		}
		require.EqualValues(t, 5, v.Kept()+sum)
		require.Equal(t, c.c.Limit > 0, v.Done())
	}
}

func TestShiftThenScale(t *testing.T) {
	got := New(Config{TimeShift: time.Second, TimeScale: 0.5, OffsetShift: 4096, OffsetScale: 1.5, Align: 4096}).Apply(five(), names)
	require.Equal(t, int64(500*time.Millisecond), got[0].Time)
	require.Equal(t, int64(2500*time.Millisecond), got[4].Time)
	require.EqualValues(t, 4096, got[0].Offset) // 6144, down to whole 4096
	require.EqualValues(t, 12288, got[1].Offset)
	require.Zero(t, got[2].Offset, "a flush has no place")
}

func TestConfigSaysWhatIsWrong(t *testing.T) {
	for _, c := range []Config{{From: 2, To: 1}, {Low: 2, High: 1}, {TimeScale: -1}, {TimeScale: math.NaN()}, {OffsetScale: 1e10}, {Limit: -1}, {Align: -1}, {From: -1}} {
		require.Error(t, c.Validate())
		require.Panics(t, func() { New(c) })
	}
}

func TestSplitGivesEachVolumeItsOwn(t *testing.T) {
	var s Split
	for range 2 {
		got := map[string][]int64{}
		err := s.Each(five(), names, func(v uint32, recs []traces.Record, one traces.Names) error {
			require.Equal(t, names.Volumes[v], one.Volumes[0])
			for _, r := range recs {
				require.Zero(t, r.Volume)
			}
			got[one.Volumes[0]] = lines(recs)
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, map[string][]int64{"a": {0, 2, 4}, "b": {1, 3}}, got)
	}
	stop := errors.New("stop")
	require.ErrorIs(t, s.Each(five(), names, func(uint32, []traces.Record, traces.Names) error { return stop }), stop)
}

func TestApplyDoesNotAllocate(t *testing.T) {
	v := New(Config{From: time.Second, Volumes: []string{"a"}, Ops: []traces.Op{traces.Flush}, TimeScale: 2})
	recs := five()
	v.Apply(five(), names)
	require.Zero(t, testing.AllocsPerRun(100, func() { v.Apply(recs, names) }))
}
