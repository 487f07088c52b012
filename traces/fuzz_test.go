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

// fuzzFormat reads any input as one format: go test -fuzz=FuzzMSR ./traces.
func fuzzFormat(f *testing.F, format string) {
	for _, s := range append(samples, csvSample()) {
		if s.format == format {
			f.Add([]byte(s.data))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, o := range waysToRead(format) {
			checkAnyInput(t, data, o)
		}
	})
}

func FuzzAlibaba(f *testing.F)      { fuzzFormat(f, "alibaba") }
func FuzzBlkparse(f *testing.F)     { fuzzFormat(f, "blkparse") }
func FuzzBlkreplay(f *testing.F)    { fuzzFormat(f, "blkreplay") }
func FuzzBlktrace(f *testing.F)     { fuzzFormat(f, "blktrace") }
func FuzzBtrecord(f *testing.F)     { fuzzFormat(f, "btrecord") }
func FuzzCSV(f *testing.F)          { fuzzFormat(f, "csv") }
func FuzzCloudPhysics(f *testing.F) { fuzzFormat(f, "cloudphysics") }
func FuzzDiskSim(f *testing.F)      { fuzzFormat(f, "disksim") }
func FuzzFIU(f *testing.F)          { fuzzFormat(f, "fiu") }
func FuzzFio1(f *testing.F)         { fuzzFormat(f, "fio1") }
func FuzzFio2(f *testing.F)         { fuzzFormat(f, "fio2") }
func FuzzFio3(f *testing.F)         { fuzzFormat(f, "fio3") }
func FuzzMQSim(f *testing.F)        { fuzzFormat(f, "mqsim") }
func FuzzMSR(f *testing.F)          { fuzzFormat(f, "msr") }
func FuzzNative(f *testing.F)       { fuzzFormat(f, "native") }
func FuzzSPC(f *testing.F)          { fuzzFormat(f, "spc") }
func FuzzSystor(f *testing.F)       { fuzzFormat(f, "systor") }
func FuzzTencent(f *testing.F)      { fuzzFormat(f, "tencent") }
func FuzzText(f *testing.F)         { fuzzFormat(f, "blksim") }
func FuzzVscsi1(f *testing.F)       { fuzzFormat(f, "vscsi1") }
func FuzzVscsi2(f *testing.F)       { fuzzFormat(f, "vscsi2") }

// FuzzFastLines checks that the fast way through the lines of a format never reads
// other than the slow one, which says what is right.
func FuzzFastLines(f *testing.F) {
	for _, s := range samples {
		f.Add([]byte(s.data), s.format, uint8(0))
	}
	f.Add([]byte("1000,hm,1,Read,4096,512,1\n00000000000000000000000000007,hm,1,Read,00000000000000000000000000007,7,7\n"), "msr", uint8(1))
	f.Add([]byte("0,8,512,r,1.0000000001\n0,8,512,r,9223372036.9\n"), "spc", uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, format string, way uint8) {
		if formatNamed(format) == nil || format == "csv" {
			t.Skip()
		}
		ways := waysToRead(format)
		requireFastAsSlow(t, data, ways[int(way)%len(ways)])
	})
}

// requireFastAsSlow reads data with and without the fast way.
func requireFastAsSlow(t *testing.T, data []byte, o Options) {
	t.Helper()
	var outs []outcome
	for _, slow := range []bool{false, true} {
		r, err := NewReader(bytes.NewReader(data), "t", o)
		if err != nil {
			return
		}
		if slow {
			r.liner = nil
		}
		outs = append(outs, drain(t, r, 100))
	}
	if outs[1].err != nil {
		require.EqualError(t, outs[0].err, outs[1].err.Error())
		outs[0].err, outs[1].err = nil, nil
	}
	require.Equal(t, outs[1], outs[0])
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
