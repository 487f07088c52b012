package kernelview

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/internal/ebpf"
	"blksim/internal/record"
	"blksim/internal/replay"
	"blksim/traces"
)

// read is an I/O that was with the device from one time to another, us.
func read(off, length, from, to int64) *replay.IO {
	return &replay.IO{Op: aio.OpRead, Off: off, Len: length, N: length, Submitted: lane.Time(from-1) * 1000, Dispatched: lane.Time(from) * 1000,
		Returned: lane.Time(to) * 1000, Ended: lane.Time(to+1) * 1000, Asked: replay.NoTime}
}

// skipped is an I/O that was cancelled before dispatch.
func skipped(off, length, from, to int64) *replay.IO {
	io := read(off, length, from, to)
	io.Dispatched, io.Returned, io.Status = replay.NoTime, replay.NoTime, aio.Cancelled
	return io
}

// bio is one of a read, at a byte of the disk.
func bio(off, length, queued, issued, completed int64) *ebpf.Event {
	return &ebpf.Event{Kind: ebpf.Bio, Op: traces.Read, Sector: off / 512, Bytes: length, Queue: queued * 1000, Issue: issued * 1000, Complete: completed * 1000}
}

func TestABioIsExplainedByTheIOThatMadeIt(t *testing.T) {
	m := newMatcher()
	m.addBio(bio(4096, 4096, 101, 102, 150), 0)
	m.addIO(read(4096, 4096, 100, 160), 0, nil)
	m.addIO(read(8192, 4096, 100, 160), 0, nil) // before its bio
	m.addBio(bio(8192, 4096, 103, 104, 155), 0)
	require.Empty(t, m.unexplained())
	require.EqualValues(t, 2, m.dispatched)
	require.EqualValues(t, 2, m.told)
	// 60 us with the device, of which 49 and 52 in the kernel.
	require.EqualValues(t, 8_000, m.outside[aio.OpRead].Min())
	require.EqualValues(t, 11_000, m.outside[aio.OpRead].Max())
}

func TestManyIOsMakeOneBioAndOneMakesMany(t *testing.T) {
	m := newMatcher()
	for i := range int64(4) {
		m.addIO(read(i*4096, 4096, 100, 160), 0, nil)
	}
	m.addBio(bio(0, 16384, 101, 102, 150), 0)
	const big = 3 << 20 // over zones
	m.addIO(read(1<<30-4096, big, 200, 300), 0, nil)
	for off := int64(0); off < big; off += 512 << 10 {
		m.addBio(bio(1<<30-4096+off, 512<<10, 201, 202, 290), 0)
	}
	require.Empty(t, m.unexplained())
	require.EqualValues(t, 5, m.told)
}

// TestABioOfACancelledIOIsFound: what must never be, in each way that it could be.
func TestABioOfACancelledIOIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		ios  []*replay.IO
		bio  *ebpf.Event
		gone bool // it is known which cancelled I/O it was
	}{
		"cancelled":              {[]*replay.IO{skipped(4096, 4096, 100, 200)}, bio(4096, 4096, 150, 151, 180), true},
		"cancelled, later":       {[]*replay.IO{skipped(4096, 4096, 100, 200)}, bio(4096, 4096, 900, 901, 950), true},
		"a part of it":           {[]*replay.IO{skipped(0, 65536, 100, 200)}, bio(4096, 512, 150, 151, 180), true},
		"nobody's":               {nil, bio(4096, 4096, 150, 151, 180), false},
		"too early for its I/O":  {[]*replay.IO{read(4096, 4096, 500, 600)}, bio(4096, 4096, 100, 101, 550), false},
		"too late for its I/O":   {[]*replay.IO{read(4096, 4096, 100, 200)}, bio(4096, 4096, 150, 151, 900), false},
		"only half dispatched":   {[]*replay.IO{read(4096, 4096, 100, 200), skipped(8192, 4096, 100, 200)}, bio(4096, 8192, 150, 151, 180), true},
		"of another operation":   {[]*replay.IO{{Op: aio.OpWrite, Off: 4096, Len: 4096, Dispatched: 100_000, Returned: 200_000, Ended: 200_000}}, bio(4096, 4096, 150, 151, 180), false},
		"before its cancelled's": {[]*replay.IO{skipped(4096, 4096, 500, 600)}, bio(4096, 4096, 100, 101, 150), false},
	} {
		for _, bioFirst := range []bool{false, true} {
			m := newMatcher()
			if bioFirst {
				m.addBio(c.bio, 0)
			}
			for _, io := range c.ios {
				m.addIO(io, 0, nil)
			}
			if !bioFirst {
				m.addBio(c.bio, 0)
			}
			bad := m.unexplained()
			require.Len(t, bad, 1, name)
			for _, s := range bad {
				require.Equal(t, c.gone, m.cancelledAt(s) != nil, name)
			}
		}
	}
}

