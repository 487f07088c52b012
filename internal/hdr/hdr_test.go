package hdr

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"blksim/internal/hist"
)

// counts decodes a histogram, by the format's description: the counts by index.
func counts(t require.TestingT, text string) []int64 {
	raw, err := base64.StdEncoding.DecodeString(text)
	require.NoError(t, err)
	be := binary.BigEndian
	require.EqualValues(t, cookieV2Compressed, be.Uint32(raw))
	require.EqualValues(t, len(raw)-8, be.Uint32(raw[4:]))
	z, err := zlib.NewReader(bytes.NewReader(raw[8:]))
	require.NoError(t, err)
	raw, err = io.ReadAll(z)
	require.NoError(t, err)
	require.EqualValues(t, cookieV2, be.Uint32(raw))
	payload := raw[40:]
	require.EqualValues(t, len(payload), be.Uint32(raw[4:]))
	var out []int64
	for len(payload) > 0 {
		var u uint64
		for i := 0; ; i++ {
			c := payload[0]
			payload = payload[1:]
			if i == 8 {
				u |= uint64(c) << 56
				break
			}
			u |= uint64(c&0x7f) << (7 * i)
			if c < 0x80 {
				break
			}
		}
		switch v := int64(u>>1) ^ -int64(u&1); {
		case v < 0:
			out = append(out, make([]int64, -v)...)
		default:
			out = append(out, v)
		}
	}
	return out
}

// TestCountsAreWhereTheirValuesAre: a value counts at an index whose range has it,
// to three digits.
func TestCountsAreWhereTheirValuesAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &hist.Histogram{}
		for _, v := range rapid.SliceOfN(rapid.Int64Range(0, 1<<34-1), 1, 30).Draw(t, "values") {
			h.Add(v >> rapid.IntRange(0, 34).Draw(t, "shift"))
		}
		var bins []hist.Bucket
		want := map[int]int64{}
		for b := range h.Buckets() {
			bins = append(bins, b)
			v := min(b.Middle(), max(h.Max(), 1))
			// The least value of the index: the lowest 11 significant bits stay.
			i := indexOf(v)
			low := int64(i)
			if bucket := i>>halfBits - 1; bucket > 0 {
				low = int64(i&(1<<halfBits-1)|1<<halfBits) << bucket
			}
			if low > v || v-low > v/1000 {
				t.Fatalf("value %d at index %d, from %d", v, i, low)
			}
			want[i] += b.Count
		}
		text, err := encode(bins, h.Max())
		require.NoError(t, err)
		for i, n := range counts(t, text) {
			if n != want[i] {
				t.Fatalf("index %d has %d, want %d", i, n, want[i])
			}
			delete(want, i)
		}
		require.Empty(t, want)
	})
}

func TestALogHasALineForEachEntry(t *testing.T) {
	var b bytes.Buffer
	h := &hist.Histogram{}
	h.Add(2_500_000)
	var bins []hist.Bucket
	for bin := range h.Buckets() {
		bins = append(bins, bin)
	}
	require.NoError(t, WriteLog(&b, "test", []Entry{{Tag: "read", Length: 1.5, Bins: bins, Max: h.Max()}, {Bins: nil}}))
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	require.Equal(t, "#[test]", lines[0])
	require.Equal(t, "#[Histogram log format version 1.3]", lines[1])
	require.True(t, strings.HasPrefix(lines[4], "Tag=read,0.000,1.500,2.500,HISTFAAA"), lines[4])
	require.True(t, strings.HasPrefix(lines[5], "0.000,0.000,0.000,HISTFAAA"), lines[5])
}
