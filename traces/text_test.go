package traces

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// written is the text of records.
func written(t require.TestingT, recs []Record, volumes []string) string {
	var b bytes.Buffer
	w := NewTextWriter(&b)
	require.NoError(t, w.Write(recs, Names{Volumes: volumes}))
	require.NoError(t, w.Flush())
	return b.String()
}

func TestTextWriterWritesTheCanonicalForm(t *testing.T) {
	recs := []Record{
		{Time: 0, Op: Read, Offset: 4096, Length: 8192, CancelAfter: -1},
		{Time: 1, Op: Write, Offset: 0, Length: 1, CancelAfter: 0, Volume: 1},
		{Time: 1<<63 - 1, Op: Flush, CancelAfter: 1_500_000_000, Volume: 2},
		{Time: 1<<63 - 1, Op: Discard, Offset: 1<<63 - 2, Length: 1, CancelAfter: -1},
	}
	require.Equal(t, "blksim trace 1\n"+
		"0.000000000 R 4096 8192\n"+
		"0.000000001 W 0 1 vol=/dev/sda cancel=0.000000000\n"+
		"9223372036.854775807 F 0 0 vol=a%20b%25%0a cancel=1.500000000\n"+
		"9223372036.854775807 D 9223372036854775806 1\n",
		written(t, recs, []string{"", "/dev/sda", "a b%\n"}))
	require.Equal(t, "blksim trace 1\n", written(t, nil, nil))
}

func TestTextToRecordsToTextIsIdentical(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.StringN(0, 20, maxVolumeName), 1, 5, rapid.ID[string]).Draw(t, "volumes")
		recs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Record {
			r := Record{
				Time:        rapid.Int64Min(0).Draw(t, "time"),
				Offset:      rapid.Int64Min(0).Draw(t, "offset"),
				Op:          Op(rapid.IntRange(0, int(WriteZeroes)).Draw(t, "op")),
				CancelAfter: rapid.OneOf(rapid.Just(int64(-1)), rapid.Int64Min(0)).Draw(t, "cancel"),
				Volume:      uint32(rapid.IntRange(0, len(names)-1).Draw(t, "volume")),
			}
			least := int64(1)
			if r.Op == Flush {
				least = 0
			}
			r.Offset = min(r.Offset, 1<<63-1-least)
			r.Length = rapid.Int64Range(least, 1<<63-1-r.Offset).Draw(t, "length")
			return r
		}), 0, 20).Draw(t, "records")
		slices.SortStableFunc(recs, func(a, b Record) int {
			if a.Time < b.Time {
				return -1
			} else if a.Time > b.Time {
				return 1
			}
			return 0
		})

		text := written(t, recs, names)
		r, err := NewReader(strings.NewReader(text), "t", Options{})
		require.NoError(t, err)
		got := make([]Record, len(recs)+1)
		n, err := r.Read(got)
		if n == 0 {
			require.Equal(t, io.EOF, err)
		}
		require.Equal(t, len(recs), n)
		for i, want := range recs {
			name := r.Volumes()[got[i].Volume]
			require.Equal(t, names[want.Volume], name)
			want.Line, want.Volume = int64(i+2), got[i].Volume
			require.Equal(t, want, got[i])
		}
		require.Equal(t, text, written(t, got[:n], r.Volumes()))
	})
}

func TestTextKeepsItsOwnZero(t *testing.T) {
	out := read(t, "blksim trace 1\n5.0 R 0 1\n6.0 R 0 1\n", Options{})
	require.Equal(t, []int64{5 * s, 6 * s}, times(out.recs))
}

func TestTextWriterRefusesWhatTheFormatCannotHold(t *testing.T) {
	for want, r := range map[string]Record{
		"traces: record at -1 ns: times before the start cannot be written (read with Sort)": {Time: -1, Length: 1},
		"traces: op(9) cannot be written":                                   {Op: 9, Length: 1},
		"traces: read of length 0 cannot be written":                        {},
		"traces: offset -1, length 1: want 0 or more, and a sum below 2^63": {Offset: -1, Length: 1},
	} {
		var b bytes.Buffer
		w := NewTextWriter(&b)
		good := Record{Length: 1, CancelAfter: -1}
		require.EqualError(t, w.Write([]Record{good, r, good}, Names{}), want)
		require.EqualError(t, w.Flush(), want, "the error stays")
		require.Equal(t, "blksim trace 1\n0.000000000 R 0 1\n", b.String())
	}
}

func TestTextWriterReportsAFullDisk(t *testing.T) {
	full := errors.New("no space left on device")
	w := NewTextWriter(writerFunc(func([]byte) (int, error) { return 0, full }))
	recs := make([]Record, 10_000)
	for i := range recs {
		recs[i] = Record{Length: 1}
	}
	require.ErrorIs(t, w.Write(recs, Names{}), full)
	require.ErrorIs(t, w.Flush(), full)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestTextComments(t *testing.T) {
	var b bytes.Buffer
	w := NewTextWriter(&b)
	require.NoError(t, w.Comment("made by\nhand\r\x00"))
	require.NoError(t, w.Write([]Record{{Length: 1, CancelAfter: -1}}, Names{}))
	require.NoError(t, w.Flush())
	require.Equal(t, "blksim trace 1\n# made by\n# hand\n0.000000000 R 0 1\n", b.String())
	require.Len(t, read(t, b.String(), Options{}).recs, 1)
}

func TestTextKeepsEveryFieldOfEveryRecord(t *testing.T) {
	var b bytes.Buffer
	w := NewTextWriter(&b)
	require.NoError(t, w.Write(nativeRecords, nativeNames))
	require.NoError(t, w.Flush())
	out := read(t, b.String(), Options{})
	require.NoError(t, out.err)
	require.Len(t, out.recs, len(nativeRecords))
	for i, want := range nativeRecords {
		got := out.recs[i]
		require.Equal(t, nativeNames.Volumes[want.Volume], out.volumes[got.Volume])
		if want.Process > 0 {
			require.Equal(t, nativeNames.Processes[want.Process], out.names.Processes[got.Process])
		}
		got.Volume, got.Process, got.Line = want.Volume, want.Process, want.Line
		require.Equal(t, want, got)
	}
}
