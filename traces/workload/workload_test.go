package workload

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/traces"
)

func bursty() Profile {
	p := Default()
	p.Duration = Duration(60 * time.Second)
	p.Arrivals = Arrivals{Process: Poisson, Rate: 200, BurstEvery: Duration(time.Second), BurstLength: Duration(50 * time.Millisecond), BurstRate: 8000}
	p.Addresses = Addresses{Capacity: 16 << 30, Align: 4096, Sequential: 0.25, Pattern: Zipf, Regions: 1024, Touched: 300, Skew: 1.2}
	p.Ops = Ops{Read: 0.6, Flush: 0.02, Discard: 0.01}
	p.Sizes = Sizes{Read: []Size{{4096, 0.75}, {65536, 0.25}}, Write: []Size{{8192, 1}}}
	return p
}

func fitted(t *testing.T, recs []traces.Record) Profile {
	t.Helper()
	f := NewFitter()
	for part := range slices.Chunk(recs, 1000) {
		f.Add(part)
	}
	p, ok := f.Profile()
	require.True(t, ok)
	require.NoError(t, p.Validate())
	return p
}

// What is generated from a profile and fitted again is nearly that profile.
func TestAFitFindsWhatATraceWasGeneratedFrom(t *testing.T) {
	want := bursty()
	o, err := want.Options()
	require.NoError(t, err)
	got := fitted(t, slices.Collect(traces.Generate(o, 3)))
	require.InEpsilon(t, want.Arrivals.Rate, got.Arrivals.Rate, 0.1)
	require.InEpsilon(t, want.Arrivals.BurstRate, got.Arrivals.BurstRate, 0.2)
	require.InEpsilon(t, float64(want.Arrivals.BurstLength), float64(got.Arrivals.BurstLength), 0.25)
	require.InEpsilon(t, float64(want.Arrivals.BurstEvery), float64(got.Arrivals.BurstEvery), 0.25)
	require.InDelta(t, 0.25, got.Addresses.Sequential, 0.02)
	require.Equal(t, Zipf, got.Addresses.Pattern)
	require.InDelta(t, 1.2, got.Addresses.Skew, 0.2) // its regions are others
	require.InEpsilon(t, float64(want.Addresses.Capacity), float64(got.Addresses.Capacity), 0.05)
	require.InDelta(t, 0.6, got.Ops.Read, 0.01)
	require.InDelta(t, 0.02, got.Ops.Flush, 0.005)
	require.EqualValues(t, 4096, got.Addresses.Align)
	require.Len(t, got.Sizes.Write, 1)
	require.InDelta(t, 0.75, got.Sizes.Read[0].Share, 0.01)
	require.InDelta(t, 60, time.Duration(got.Duration).Seconds(), 0.5)

	// A plain Poisson process has no bursts, and a uniform one hardly any skew.
	plain, err := Default().Options()
	require.NoError(t, err)
	got = fitted(t, slices.Collect(traces.Generate(plain, 3)))
	require.Zero(t, got.Arrivals.BurstEvery)
	require.InEpsilon(t, 1000, got.Arrivals.Rate, 0.05)
	require.Less(t, got.Addresses.Skew, 0.4) // with 2.5 records a region, chance alone makes some
}

func TestAFitOfFewOrOddRecordsIsValid(t *testing.T) {
	f := NewFitter()
	_, ok := f.Profile()
	require.False(t, ok)
	for _, recs := range [][]traces.Record{
		{{Op: traces.Flush}, {Op: traces.Flush}},
		{{Length: 1 << 62}, {Time: 1 << 60, Length: 1, Offset: 1 << 62}},
		{{Length: 512, Op: traces.Write}, {Length: 512, Op: traces.Write}, {Length: 512, Op: traces.Write}},
		{{Length: 512, Op: traces.Discard}, {Time: 5, Length: 513, Op: traces.WriteZeroes}},
	} {
		p := fitted(t, recs)
		var b bytes.Buffer
		require.NoError(t, p.Write(&b))
		_, err := Parse(b.Bytes(), "t")
		require.NoError(t, err)
	}
}

func TestAProfileSurvivesItsFile(t *testing.T) {
	for _, p := range []Profile{Default(), bursty()} {
		var b bytes.Buffer
		require.NoError(t, p.Write(&b))
		got, err := Parse(b.Bytes(), "t")
		require.NoError(t, err)
		require.Equal(t, p, got)
	}
}

func TestAProfileSaysWhatIsWrong(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, bursty().Write(&b))
	for _, c := range []struct{ old, with, want string }{
		{"schema = 'blksim.workload/v1'", "schema = 'x'", `t: schema "x": want "blksim.workload/v1"`},
		{"duration = '1m0s'", "duration = 'long'", `duration "long"`},
		{"rate = 200.0", "rte = 200.0", "t:8: no such key: [arrivals rte]"},
		{"rate = 200.0", "rate = -1.0", "arrivals.rate -1: want 1e-6 to 1e9 a second"},
		{"rate = 200.0", "rate = nan", "arrivals.rate NaN"},
		{"process = 'poisson'", "process = 'x'", `arrivals.process "x": want poisson or steady`},
		{"pattern = 'zipf'", "pattern = 'x'", `addresses.pattern "x": want uniform, zipf or hot`},
		{"pattern = 'zipf'", "pattern = 'hot'", "addresses.hot_share 0: want more than 0"},
		{"skew = 1.2", "skew = 9.0", "addresses.skew 9: want 0 to 8"},
		{"sequential = 0.25", "sequential = 2.0", "addresses.sequential 2: want a share from 0 to 1"},
		{"bytes = 8192", "bytes = 8191", "size 8191"},
		{"capacity = ", "capacity = -", "capacity -17179869184"},
		{"[ops]", "[ops", "t:"},
	} {
		require.Contains(t, b.String(), c.old)
		_, err := Parse([]byte(strings.Replace(b.String(), c.old, c.with, 1)), "t")
		require.ErrorContains(t, err, c.want)
	}
}

func FuzzParse(f *testing.F) {
	for _, p := range []Profile{Default(), bursty()} {
		var b bytes.Buffer
		require.NoError(f, p.Write(&b))
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse(b, "t")
		if err != nil {
			return
		}
		o, err := p.Options()
		require.NoError(t, err)
		n := 0
		for range traces.Generate(o, 1) {
			if n++; n == 100 {
				break
			}
		}
	})
}
