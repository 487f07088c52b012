package load_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/blk"
	"blksim/driver"
	"blksim/driver/ram"
	"blksim/internal/load"
	"blksim/internal/replay"
	"blksim/sim"
)

const capacity = 1 << 20

// spy is a RAM disk that takes a time for each request, one by one, and can spoil
// what it reads.
type spy struct {
	driver.Driver
	service time.Duration
	alone   bool                    // I/Os are not merged: each takes the time
	piece   int64                   // longest request, bytes; 0: any
	depth   int                     // requests that it has at once; 0: as many as come
	spoil   func(r *driver.Request) // after it was carried out
	drop    func(r *driver.Request) bool
}

type spyQueue struct {
	driver.Queue
	s     *spy
	l     lane.Lane
	timer lane.Timer
	fifo  []*driver.Request
}

func (s *spy) OpenQueue(l lane.Lane, i, depth int) (driver.Queue, error) {
	q, err := s.Driver.OpenQueue(l, i, depth)
	w := &spyQueue{Queue: q, s: s, l: l}
	w.timer = l.NewTimer(w.next)
	return w, err
}

func (q *spyQueue) Submit(r *driver.Request) aio.Status {
	q.fifo = append(q.fifo, r)
	if len(q.fifo) == 1 {
		q.timer.Arm(q.s.service)
	}
	return aio.OK
}

func (q *spyQueue) next() {
	r := q.fifo[0]
	q.fifo = q.fifo[1:]
	if len(q.fifo) > 0 {
		q.timer.Arm(q.s.service)
	}
	if q.s.drop != nil && q.s.drop(r) {
		r.Complete(aio.OK, r.Len)
		return
	}
	if q.s.spoil == nil {
		q.Queue.Submit(r)
		return
	}
	inner := driver.NewRequest(completer(func(_ *driver.Request, st aio.Status, n int64) {
		q.s.spoil(r)
		r.Complete(st, n)
	}), r.Tag)
	inner.Op, inner.Off, inner.Len, inner.Bufs = r.Op, r.Off, r.Len, r.Bufs
	q.Queue.Submit(inner)
}

type completer func(r *driver.Request, st aio.Status, n int64)

func (c completer) CompleteRequest(r *driver.Request, st aio.Status, n int64) { c(r, st, n) }

// watch keeps every I/O.
type watch struct{ ios []replay.IO }

func (w *watch) Ended(io *replay.IO) { w.ios = append(w.ios, *io) }

// run runs jobs given as job-file text and returns what each clone did, and every
// I/O in the order in which they ended.
func run(t *testing.T, s *spy, text string) ([]*load.Clone, []replay.IO) {
	t.Helper()
	clones, ios, err := tryRun(t, s, text)
	require.NoError(t, err)
	return clones, ios
}

func tryRun(t *testing.T, s *spy, text string) ([]*load.Clone, []replay.IO, error) {
	t.Helper()
	jobs, err := load.ParseFile(strings.NewReader(text), "test.fio", load.Defaults{Job: load.DefaultJob()})
	require.NoError(t, err)
	world := sim.NewWorld(1, 1)
	lanes := []lane.Lane{world.Lane(0)}
	s.Driver = ram.New(make([]byte, capacity))
	disk, err := blk.Open(s, blk.Options{Queues: lanes, NoMerges: s.alone, MaxTransfer: s.piece, Depth: s.depth})
	require.NoError(t, err)
	w := &watch{}
	r := &load.Run{Group: world, Disk: disk, Lanes: lanes, Jobs: jobs, Seed: 7, Data: true,
		Watch: func(int) func(lane.Lane) replay.Watcher { return func(lane.Lane) replay.Watcher { return w } }}
	clones, err := r.Do()
	return clones, w.ios, err
}

func offsets(ios []replay.IO) (at []int64) {
	for _, io := range ios {
		at = append(at, io.Off)
	}
	return at
}

