package ebpf

import (
	"encoding/binary"
	"math/bits"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/internal/hist"
	"blksim/traces"
)

// recordOf is a record as the programs write it.
func recordOf(e Event, opf uint32, status int32) []byte {
	le := binary.LittleEndian
	var b []byte
	for _, v := range []int64{e.Queue, e.Insert, e.Issue, e.Complete, e.Sector, int64(e.App)} {
		b = le.AppendUint64(b, uint64(v))
	}
	for _, v := range []uint32{uint32(e.Bytes), opf, uint32(e.Dev), e.PID, e.TID, uint32(status)} {
		b = le.AppendUint32(b, v)
	}
	b = append(b, byte(e.Kind), byte(e.AppKind))
	for _, v := range []uint16{e.Bios, e.Requeues, 0} {
		b = le.AppendUint16(b, v)
	}
	return append(b, e.Comm[:]...)
}

func TestRecordsAreReadBack(t *testing.T) {
	d := defaultDecoder()
	e := Event{
		Queue: 1, Insert: 2, Issue: 3, Complete: 1 << 60, Sector: 1<<55 - 1, Bytes: 4096, App: 1<<64 - 1,
		Dev: MakeDev(259, 70000), PID: 7, TID: 8, Bios: 9, Requeues: 1, Kind: Request, AppKind: IOUring,
		Comm: [16]byte{'d', 'd'},
	}
	for _, c := range []struct {
		opf    uint32
		op     traces.Op
		flags  traces.Flags
		status int32
		errno  int
	}{
		{0 | 1<<19, traces.Read, traces.Readahead, 0, 0},
		{1 | 1<<11 | 1<<17, traces.Write, traces.Sync | traces.FUA, 10, 5},
		{2 | 1<<18, traces.Flush, traces.Preflush, -28, 28},
		{3, traces.Discard, 0, 1, 95},
		{5 | 1<<12, traces.Discard, traces.Meta, 12, 11},
		{9, traces.WriteZeroes, 0, 200, 5},
		{34, OtherOp, 0, 16, 19},
	} {
		want := e
		want.Op, want.Flags = c.op, c.flags
		var got Event
		require.NoError(t, d.decode(recordOf(e, c.opf, c.status), &got))
		require.EqualValues(t, c.errno, got.Status)
		got.Status = 0
		require.Equal(t, want, got)
	}
	require.Equal(t, "dd", e.Command())
	require.Equal(t, "259:70000", e.Dev.String())
}

func TestRecordsThatNoProgramWritesAreErrors(t *testing.T) {
	d := defaultDecoder()
	good := recordOf(Event{Kind: Bio}, 0, 0)
	var e Event
	require.NoError(t, d.decode(good, &e))
	require.Error(t, d.decode(good[:95], &e))
	require.Error(t, d.decode(append(good, 0), &e))
	require.Error(t, d.decode(recordOf(Event{Kind: 3}, 0, 0), &e))
	require.Error(t, d.decode(recordOf(Event{Kind: Bio, AppKind: 3}, 0, 0), &e))
	require.Error(t, d.decode(recordOf(Event{Kind: Bio, Issue: -1}, 0, 0), &e))
	require.Error(t, d.decode(recordOf(Event{Kind: Bio, Sector: -1}, 0, 0), &e))
}

// ringWith is a ring of size bytes, mapped twice, with these records from position at on.
func ringWith(size int, at uint64, recs ...[]byte) (ring []byte, end uint64) {
	once := make([]byte, size)
	put := func(pos uint64, b []byte) {
		for i, c := range b {
			once[(pos+uint64(i))%uint64(size)] = c
		}
	}
	for _, r := range recs {
		put(at, binary.LittleEndian.AppendUint32(nil, uint32(len(r))))
		put(at+ringHeader, r)
		at += (ringHeader + uint64(len(r)) + 7) &^ 7
	}
	return append(once, once...), at
}

func TestRingIsReadAcrossItsEnd(t *testing.T) {
	d := defaultDecoder()
	const at = 4096 - 56
	ring, end := ringWith(4096, at, recordOf(Event{Kind: Bio, Sector: 5}, 0, 0), recordOf(Event{Kind: Request, Sector: 6}, 0, 0))
	pos := uint64(at)
	for _, want := range []int64{5, 6} {
		data, next, ok, err := ringNext(ring, pos, end)
		require.NoError(t, err)
		require.True(t, ok)
		var e Event
		require.NoError(t, d.decode(data, &e))
		require.Equal(t, want, e.Sector)
		pos = next
	}
	require.Equal(t, end, pos)
	_, _, ok, err := ringNext(ring, pos, end)
	require.NoError(t, err)
	require.False(t, ok)
}

