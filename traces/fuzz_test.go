package traces

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzReader reads any input as any format: go test -fuzz=FuzzReader ./traces.
func FuzzReader(f *testing.F) {
	for _, s := range samples {
		f.Add([]byte(s.data), s.format)
		f.Add([]byte(s.data), "")
	}
	f.Add([]byte(csvSample().data), "csv")
	f.Add(gzipped(f, sampleOf("msr").data), "")
	f.Add(zstded(f, sampleOf("spc").data), "")
	f.Fuzz(func(t *testing.T, data []byte, format string) {
		if format != "" && formatNamed(format) == nil {
			t.Skip()
		}
		for _, o := range waysToRead(format) {
			checkAnyInput(t, data, o)
		}
	})
}

// FuzzMSRFast checks that the fast way through an MSR line never reads other than
// the slow one, which says what is right.
func FuzzMSRFast(f *testing.F) {
	f.Add([]byte("130000000000000017,hm,1,Read,104857600,32768,400"))
	f.Add([]byte("1,hm,0,Write,0,1,99999999999999999999999"))
	f.Add([]byte("00000000000000000000000000007,hm,1,Read,00000000000000000000000000007,7,7"))
	f.Fuzz(func(t *testing.T, line []byte) {
		first := []byte("1000,hm,1,Read,4096,512,1")
		parse := func(b []byte, slow bool) (verdict, Record) {
			o := Options{}.resolved()
			p := openMSR(newScan(formatNamed("msr"), &o, nil)).(*msr)
			var rec Record
			require.Equal(t, isRecord, p.parse(first, &rec))
			// A second volume, so that fast has two to know.
			require.Equal(t, isRecord, p.parse([]byte("1000,hm,0,Read,4096,512,1"), &rec))
			rec = Record{CancelAfter: -1}
			if slow {
				return p.slow(b, &rec), rec
			}
			if p.fast(b, &rec) {
				return isRecord, rec
			}
			return isBad, rec
		}
		if bytes.IndexByte(line, '\n') >= 0 {
			t.Skip()
		}
		if v, fast := parse(line, false); v == isRecord {
			w, slow := parse(line, true)
			require.Equal(t, isRecord, w)
			require.Equal(t, slow, fast)
		}
	})
}

// FuzzNumbers checks the number parsers against the obvious way.
func FuzzNumbers(f *testing.F) {
	for _, in := range []string{"", "0", "7,", "12345678", "123456789", "9223372036854775807", "9223372036854775808",
		"18446744073709551615", "18446744073709551616", "000000000000000000000000000000012", "1234567x", "\xb112345678"} {
		f.Add([]byte(in), uint8(0))
		f.Add([]byte(in), uint8(3))
	}
	f.Fuzz(func(t *testing.T, b []byte, slack uint8) {
		// The same bytes with and without room behind them, since uintAt looks there.
		room := append(bytes.Clone(b), bytes.Repeat([]byte{'7'}, int(slack%16))...)[:len(b)]
		for _, in := range [][]byte{b[:len(b):len(b)], room} {
			v, end := uintAt(in, 0)
			var want uint64
			n, over := 0, false
			for n < len(in) && in[n] >= '0' && in[n] <= '9' {
				d := uint64(in[n] - '0')
				over = over || want > (overflow-d)/10
				want = want*10 + d
				n++
			}
			require.Equal(t, n, end)
			require.Equal(t, n, digitsEnd(in, 0))
			if over {
				want = overflow
			}
			require.Equal(t, want, v)
		}
	})
}
