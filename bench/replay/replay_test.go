package main

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/bench/figures"
	"blksim/traces"
)

func TestScheduleHasItsRateAndReadsNoBlockTwice(t *testing.T) {
	const size = 512 << 20
	for _, iops := range []int{2000, 10_000} {
		s := bursts(30_000, iops, size, 1)
		require.Len(t, s.due, 30_000)
		require.InDelta(t, 30_000/float64(iops), s.due[len(s.due)-1].Seconds(), 1e-5)
		seen := map[int64]bool{}
		for i, b := range s.blocks {
			require.False(t, seen[b])
			seen[b] = true
			require.GreaterOrEqual(t, b*blockSize, int64(margin))
			require.LessOrEqual(t, (b+1)*blockSize, int64(size-margin))
			require.Zero(t, s.due[i]%time.Microsecond)
			if i > 0 {
				require.GreaterOrEqual(t, s.due[i], s.due[i-1])
			}
		}
		require.Equal(t, s, bursts(30_000, iops, size, 1), "the same seed gives the same")
		require.NotEqual(t, s, bursts(30_000, iops, size, 2))
	}
}

// All three files have the same I/Os, as the project's own readers tell.
func TestFilesOfAScheduleAgree(t *testing.T) {
	s := bursts(500, 2000, 64<<20, 3)
	for name, file := range map[string][]byte{"blksim": s.native(), "fio": s.iolog("/dev/loop0"), "btreplay": s.btrecord()} {
		r, err := traces.NewReader(bytes.NewReader(file), name, traces.Options{})
		require.NoError(t, err, name)
		i := 0
		for recs := make([]traces.Record, 64); ; {
			n, err := r.Read(recs)
			for _, rec := range recs[:n] {
				require.Equal(t, int64(s.due[i]-s.due[0]), rec.Time, "%s, record %d", name, i)
				require.Equal(t, s.blocks[i]*blockSize, rec.Offset, name)
				require.EqualValues(t, blockSize, rec.Length, name)
				require.Equal(t, traces.Read, rec.Op, name)
				i++
			}
			if err == io.EOF {
				break
			}
			require.NoError(t, err, name)
		}
		require.Equal(t, len(s.due), i, name)
	}
}

// kept is a recording of a schedule that starts at a second, each I/O late by as much
// as late says.
func kept(s *schedule, late func(i int) time.Duration) *recording {
	r := &recording{}
	for i, due := range s.due {
		r.issues = append(r.issues, issue{at: time.Second + due + late(i), block: s.blocks[i], thread: 7})
	}
	return r
}

func TestDeviationIsFromTheMedianOfTheRun(t *testing.T) {
	s := bursts(2000, 2000, 64<<20, 1)
	for _, c := range []struct {
		name      string
		late      func(i int) time.Duration
		p50, most float64 // us
		drift     float64 // %
		delta     float64
	}{
		{"all late by as much", func(int) time.Duration { return 300 * time.Microsecond }, 0, 0, 0, 1e-9},
		{"every other one by a little", func(i int) time.Duration { return time.Duration(i%2) * 10 * time.Microsecond }, 5, 5, 0, 0.01},
		{"one percent slow", func(i int) time.Duration { return s.due[i] / 100 }, 2500, 5411.5, 1, 0.001},
		{"early", func(i int) time.Duration { return -s.due[i] / 1000 }, 250, 541.15, -0.1, 0.001},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := judge(s, kept(s, c.late))
			require.NoError(t, err)
			require.InDelta(t, c.p50, f.all.at(0.5), 0.1*c.p50+0.001)
			require.InDelta(t, c.most, f.all.at(1), 0.05*c.most+0.001)
			require.InDelta(t, c.drift, f.drift, c.delta)
			require.Equal(t, 1.0, f.inOrder)
			require.Equal(t, f.all, f.calm, "nobody had to wait")
		})
	}
}