func TestRingGivesNothingThatIsBeingWrittenOrWasGivenUp(t *testing.T) {
	ring, end := ringWith(4096, 0, make([]byte, recordBytes))
	binary.LittleEndian.PutUint32(ring, recordBytes|ringBusy)
	_, next, ok, err := ringNext(ring, 0, end)
	require.NoError(t, err)
	require.False(t, ok)
	require.Zero(t, next)
	binary.LittleEndian.PutUint32(ring, recordBytes|ringDiscarded)
	data, next, ok, err := ringNext(ring, 0, end)
	require.NoError(t, err)
	require.True(t, ok)
	require.Nil(t, data)
	require.Equal(t, end, next)
	binary.LittleEndian.PutUint32(ring, 5000)
	_, _, _, err = ringNext(ring, 0, end)
	require.Error(t, err)
}

// FuzzRing reads a ring of any bytes: it ends, and reads nothing outside.
func FuzzRing(f *testing.F) {
	ring, end := ringWith(4096, 8, recordOf(Event{Kind: Bio}, 1, 0), recordOf(Event{Kind: Request}, 0, -5))
	f.Add(ring[:4096], uint64(8), end)
	f.Fuzz(func(t *testing.T, data []byte, at, end uint64) {
		once := make([]byte, 4096)
		copy(once, data)
		ring := append(once, once...)
		at &^= 7
		end = at + end%4097
		d := defaultDecoder()
		for at < end {
			data, next, ok, err := ringNext(ring, at, end)
			if !ok || err != nil {
				return
			}
			if next <= at || next > end {
				t.Fatalf("from %d to %d of %d", at, next, end)
			}
			if data != nil {
				var e Event
				if d.decode(data, &e) == nil && (e.Kind != Bio && e.Kind != Request || e.Op > OtherOp) {
					t.Fatalf("%+v", e)
				}
			}
			at = next
		}
	})
}

// bucketOf is bucket_of of bpf/hist.h.
func bucketOf(v uint64, b Buckets) int {
	top := max(bits.Len64(v)-1, 0)
	switch {
	case b == Log2:
		return top
	case top <= 6:
		return int(v)
	case top >= 34:
		return kernelBuckets - 1
	}
	return (top-6)<<6 + int(v>>(top-6))
}

func TestKernelsBucketsAreHists(t *testing.T) {
	for i := range kernelBuckets {
		from := bucketFrom(i)
		b := hist.BucketOf(from)
		require.Equal(t, from, b.From)
		require.Equal(t, i, bucketOf(uint64(b.From), LogLinear))
		require.Equal(t, i, bucketOf(uint64(b.To), LogLinear))
	}
	require.Equal(t, kernelBuckets-1, bucketOf(1<<40, LogLinear))
}

func TestKernelsHistogramIsRestored(t *testing.T) {
	values := []uint64{1, 127, 128, 5000, 5001, 1 << 33, 1 << 36}
	counts, twos := make([]uint64, kernelBuckets), make([]uint64, kernelBuckets)
	var x extremes
	for _, v := range values {
		counts[bucketOf(v, LogLinear)]++
		twos[bucketOf(v, Log2)]++
		x.merge(extremes{Sum: v, Min: v, Max: v, Beyond: min(v>>34, 1)})
	}
	h, err := restore(counts, x)
	require.NoError(t, err)
	require.EqualValues(t, len(values), h.Count())
	require.EqualValues(t, 1, h.Min())
	require.EqualValues(t, 1<<36, h.Max())
	require.EqualValues(t, 1, h.Beyond())
	_, low := h.Sum()
	require.Equal(t, x.Sum, low)
	require.Equal(t, []hist.Bucket{
		{From: 0, To: 1, Count: 1}, {From: 64, To: 127, Count: 1}, {From: 128, To: 255, Count: 1},
		{From: 4096, To: 8191, Count: 2}, {From: 1 << 33, To: 1<<34 - 1, Count: 1}, {From: 1 << 36, To: 1<<37 - 1, Count: 1},
	}, powers(twos))
	// The extremes lag behind the buckets, or are ahead of them, while both grow.
	h, err = restore([]uint64{100: 1, 200: 2}, extremes{Sum: 500, Min: 3, Max: 9999999})
	require.NoError(t, err)
	require.EqualValues(t, 100, h.Min())
	require.EqualValues(t, hist.BucketOf(bucketFrom(200)).To, h.Max())
	empty, err := restore(make([]uint64, kernelBuckets), extremes{})
	require.NoError(t, err)
	require.Zero(t, empty.Count())
}

func BenchmarkDecode(b *testing.B) {
	d := defaultDecoder()
	rec := recordOf(Event{Kind: Bio, Sector: 5, Bytes: 4096, Comm: [16]byte{'f', 'i', 'o'}}, 1<<11, 0)
	var e Event
	for b.Loop() {
		if err := d.decode(rec, &e); err != nil {
			b.Fatal(err)
		}
	}
}

func TestDecodingAllocatesNothing(t *testing.T) {
	d := defaultDecoder()
	rec := recordOf(Event{Kind: Bio, Sector: 5, Bytes: 4096}, 1<<11, 0)
	var e Event
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = d.decode(rec, &e) }))
}
