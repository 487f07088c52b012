package traces

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

func gzipped(t testing.TB, data string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(data))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

func zstded(t testing.TB, data string) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
	require.NoError(t, err)
	_, err = z.Write([]byte(data))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

func TestGzipAndZstdAreUnwrapped(t *testing.T) {
	for _, s := range samples {
		for _, packed := range [][]byte{gzipped(t, s.data), zstded(t, s.data)} {
			out, err := readBoth(t, packed, Options{})
			require.NoError(t, err)
			require.NoError(t, out.err)
			require.Equal(t, s.format, out.format)
			require.Equal(t, s.recs, out.recs)
			require.EqualValues(t, len(packed), out.stats.Bytes)
		}
	}
}

func TestConcatenatedGzipAndZstdAreOneStream(t *testing.T) {
	half := strings.Repeat(good["msr"], 10)
	out := read(t, string(gzipped(t, half))+string(gzipped(t, half)), Options{})
	require.Len(t, out.recs, 20)
	out = read(t, string(zstded(t, half))+string(zstded(t, half)), Options{})
	require.Len(t, out.recs, 20)
	skippable := "\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"
	out = read(t, skippable+string(zstded(t, half)), Options{})
	require.Len(t, out.recs, 10)
}

// bigTrace has lines that do not compress to nothing.
func bigTrace(n int) string {
	return string(benchLines("msr", n, 20_000))
}

func TestATruncatedStreamGivesAllThatCanBeReadAndSaysWhereItBroke(t *testing.T) {
	data := bigTrace(20_000)
	want := read(t, data, Options{})
	for name, packed := range map[string][]byte{"gzip": gzipped(t, data), "zstd": zstded(t, data)} {
		for _, part := range []int{10, 30, 50, 70, 99} {
			cut := packed[:len(packed)*part/100]
			out, err := readBoth(t, cut, Options{})
			if err != nil { // zstd: not one whole block
				require.EqualError(t, err, "t: truncated "+name+" stream: 0 records read, broken at byte "+strconv.Itoa(len(cut)))
				continue
			}
			require.ErrorIs(t, out.err, ErrTruncated)
			var e *StreamError
			require.ErrorAs(t, out.err, &e)
			require.EqualValues(t, len(out.recs), e.Records)
			require.EqualValues(t, len(cut), e.Byte)
			require.Contains(t, out.err.Error(), "t: truncated "+name+" stream: ")
			require.Equal(t, want.recs[:len(out.recs)], out.recs, "no record may be made up of a half line")
			require.Greater(t, len(out.recs), len(want.recs)*part/100-5000) // a zstd block is some 2,500 lines
			// The bytes add up: whole lines, and what is left of one.
			whole := int64(0)
			for range out.recs {
				whole += int64(strings.IndexByte(data[whole:], '\n') + 1)
			}
			require.Equal(t, e.Inner, whole+e.Left)
		}
	}
}

func TestATruncatedStreamMayBreakInEveryByte(t *testing.T) {
	data := bigTrace(40)
	for _, packed := range [][]byte{gzipped(t, data), zstded(t, data)} {
		for n := 4; n < len(packed); n++ {
			out, err := readBoth(t, packed[:n], Options{})
			if err == nil {
				err = out.err
			}
			require.ErrorIs(t, err, ErrTruncated, "cut at %d of %d: %v", n, len(packed), err)
		}
	}
}

func TestATruncatedStreamMessage(t *testing.T) {
	packed := gzipped(t, strings.Repeat(good["mqsim"], 10))
	out := read(t, string(packed[:len(packed)-4]), Options{})
	require.EqualError(t, out.err, "t: truncated gzip stream: 10 records read, broken at byte 32 (130 decompressed)")
	require.Len(t, out.recs, 10)
}

func TestADamagedStreamIsCorrupt(t *testing.T) {
	data := bigTrace(20_000)
	for name, packed := range map[string][]byte{"gzip": gzipped(t, data), "zstd": zstded(t, data)} {
		bad := bytes.Clone(packed)
		for i := range 20 {
			bad[len(bad)/2+i] ^= 0xff
		}
		out, err := readBoth(t, bad, Options{OnError: Skip})
		require.NoError(t, err)
		require.Error(t, out.err)
		require.ErrorIs(t, out.err, ErrCorrupt, "%v", out.err)
		require.NotErrorIs(t, out.err, ErrTruncated)
		require.Contains(t, out.err.Error(), "t: corrupt "+name+" stream: ")
		require.NotEmpty(t, out.recs)
	}
	out := read(t, string(gzipped(t, data))+"trailing garbage", Options{})
	require.ErrorIs(t, out.err, ErrCorrupt)
	require.Len(t, out.recs, 20_000)
}

func TestCompressedNothingIsEmpty(t *testing.T) {
	require.EqualError(t, openErr(t, string(gzipped(t, "")), Options{}), "traces: t: nothing inside the gzip stream: empty file")
	require.ErrorIs(t, openErr(t, string(zstded(t, "")), Options{}), ErrEmpty)
	require.ErrorIs(t, openErr(t, string(gzipped(t, string(gzipped(t, "x")))), Options{}), ErrUnsupported)
}

func TestAZstdWindowLargerThanTheBoundIsRefused(t *testing.T) {
	// A frame by hand: magic, no flags, a window descriptor, one raw last block.
	frame := func(windowLog int) string {
		data := good["msr"]
		return string(zstdMagic) + string([]byte{0, byte(windowLog-10) << 3, 1 | byte(len(data))<<3, byte(len(data) >> 5), 0}) + data
	}
	require.Len(t, read(t, frame(25), Options{}).recs, 1)
	err := openErr(t, frame(26), Options{})
	require.ErrorIs(t, err, ErrUnsupported)
	require.ErrorContains(t, err, "its window is larger than 32 MiB: compress it again without --long or --ultra")
}

var errDisk = errors.New("input/output error")

func TestAFailingReadIsItsOwnErrorNotATruncation(t *testing.T) {
	data := bigTrace(20_000)
	for _, stored := range [][]byte{[]byte(data), gzipped(t, data), zstded(t, data)} {
		half := stored[:len(stored)/2]
		r, err := NewReader(io.MultiReader(bytes.NewReader(half), failing{}), "t", Options{})
		require.NoError(t, err)
		out := drain(t, r, 1000)
		require.ErrorIs(t, out.err, errDisk)
		require.NotErrorIs(t, out.err, ErrTruncated)
		require.NotErrorIs(t, out.err, ErrCorrupt)
		require.Greater(t, len(out.recs), 5000)
		require.Contains(t, out.err.Error(), "records read, broken at byte "+strconv.Itoa(len(half)))
	}
	_, err := NewReader(failing{}, "t", Options{})
	require.ErrorIs(t, err, errDisk)
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errDisk }