func TestWhatIsDueAtOneTimeComesApart(t *testing.T) {
	s := bursts(300, 2000, 64<<20, 1)
	for i := range s.due {
		s.due[i] = time.Duration(i/3) * time.Second
	}
	f, err := judge(s, kept(s, func(i int) time.Duration { return time.Duration(i%3) * 7 * time.Microsecond }))
	require.NoError(t, err)
	require.InDelta(t, 7, f.apart, 1e-6)
}

func TestWhoOvertakesIsCounted(t *testing.T) {
	s := bursts(100, 2000, 64<<20, 1)
	r := kept(s, func(int) time.Duration { return 0 })
	r.issues[10], r.issues[11] = r.issues[11], r.issues[10]
	f, err := judge(s, r)
	require.NoError(t, err)
	require.InDelta(t, 0.99, f.inOrder, 1e-9)
}

func TestWhatIsNotOfTheScheduleIsAnError(t *testing.T) {
	s := bursts(100, 2000, 64<<20, 1)
	r := kept(s, func(int) time.Duration { return 0 })
	r.issues = append(r.issues, r.issues[5])
	_, err := judge(s, r)
	require.NoError(t, err, "the kernel may try one again")
	r.issues = r.issues[:98]
	_, err = judge(s, r)
	require.ErrorContains(t, err, "98 of 100")
	r.issues[0].block = 1 << 40
	_, err = judge(s, r)
	require.ErrorContains(t, err, "not in the trace")
}

// An I/O whose thread had to wait for its processor is nobody's fault here; one that
// is late without that is the tool's.
func TestWaitsForAProcessorAreToldFromTheToolsOwnDelays(t *testing.T) {
	s := bursts(1000, 2000, 64<<20, 1)
	r := kept(s, func(i int) time.Duration {
		if i == 500 || i == 700 || i == 800 {
			return 5 * time.Millisecond
		}
		return 0
	})
	at := func(i int, d time.Duration) time.Duration { return time.Second + s.due[i] + d }
	const us = time.Microsecond
	r.turns = []turn{
		{at(0, -time.Second), 7, runs},
		{at(300, 0), 7, woken}, // while it runs: that is no wait
		{at(500, -10*us), 7, preempted},
		{at(500, 4000*us), 7, runs},
		{at(500, 9000*us), 7, stops},
		{at(500, 9500*us), 7, woken},
		{at(500, 9520*us), 7, runs},   // as long as it takes to wake up
		{at(800, 0), 9, woken},        // another one of the tool
		{at(800, 1000*us), 9, runs},   //
		{at(800, 1500*us), 10, woken}, // at the same time
		{at(800, 1800*us), 10, runs},  //
	}
	f, err := judge(s, r)
	require.NoError(t, err)
	require.InDelta(t, 5000, f.all.at(1), 1)
	require.InDelta(t, 5000, f.calm.at(1), 1, "the 700th is in, for which nobody had to wait")
	require.Less(t, len(f.calm), 1000)
	require.Greater(t, len(f.calm), 900)
	require.Less(t, f.calm.at(0.998), 1.0, "and the 500th and the 800th are not")
}

func TestGridLineHasACellForEachColumn(t *testing.T) {
	s := bursts(100, 2000, 64<<20, 1)
	f, err := judge(s, kept(s, func(int) time.Duration { return 0 }))
	require.NoError(t, err)
	require.Len(t, f.cells("1", "a"), len(header))
	require.Len(t, (&fidelity{all: f.all}).cells("1", "a"), len(header))
}

func TestRowsAreListedWithoutALab(t *testing.T) {
	names := map[string]bool{}
	for _, r := range rows(&lab{}) {
		require.False(t, names[r.Name])
		names[r.Name] = true
	}
	require.Len(t, names, 14)
	require.True(t, names["replay-2k-deviation-p50"])
	require.Equal(t, figures.AtMost(0.01, 0.001), rows(&lab{})[3].Bar)
}
