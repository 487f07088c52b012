package traces

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// nativeRecords have every field set in some record, and extreme values.
var nativeRecords = []Record{
	{Time: 5, Offset: 4096, Length: 8192, CancelAfter: -1, Line: 1},
	{Time: 5, Offset: math.MaxInt64 - 512, Length: 512, CancelAfter: 0, Line: 2, Issued: 1, Completed: math.MaxInt64,
		App: math.MaxUint64, Volume: 1, Process: 2, Status: math.MaxUint16, Flags: allFlags, Op: WriteZeroes},
	{Time: 1 << 60, CancelAfter: math.MaxInt64, Line: 3, Process: 1, Op: Flush},
	{Time: 1<<60 + 1, Offset: 512, Length: 1, CancelAfter: -1, Line: 4, Volume: 2, Op: Discard},
}

var nativeNames = Names{Volumes: []string{"sda", "", "\xff\n"}, Processes: []Process{{}, {PID: 7, Name: "dd"}, {PID: math.MaxUint32}}}

func nativeBytes(t testing.TB, recs []Record, names Names, o NativeOptions) []byte {
	t.Helper()
	var b bytes.Buffer
	w := NewNativeWriter(&b, o)
	require.NoError(t, w.Write(recs, names))
	require.NoError(t, w.Close())
	require.NoError(t, w.Close(), "a second Close does nothing")
	return b.Bytes()
}

func nativeSample() sample {
	var b bytes.Buffer
	w := NewNativeWriter(&b, NativeOptions{FrameRecords: 3})
	w.Write(nativeRecords, nativeNames)
	w.Note("recorded by hand")
	w.Close()
	return sample{name: "native", format: "native", data: b.String(), recs: nativeRecords, volumes: nativeNames.Volumes,
		notes: []string{"recorded by hand", "3 volumes share one address range: the option volume keeps one"}}
}

func TestNativeKeepsEveryFieldOfEveryRecord(t *testing.T) {
	for _, o := range []NativeOptions{{}, {Zstd: true}, {FrameRecords: 1, Ordered: true}, {FrameRecords: 2, Zstd: true}} {
		data := nativeBytes(t, nativeRecords, nativeNames, o)
		r, err := NewReader(bytes.NewReader(data), "t", Options{})
		require.NoError(t, err)
		names := r.Names
		out := drain(t, r, 3)
		require.NoError(t, out.err)
		require.Equal(t, nativeRecords, out.recs)
		require.Equal(t, nativeNames, names())
	}
}

func TestNativeKeepsAnyTrace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 40).Draw(t, "n")
		recs := make([]Record, n)
		spread := rapid.SampledFrom([]int64{1, 1000, 1 << 20, 1 << 58}).Draw(t, "spread")
		for i := range recs {
			r := &recs[i]
			num := func(name string, low, high int64) int64 { return rapid.Int64Range(low, high).Draw(t, name) }
			*r = Record{Time: num("time", 0, spread) * num("unit", 1, 16), Op: Op(num("op", 0, 4)), Length: num("length", 1, spread),
				Offset: num("offset", 0, 1<<62), CancelAfter: num("cancel", -1, 3), Line: int64(i + 1), Issued: num("issued", 0, spread),
				App: rapid.Uint64().Draw(t, "app"), Status: uint16(num("status", 0, 65535)), Flags: Flags(num("flags", 0, int64(allFlags)))}
		}
		var b bytes.Buffer
		w := NewNativeWriter(&b, NativeOptions{FrameRecords: rapid.IntRange(1, 9).Draw(t, "frame"), Zstd: rapid.Bool().Draw(t, "zstd")})
		if err := w.Write(recs, Names{}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := NewReader(&b, "t", Options{Order: AsIs})
		if err != nil {
			t.Fatal(err)
		}
		got := make([]Record, n+1)
		k := 0
		for err == nil {
			var m int
			m, err = r.Read(got[k:])
			k += m
		}
		if err != io.EOF || k != n {
			t.Fatalf("%d records of %d, %v", k, n, err)
		}
		for i := range recs {
			if got[i] != recs[i] {
				t.Fatalf("record %d: %+v, then %+v", i, recs[i], got[i])
			}
		}
	})
}

