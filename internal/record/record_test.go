package record_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/internal/record"
	"blksim/internal/replay"
)

func io(due, submitted, dispatched, returned, ended lane.Time) replay.IO {
	return replay.IO{Due: due, Submitted: submitted, Dispatched: dispatched, Returned: returned, Ended: ended,
		Asked: replay.NoTime, Len: 4096, N: 4096}
}

// drawIO draws an I/O of a run of so many ns.
func drawIO(t *rapid.T, most int64) replay.IO {
	at := rapid.SliceOfN(rapid.Int64Range(0, most), 5, 5).Draw(t, "times")
	slices.Sort(at)
	v := io(lane.Time(at[0]), lane.Time(at[1]), lane.Time(at[2]), lane.Time(at[3]), lane.Time(at[4]))
	v.Op = aio.Op(rapid.IntRange(0, 4).Draw(t, "op"))
	switch rapid.IntRange(0, 5).Draw(t, "end") {
	case 0:
		v.Status = aio.Cancelled
	case 1:
		v.Status, v.Dispatched, v.Returned = aio.Cancelled, replay.NoTime, replay.NoTime
	case 2:
		v.Status = aio.IOError
	case 3:
		v.Asked = v.Ended
	}
	return v
}

// TestASeriesIsWhatADirectCountGives whatever the width became, and however the
// I/Os were divided among lanes.
func TestASeriesIsWhatADirectCountGives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := int64(1) << rapid.IntRange(4, 40).Draw(t, "log2 of the run")
		ios := make([]replay.IO, rapid.IntRange(1, 40).Draw(t, "n"))
		parts := []*record.Series{record.NewSeries(), record.NewSeries(), record.NewSeries()}
		for i := range ios {
			ios[i] = drawIO(t, most)
			parts[rapid.IntRange(0, 2).Draw(t, "lane")].Add(&ios[i])
		}
		s := parts[0]
		s.Merge(parts[1])
		s.Merge(parts[2])
		w := s.Width()
		got := s.Intervals()
		if len(got) > record.MaxIntervals {
			t.Fatalf("%d intervals", len(got))
		}
		for i := range got {
			v, from, to := &got[i], int64(i)*w, int64(i+1)*w
			var completed [record.Kinds]int64
			var skipped, aborted, late, failed, slowest int64
			flight, device := 0.0, 0.0
			for _, io := range ios {
				over := func(a, b lane.Time) float64 { return float64(max(0, min(int64(b), to)-max(int64(a), from))) }
				flight += over(io.Submitted, io.Ended)
				if io.Started() {
					device += over(io.Dispatched, io.Returned)
				}
				if int64(io.Ended) < from || int64(io.Ended) >= to {
					continue
				}
				switch {
				case io.Status == aio.OK:
					completed[min(int(io.Op), record.Others)]++
					slowest = max(slowest, int64(io.Ended-io.Due))
					if io.TooLate() {
						late++
					}
				case io.Status == aio.Cancelled && io.Started():
					aborted++
				case io.Status == aio.Cancelled:
					skipped++
				default:
					failed++
				}
			}
			if v.Completed != completed || v.Skipped != skipped || v.Aborted != aborted || v.TooLate != late || v.Failed != failed || v.MaxNs != slowest {
				t.Fatalf("interval %d of %d ns: got %+v", i, w, v.Completed)
			}
			if d := v.InFlight(w) - flight/float64(w); d > 1e-6 || d < -1e-6 {
				t.Fatalf("interval %d: in flight %v, want %v", i, v.InFlight(w), flight/float64(w))
			}
			if d := v.InDevice(w) - device/float64(w); d > 1e-6 || d < -1e-6 {
				t.Fatalf("interval %d: in device %v, want %v", i, v.InDevice(w), device/float64(w))
			}
			busy := union(ios, from, to) / float64(w)
			if got := v.Busy(w); got < busy-1e-6 || got > min(1, busy+float64(2*len(ios))/64)+1e-6 {
				t.Fatalf("interval %d: busy %v, want %v or a little more", i, got, busy)
			}
		}
	})
}

// union is for how long the device had an I/O between two times.
func union(ios []replay.IO, from, to int64) float64 {
	type span struct{ a, b int64 }
	var spans []span
	for _, io := range ios {
		if io.Started() {
			spans = append(spans, span{max(int64(io.Dispatched), from), min(int64(io.Returned), to)})
		}
	}
	slices.SortFunc(spans, func(x, y span) int { return int(x.a - y.a) })
	sum, end := int64(0), from
	for _, s := range spans {
		if a := max(s.a, end); s.b > a {
			sum += s.b - a
			end = s.b
		}
	}
	return float64(sum)
}

func TestTheSlowestAreKeptExactlyInWhateverOrder(t *testing.T) {
	var all []replay.IO
	for i := range 5000 {
		v := io(0, 0, 1, 2, lane.Time(i*7919%5003))
		v.Off = int64(i)
		if i%10 == 0 {
			v.Status = aio.Cancelled
		}
		all = append(all, v)
	}
	var a, b record.Slowest
	for i := range all {
		a.Add(&all[i])
		b.Add(&all[len(all)-1-i])
	}
	require.Equal(t, a.Sorted(), b.Sorted())
	done := slices.DeleteFunc(all, func(v replay.IO) bool { return v.Status != aio.OK })
	slices.SortFunc(done, func(x, y replay.IO) int { return int(y.Ended - x.Ended) })
	for i, v := range a.Sorted() {
		require.Equal(t, done[i].Ended, v.Ended)
	}
	require.Len(t, a.Sorted(), record.MaxSlowest)
}

func TestRecordingAllocatesNothingForAnIO(t *testing.T) {
	s := record.NewStream()
	r := &record.Recorder{Slow: true, Series: true, Stream: s}
	w := r.Watch(0)(nil)
	v := io(1, 2, 3, 4, 5)
	for range 2000 {
		w.Ended(&v)
	}
	require.Zero(t, testing.AllocsPerRun(5000, func() {
		v.Ended += 1000
		w.Ended(&v)
	}))
	r.Finish()
	require.NoError(t, s.Close())
	require.Nil(t, (&record.Recorder{}).Watch(0), "nothing to record")
}

// sink keeps what it gets.
type sink struct {
	mu     sync.Mutex
	jobs   map[int]int
	err    error
	closed bool
}

func (s *sink) Write(b *record.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	s.jobs[b.Job] += len(b.IOs)
	return nil
}
func (s *sink) Close() error { s.closed = true; return nil }

func TestAStreamLosesNothingAndSaysWhatFailed(t *testing.T) {
	good, bad := &sink{jobs: map[int]int{}}, &sink{err: errors.New("disk full")}
	s := record.NewStream(good, bad)
	r := &record.Recorder{Stream: s}
	var wg sync.WaitGroup
	for job := range 3 {
		w := r.Watch(job)(nil)
		wg.Go(func() {
			for range 100_000 {
				v := io(1, 2, 3, 4, 5)
				w.Ended(&v)
			}
		})
	}
	wg.Wait()
	r.Finish()
	require.ErrorContains(t, s.Close(), "disk full")
	require.Equal(t, map[int]int{0: 100_000, 1: 100_000, 2: 100_000}, good.jobs)
	require.True(t, good.closed && bad.closed)
}
