// Package hdr writes histograms as a log of HdrHistogram, format 1.3, with
// histograms encoded as V2 and compressed: what its plotters and log tools read.
//
// The source is the HdrHistogram project's own description
// (github.com/HdrHistogram/HdrHistogram, AbstractHistogram.encodeIntoByteBuffer and
// HistogramLogWriter). Three significant digits are kept, finer than the histograms
// here are: each of their buckets counts at its middle, as in fio.
package hdr

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/bits"

	"blksim/internal/hist"
)

const (
	cookieV2           = 0x1c849303 | 0x10
	cookieV2Compressed = 0x1c849304 | 0x10

	digits   = 3
	subBits  = 11 // of 2048 sub-buckets: 2 x 10^digits, rounded up to a power of two
	halfBits = subBits - 1
)

// Entry is one line of a log: a histogram of nanoseconds over a time.
type Entry struct {
	Tag    string  // without comma, space or line end
	From   float64 // seconds from the start
	Length float64 // seconds
	Bins   []hist.Bucket
	Max    int64 // ns
}

// WriteLog writes a log; what is a comment about its content.
func WriteLog(w io.Writer, what string, entries []Entry) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "#[%s]\n#[Histogram log format version 1.3]\n#[StartTime: 0.000 (seconds since epoch)]\n", what)
	b.WriteString("\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n")
	for _, e := range entries {
		text, err := encode(e.Bins, e.Max)
		if err != nil {
			return err
		}
		if e.Tag != "" {
			fmt.Fprintf(&b, "Tag=%s,", e.Tag)
		}
		fmt.Fprintf(&b, "%.3f,%.3f,%.3f,%s\n", e.From, e.Length, float64(e.Max)/1e6, text)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// indexOf is where a value counts.
func indexOf(v int64) int {
	bucket := bits.Len64(uint64(v)|(1<<subBits-1)) - subBits
	return (bucket+1)<<halfBits + int(v>>bucket) - 1<<halfBits
}

// encode is a histogram as V2, compressed, in base64.
func encode(bins []hist.Bucket, most int64) (string, error) {
	counts := make([]int64, 0, 64)
	for _, b := range bins {
		i := indexOf(min(b.Middle(), max(most, 1)))
		for len(counts) <= i {
			counts = append(counts, 0)
		}
		counts[i] += b.Count
	}
	var payload []byte
	for i := 0; i < len(counts); {
		if counts[i] != 0 {
			payload = zigzag(payload, counts[i])
			i++
			continue
		}
		zeroes := 0
		for i < len(counts) && counts[i] == 0 {
			zeroes++
			i++
		}
		payload = zigzag(payload, -int64(zeroes))
	}
	be := binary.BigEndian
	raw := be.AppendUint32(nil, cookieV2)
	raw = be.AppendUint32(raw, uint32(len(payload)))
	raw = be.AppendUint32(raw, 0) // normalizing index offset
	raw = be.AppendUint32(raw, digits)
	raw = be.AppendUint64(raw, 1)                    // lowest discernible value
	raw = be.AppendUint64(raw, uint64(max(most, 2))) // highest trackable value
	raw = be.AppendUint64(raw, math.Float64bits(1))  // integer to double conversion
	raw = append(raw, payload...)
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	if _, err := z.Write(raw); err != nil {
		return "", err
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	out := be.AppendUint32(nil, cookieV2Compressed)
	out = be.AppendUint32(out, uint32(packed.Len()))
	return base64.StdEncoding.EncodeToString(append(out, packed.Bytes()...)), nil
}

// zigzag appends v as ZigZag LEB128 of at most 9 bytes, the last of which has all
// its bits.
func zigzag(b []byte, v int64) []byte {
	u := uint64(v<<1) ^ uint64(v>>63)
	for range 8 {
		if u < 0x80 {
			return append(b, byte(u))
		}
		b = append(b, byte(u)|0x80)
		u >>= 7
	}
	return append(b, byte(u))
}