func TestABioSentAgainIsExplained(t *testing.T) {
	m := newMatcher()
	m.addIO(read(4096, 4096, 100, 900), 0, nil)
	m.addBio(bio(4096, 4096, 150, 151, 300), 0)
	m.addBio(bio(4096, 4096, 400, 401, 800), 0)
	require.Empty(t, m.unexplained())
	require.EqualValues(t, 1, m.told)
}

func TestAPartitionCountsFromItsStart(t *testing.T) {
	m := newMatcher()
	m.addIO(read(4096, 4096, 100, 200), 0, nil)
	m.addBio(bio(1<<20+4096, 4096, 150, 151, 180), 2048)
	require.Empty(t, m.unexplained())
}

func TestAZeroingMayBeDoneByWrites(t *testing.T) {
	m := newMatcher()
	io := read(0, 1<<20, 100, 900)
	io.Op = aio.OpWriteZeroes
	m.addIO(io, 0, nil)
	e := bio(0, 1<<20, 150, 151, 300)
	e.Op = traces.Write
	m.addBio(e, 0)
	require.Empty(t, m.unexplained())
}

// TestARequestOfAllOfADiskIsMadeOfManyBios: in whichever order they come.
func TestARequestOfAllOfADiskIsMadeOfManyBios(t *testing.T) {
	const size, step = 1 << 40, 1 << 30
	for _, bioFirst := range []bool{false, true} {
		m := newMatcher()
		io := read(0, size, 100, 900)
		io.Op = aio.OpDiscard
		if !bioFirst {
			m.addIO(io, 0, nil)
		}
		for off := int64(0); off < size; off += step {
			for part := range int64(2) { // the ends are enough to tell
				e := bio(off+part*(step-4096), 4096, 150, 151, 300)
				e.Op = traces.Discard
				m.addBio(e, 0)
			}
		}
		if bioFirst {
			m.addIO(io, 0, nil)
		}
		require.Empty(t, m.unexplained())
		require.Empty(t, m.pieces)
	}
}

// TestWhatIsOverIsForgotten: a run of any length takes the memory of what is in flight.
func TestWhatIsOverIsForgotten(t *testing.T) {
	m := newMatcher()
	for i := range int64(200_000) {
		at := i * 100
		m.addIO(read(i%1000*4096, 4096, at, at+50), 0, nil)
		if i%1000 != 7 { // one in a thousand is lost
			m.addBio(bio(i%1000*4096, 4096, at+1, at+2, at+40), 0)
		}
	}
	require.Empty(t, m.unexplained())
	require.EqualValues(t, 200_000-200, m.told)
	require.Less(t, len(m.old), 200, "of the last 10 ms")
	for range keptCancels + 5 {
		m.addIO(skipped(0, 512, 1, 2), 0, nil)
	}
	require.Len(t, m.cancelled, keptCancels)
}