func TestARandomMapCoversTheRegionOnceEachPass(t *testing.T) {
	_, ios := run(t, &spy{}, "[a]\nrw=randread\nbs=4k\nsize=400k\noffset=8k\nloops=2\n")
	require.Len(t, ios, 200)
	for pass := range 2 {
		at := offsets(ios[pass*100 : pass*100+100])
		require.False(t, slices.IsSorted(at))
		slices.Sort(at)
		for i, off := range at {
			require.EqualValues(t, 8<<10+i*4096, off)
		}
	}
	require.NotEqual(t, offsets(ios[:100]), offsets(ios[100:]))
}

func TestSequentialGoesOnAndWrapsAround(t *testing.T) {
	_, ios := run(t, &spy{}, "[a]\nrw=write\nbs=8k\nsize=32k\nio_size=64k\nfsync=3\n")
	var at []int64
	flushes := 0
	for _, io := range ios {
		if io.Op == aio.OpFlush {
			flushes++
			continue
		}
		require.Equal(t, aio.OpWrite, io.Op)
		at = append(at, io.Off>>10)
	}
	require.Equal(t, []int64{0, 8, 16, 24, 0, 8, 16, 24}, at)
	require.Equal(t, 2, flushes)
}

// TestAnOpenLoopCountsFromWhenAnIOWasDue: the device is half as fast as the rate.
func TestAnOpenLoopCountsFromWhenAnIOWasDue(t *testing.T) {
	clones, ios := run(t, &spy{service: 2 * time.Millisecond}, "[a]\nrw=randread\nrate_iops=1000\nnumber_ios=100\niodepth=1\n")
	require.Len(t, ios, 100)
	for i, io := range ios {
		require.Equal(t, lane.Time(i)*1e6, io.Due)
		require.Equal(t, lane.Time(i+1)*2e6, io.Ended)
		require.Equal(t, io.Ended-2e6, io.Submitted)
	}
	op := &clones[0].Result.Ops[aio.OpRead]
	require.EqualValues(t, 101e6, op.Latency.Max())
	require.EqualValues(t, 2e6, op.Service.Max(), "its own time stands beside it")
	require.EqualValues(t, 99, clones[0].Result.Held)
}

func TestAClosedLoopKeepsIodepthInFlight(t *testing.T) {
	clones, ios := run(t, &spy{service: time.Millisecond, alone: true}, "[a]\nrw=read\niodepth=4\nruntime=100ms\ntime_based\n")
	require.Len(t, ios, 103, "100 ms, and what was in flight")
	for _, io := range ios[4:100] {
		require.EqualValues(t, 4e6, io.Ended-io.Due)
	}
	require.EqualValues(t, 103e6, clones[0].Result.Elapsed)
}

func TestThinkTimeWaitsForAllBefore(t *testing.T) {
	_, ios := run(t, &spy{service: time.Millisecond, alone: true}, "[a]\nrw=read\niodepth=4\nthinktime=10ms\nthinktime_blocks=2\nnumber_ios=6\n")
	var due []lane.Time
	for _, io := range ios {
		due = append(due, io.Submitted/1e6)
	}
	require.Equal(t, []lane.Time{0, 0, 12, 12, 24, 24}, due)
}

func TestPhasesAndClonesAndDelays(t *testing.T) {
	clones, ios := run(t, &spy{service: time.Millisecond}, `[global]
number_ios=2
[first]
numjobs=2
[late]
startdelay=50ms
[second]
stonewall
rw=write
`)
	require.Len(t, ios, 8)
	var names []string
	for _, c := range clones {
		names = append(names, c.Name())
	}
	require.Equal(t, []string{"first.0", "first.1", "late", "second"}, names)
	require.Equal(t, []int{0, 0, 0, 1}, []int{clones[0].Phase, clones[1].Phase, clones[2].Phase, clones[3].Phase})
	require.Equal(t, 50*time.Millisecond, clones[2].Result.Start)
	require.Equal(t, 52*time.Millisecond, clones[3].Result.Start, "after the last of those before")
	require.Equal(t, aio.OpWrite, ios[7].Op)
}