func TestNativeIndexSaysWhatTheFileHolds(t *testing.T) {
	data := nativeBytes(t, nativeRecords, nativeNames, NativeOptions{FrameRecords: 1})
	x, err := ReadIndex(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	require.EqualValues(t, 4, x.Records)
	require.Equal(t, [NumOps]int64{1, 0, 1, 1, 1}, x.Ops)
	require.Equal(t, [NumOps]int64{8192, 0, 0, 1, 512}, x.Bytes)
	require.Equal(t, []int64{5, 1<<60 + 1, math.MaxInt64}, []int64{x.First, x.Last, x.End})
	require.Equal(t, []int64{2, 1, 1}, x.Volumes)
	require.Equal(t, nativeNames, x.Names)
	require.Len(t, x.frames, 4)

	_, err = ReadIndex(bytes.NewReader(data), int64(len(data)-1))
	require.ErrorIs(t, err, ErrTruncated)
	_, err = ReadIndex(bytes.NewReader(nil), 0)
	require.ErrorIs(t, err, ErrTruncated)
	bad := bytes.Clone(data)
	bad[len(bad)-40] ^= 1 // in the index
	_, err = ReadIndex(bytes.NewReader(bad), int64(len(bad)))
	require.ErrorIs(t, err, ErrCorrupt)
}

func TestNativeIndexIsBounded(t *testing.T) {
	var x Index
	f := frame{count: 1}
	const n = 5*maxIndexFrames + 3
	for i := range int64(n) {
		f.first, f.last = i, i
		x.frame(i*100, &f)
		x.count([]Record{{Time: i, Op: Flush}}, &f)
	}
	require.LessOrEqual(t, len(x.frames), maxIndexFrames)
	require.Greater(t, len(x.frames), maxIndexFrames/2)
	for i, at := range x.frames {
		k := int64(i * x.every)
		if at.off != k*100 || at.first != k || at.line != k || i > 0 && at.high != k-1 {
			t.Fatalf("entry %d: %+v", i, at)
		}
	}
	at := x.at(n / 2)
	require.LessOrEqual(t, at.first, int64(n/2))
	require.Greater(t, at.first, int64(n/2-2*x.every))
}

func TestNativeFrameThatIsDamagedIsOneLossAndSaid(t *testing.T) {
	recs := make([]Record, 100)
	for i := range recs {
		recs[i] = Record{Time: int64(i), Length: 512, CancelAfter: -1, Line: int64(i + 1)}
	}
	data := nativeBytes(t, recs, Names{}, NativeOptions{FrameRecords: 10})
	x, err := ReadIndex(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	at := x.frames[1].off
	bad := bytes.Clone(data)
	bad[at+frameHeader+2] ^= 0x10
	out := read(t, string(bad), Options{})
	require.EqualError(t, out.err, fmt.Sprintf(`t: byte %d: payload its checksum does not match: want a payload that fits the frame's header`, at))
	require.Equal(t, recs[:10], out.recs[:10])

	out = read(t, string(bad), Options{OnError: Skip})
	require.NoError(t, out.err)
	require.EqualValues(t, 10, out.stats.Rejected)
	require.Len(t, out.recs, 90)
	require.Equal(t, recs[20:], out.recs[10:])
}

func TestNativeWithoutItsIndexIsTruncated(t *testing.T) {
	recs := make([]Record, 30)
	for i := range recs {
		recs[i] = Record{Time: int64(i), Length: 512, CancelAfter: -1, Line: int64(i + 1)}
	}
	data := nativeBytes(t, recs, Names{}, NativeOptions{FrameRecords: 10})
	for n := nativeHeader; n < len(data); n++ {
		out, err := readBoth(t, data[:n], Options{})
		require.NoError(t, err)
		require.ErrorIs(t, out.err, ErrTruncated, "cut at %d of %d", n, len(data))
		require.Zero(t, len(out.recs)%10)
		require.Equal(t, recs[:len(out.recs)], append([]Record{}, out.recs...))
	}
}

// sealed is a native file with one frame of records that has this payload.
func sealed(payload []byte, count uint32, flags uint16, last int64) []byte {
	var b bytes.Buffer
	w := NewNativeWriter(&b, NativeOptions{})
	w.addNames(Names{Volumes: []string{"a", "b"}})
	w.emit(frame{kind: frameRecords, flags: flags, count: count, last: last}, payload)
	w.index.Records = int64(count)
	w.index.Ops[Flush] = int64(count)
	w.Close()
	return b.Bytes()
}

// values is the payload of one column for each of the slices.
func values(columns map[uint8][]int64) []byte {
	head, data := []byte{0}, []byte(nil)
	for id := uint8(1); id <= numColumns; id++ {
		if v := columns[id]; v != nil {
			var c column
			c, data = pack(id, v, data)
			head[0]++
			head = append(head, id, c.bits, 0, 0)
			for i := range 8 {
				head = append(head, byte(c.base>>(8*i)))
			}
			for i := range 8 {
				head = append(head, byte(c.unit>>(8*i)))
			}
		}
	}
	return append(head, data...)
}

func TestNativeFrameWithABadValueIsRefusedWhole(t *testing.T) {
	for want, columns := range map[string]map[uint8][]int64{
		"time -1: want 0 to 9223372036854775807":                           {colTime: {-1, 5}, colOp: {2, 2}},
		"op 5: want 0 to 4":                                                {colOp: {2, 5}},
		"length 0: want more than 0":                                       {colLength: {512, 0}, colOp: {1, 1}},
		"length -512: want 0 to 9223372036854775807":                       {colLength: {512, -512}},
		"offset 9223372036854775807: want offset + size below 2^63 bytes":  {colOffset: {0, math.MaxInt64}, colLength: {1, 1}},
		"volume 2: want 0 to 1":                                            {colVolume: {0, 2}, colOp: {2, 2}},
		"process 1: want 0 to 0":                                           {colProcess: {0, 1}, colOp: {2, 2}},
		"flags 32: want 0 to 31":                                           {colFlags: {0, 32}, colOp: {2, 2}},
		"status 65536: want 0 to 65535":                                    {colStatus: {0, 65536}, colOp: {2, 2}},
		"time 4: want times in order, within those of the frame's header":  {colTime: {5, 4}, colOp: {2, 2}},
		"time 50: want times in order, within those of the frame's header": {colTime: {5, 50}, colOp: {2, 2}},
	} {
		out := read(t, string(sealed(values(columns), 2, frameSorted, 10)), Options{OnError: Skip})
		require.NoError(t, out.err)
		require.EqualValues(t, 2, out.stats.Rejected, want)
		require.Len(t, out.stats.FirstErrors, 1)
		require.Contains(t, out.stats.FirstErrors[0].Error(), want)
	}
}

// A frame whose checksums are right is still not believed.
func FuzzNativePayload(f *testing.F) {
	f.Add(values(map[uint8][]int64{colTime: {0, 5}, colOp: {2, 2}}), uint32(2), uint16(1))
	f.Add(values(map[uint8][]int64{colTime: {9, 5, 4}, colLength: {512, 4096, 1 << 60}, colApp: {0, math.MinInt64, math.MaxInt64}}), uint32(3), uint16(0))
	f.Fuzz(func(t *testing.T, payload []byte, count uint32, flags uint16) {
		data := sealed(payload, count%(maxFrameRecords+2), flags&1, 10)
		for _, o := range waysToRead("native") {
			checkAnyInput(t, data, o)
		}
	})
}

func TestNativePayloadsThatAreDamagedAreAccountedFor(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	payload := values(map[uint8][]int64{colTime: {0, 5, 6, 9}, colLength: {512, 4096, 1 << 60, 8}, colOp: {0, 1, 2, 3}, colVolume: {0, 1, 1, 0}})
	n := 2000
	if testing.Short() {
		n /= 10
	}
	ways := waysToRead("native")
	for k := range n {
		checkAnyInput(t, sealed(mutate(rng, payload), 4, uint16(k&1), 10), ways[k/2%len(ways)])
	}
}

func TestNativeReadDoesNotAllocate(t *testing.T) {
	r, err := NewReader(bytes.NewReader(benchLines("native", 200_000, 1000)), "t", Options{})
	require.NoError(t, err)
	recs := make([]Record, 1000)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if n, err := r.Read(recs); n != len(recs) || err != nil {
			t.Fatal(n, err)
		}
	}))
}