// TestAnyOrderOfArrivalGivesTheSame: I/Os and bios of random runs, in random order, all
// explained; and one bio more is found.
func TestAnyOrderOfArrivalGivesTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMatcher()
		n := rapid.IntRange(1, 30).Draw(t, "n")
		var adds []func()
		for i := range n {
			off := rapid.Int64Range(0, 20).Draw(t, "off") * 4096
			from := rapid.Int64Range(10, 5000).Draw(t, "from")
			took := rapid.Int64Range(10, 500).Draw(t, "took")
			if rapid.Bool().Draw(t, "skipped") {
				adds = append(adds, func() { m.addIO(skipped(off, 4096, from, from+took), 0, nil) })
				continue
			}
			_ = i
			adds = append(adds, func() { m.addIO(read(off, 4096, from, from+took), 0, nil) },
				func() { m.addBio(bio(off, 4096, from+1, from+2, from+took-1), 0) })
		}
		extra := rapid.Bool().Draw(t, "extra")
		if extra {
			adds = append(adds, func() { m.addBio(bio(100<<20, 4096, 20, 21, 30), 0) })
		}
		for _, add := range rapid.Permutation(adds).Draw(t, "order") {
			add()
		}
		if extra {
			require.Len(t, m.unexplained(), 1)
		} else {
			require.Empty(t, m.unexplained())
		}
	})
}

func TestWithoutTakesExactlyTheOverlap(t *testing.T) {
	for _, c := range []struct {
		holes []extent
		gone  extent
		left  []extent
		n     int64
	}{
		{[]extent{{10, 20}}, extent{0, 10}, []extent{{10, 20}}, 0},
		{[]extent{{10, 20}}, extent{20, 30}, []extent{{10, 20}}, 0},
		{[]extent{{10, 20}}, extent{0, 30}, nil, 10},
		{[]extent{{10, 20}}, extent{12, 15}, []extent{{10, 12}, {15, 20}}, 3},
		{[]extent{{10, 20}}, extent{0, 15}, []extent{{15, 20}}, 5},
		{[]extent{{10, 20}, {30, 40}}, extent{15, 35}, []extent{{10, 15}, {35, 40}}, 10},
		{nil, extent{1, 2}, nil, 0},
	} {
		left, n := without(c.holes, c.gone)
		require.Equal(t, c.left, left, "%v", c)
		require.Equal(t, c.n, n, "%v", c)
	}
}

// kept is a sink that keeps what it gets.
type kept struct {
	ios    []replay.IO
	jobs   []int
	closed bool
}

func (k *kept) Write(b *record.Batch) error {
	for _, io := range b.IOs {
		k.ios, k.jobs = append(k.ios, io), append(k.jobs, b.Job)
	}
	return nil
}
func (k *kept) Close() error { k.closed = true; return nil }

// TestIOsGoOnInTheirOrderWithTheKernelsTimes: each waits for its bio, and no longer than
// one can come.
func TestIOsGoOnInTheirOrderWithTheKernelsTimes(t *testing.T) {
	next := &kept{}
	v := New(next)
	v.epoch = 1_000_000
	for i := range int64(3) {
		require.NoError(t, v.Write(&record.Batch{Job: int(i), IOs: []replay.IO{*read(i*65536, 4096, 1000+i, 1100+i)}}))
	}
	require.NoError(t, v.Write(&record.Batch{Job: 9, IOs: []replay.IO{*skipped(0, 4096, 1000, 1200)}}))
	require.Empty(t, next.ios)
	for _, i := range []int64{2, 0} { // that of the second is lost
		v.add(bio(i*65536, 4096, 2010+i, 2020+i, 2090+i))
	}
	later := read(1<<20, 4096, 90_000, 90_100)
	v.add(bio(1<<20, 4096, 91_010, 91_020, 91_090))
	require.NoError(t, v.Write(&record.Batch{IOs: []replay.IO{*later}}))
	_, err := v.end()
	require.NoError(t, err)
	require.Equal(t, []int{0, 1, 2, 9, 0}, next.jobs)
	require.True(t, next.closed)
	want := func(q, i, c lane.Time) replay.KernelTimes {
		return replay.KernelTimes{Queued: q * 1000, Issued: i * 1000, Completed: c * 1000}
	}
	require.Equal(t, want(1010, 1020, 1090), next.ios[0].Kernel)
	require.Zero(t, next.ios[1].Kernel)
	require.Equal(t, want(1012, 1022, 1092), next.ios[2].Kernel)
	require.Zero(t, next.ios[3].Kernel)
	require.Equal(t, want(90_010, 90_020, 90_090), next.ios[4].Kernel)
}