func TestTheRampIsNotMeasured(t *testing.T) {
	clones, ios := run(t, &spy{service: time.Millisecond}, "[a]\nramp_time=10ms\nruntime=20ms\ntime_based\n")
	res := clones[0].Result
	require.Len(t, ios, 30)
	require.EqualValues(t, 30, res.Completed)
	require.EqualValues(t, 10, res.Ramped)
	require.EqualValues(t, 20, res.Ops[aio.OpRead].Completed)
}

func TestRatesOfReadsAndWritesAndPoisson(t *testing.T) {
	if testing.Short() {
		t.Skip("takes many I/Os")
	}
	_, ios := run(t, &spy{}, "[a]\nrw=randrw\nrate_iops=9000,1000\nrate_process=poisson\nruntime=2s\ntime_based\n")
	var count [2]float64
	gaps := 0.0
	for i, io := range ios {
		count[io.Op]++
		if i > 0 {
			gap := float64(io.Due-ios[i-1].Due) / 1e5 // of the mean of both together
			gaps += gap * gap
		}
	}
	require.InDelta(t, 18000, count[0], 5*math.Sqrt(18000))
	require.InDelta(t, 2000, count[1], 5*math.Sqrt(2000))
	require.InDelta(t, 2, gaps/float64(len(ios)), 0.2, "the mean square of exponential gaps is twice their mean's")
}

func TestMixesAndSplitsHaveTheirShares(t *testing.T) {
	_, ios := run(t, &spy{}, "[a]\nrw=randrw\nrwmixread=30\nbssplit=4k/75:16k\nnumber_ios=8000\n")
	reads, large := 0.0, 0.0
	for _, io := range ios {
		if io.Op == aio.OpRead {
			reads++
		}
		if io.Len == 16<<10 {
			large++
		} else {
			require.EqualValues(t, 4096, io.Len)
		}
	}
	require.InDelta(t, 2400, reads, 5*math.Sqrt(2400))
	require.InDelta(t, 2000, large, 5*math.Sqrt(2000))
}

func TestDistributionsAreSkewedAsTheySay(t *testing.T) {
	if testing.Short() {
		t.Skip("takes many I/Os")
	}
	for kind, check := range map[string]func(byCount []int, first, middle int){
		"zipf:1.2":          func(c []int, _, _ int) { require.InDelta(t, 1/math.Pow(2, 1.2), float64(c[1])/float64(c[0]), 0.08) },
		"zipf:0.8":          func(c []int, _, _ int) { require.InDelta(t, 1/math.Pow(2, 0.8), float64(c[1])/float64(c[0]), 0.12) },
		"pareto:0.2":        func(c []int, _, _ int) { require.Greater(t, c[0]+c[1]+c[2], 8*(c[100]+c[101]+c[102])) },
		"normal:10":         func(_ []int, first, middle int) { require.Greater(t, middle, 20*(first+1)) },
		"zoned:90/10:10/90": func(_ []int, first, _ int) { require.InDelta(t, 18000, first, 5*math.Sqrt(18000)) },
		"random":            func(c []int, _, _ int) { require.Less(t, c[0], 4*c[len(c)/2]) },
	} {
		_, ios := run(t, &spy{}, "[a]\nrw=randread\nnorandommap\nnumber_ios=20000\nrandom_distribution="+kind+"\n")
		counts := make([]int, capacity/4096)
		first, middle := 0, 0
		for _, io := range ios {
			i := int(io.Off / 4096)
			counts[i]++
			if i < len(counts)/10 {
				first++
			}
			if i >= len(counts)*45/100 && i < len(counts)*55/100 {
				middle++
			}
		}
		slices.Sort(counts)
		slices.Reverse(counts)
		check(counts, first, middle)
	}
}