func TestNativeThatIsNotOrderedIsSortedWithinTheWindow(t *testing.T) {
	// As a recorder writes it: by completion, frames in order by themselves.
	var recs []Record
	for i := range int64(40) {
		recs = append(recs, Record{Time: i/10*5 + i%10, Length: 512, CancelAfter: -1})
	}
	out := read(t, string(nativeBytes(t, recs, Names{}, NativeOptions{FrameRecords: 10})), Options{})
	require.NoError(t, out.err)
	require.Len(t, out.recs, 40)
	require.Positive(t, out.stats.OutOfOrder)

	w := NewNativeWriter(io.Discard, NativeOptions{Ordered: true})
	require.ErrorContains(t, w.Write(recs, Names{}), "in a trace that is to be ordered")
}

func TestNativeSeeksToATimeAndMissesNothing(t *testing.T) {
	var recs []Record
	names := Names{Volumes: []string{"a", "b", "c"}}
	for i := range int64(1000) {
		recs = append(recs, Record{Time: i * 10, Length: 512, CancelAfter: -1, Line: i + 1, Volume: uint32(i / 400)})
	}
	for _, o := range []NativeOptions{{FrameRecords: 7}, {FrameRecords: 50, Ordered: true, Zstd: true}} {
		path := filepath.Join(t.TempDir(), "t.blkt")
		require.NoError(t, os.WriteFile(path, nativeBytes(t, recs, names, o), 0o600))
		for _, at := range []int64{-1, 0, 1, 69, 70, 71, 5000, 9990, 9991, 1 << 40} {
			r, err := Open(path, Options{})
			require.NoError(t, err)
			passed, err := r.SeekTime(at)
			require.NoError(t, err)
			require.LessOrEqual(t, passed, max(0, (at+9)/10), "nothing from %d on is missing", at)
			require.GreaterOrEqual(t, passed, min(int64(1000), max(0, at/10))-2*int64(o.FrameRecords))
			out := drain(t, r, 33)
			require.NoError(t, out.err)
			require.Equal(t, recs[passed:], append([]Record{}, out.recs...))
			require.Equal(t, names.Volumes, out.volumes)
			require.EqualValues(t, 1000-passed, out.stats.In)
		}
	}
	// What cannot be sought is read from the start.
	r, err := NewReader(bytes.NewReader(nativeBytes(t, recs, names, NativeOptions{})), "t", Options{})
	require.NoError(t, err)
	passed, err := r.SeekTime(5000)
	require.NoError(t, err)
	require.Zero(t, passed)
	require.Len(t, drain(t, r, 33).recs, 1000)
}
