package traces

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Run: go test -run=- -bench=Read ./traces. MB/s is of the decompressed input;
// best-Mrec/s is the rate of the fastest pass, which on a shared machine is the one
// that says something.

// benchLines makes n lines of a format, so many ns apart, with an offset and a size
// of usual width.
func benchLines(format string, n int, step int64) []byte {
	var b bytes.Buffer
	b.WriteString(firstLines[format])
	if format == "native" {
		w := NewNativeWriter(&b, NativeOptions{Ordered: true})
		for i := range int64(n) {
			w.Write([]Record{{Time: i * step, Offset: (i * 7919 % 100_000_000) * 4096, Length: 8192, CancelAfter: -1, Op: Op(i & 1)}}, Names{})
		}
		w.Close()
	}
	for i := range int64(n) {
		ns, off := i*step, (i*7919%100_000_000)*4096
		kind := []string{"Read", "Write"}[i&1]
		switch format {
		case "blksim":
			fmt.Fprintf(&b, "%d.%09d %c %d 8192\n", ns/1e9, ns%1e9, kind[0], off)
		case "msr":
			fmt.Fprintf(&b, "%d,hm,1,%s,%d,8192,5%d\n", 130000000000000017+ns/100, kind, off, i%1000)
		case "spc":
			fmt.Fprintf(&b, "0,%d,8192,%c,%d.%06d\n", off/512, kind[0], ns/1e9, ns%1e9/1000)
		case "mqsim":
			fmt.Fprintf(&b, "%d 3 %d 16 %d\n", ns, off/512, i&1)
		case "disksim":
			fmt.Fprintf(&b, "%d.%06d 3 %d 16 %d\n", ns/1e6, ns%1e6, off/512, i&1)
		case "blkreplay":
			fmt.Fprintf(&b, "%7d.%09d ; %12d ; %4d ; %c ; 0.0 ; 0.0\n", ns/1e9, ns%1e9, off/512, 16, kind[0])
		case "blktrace":
			for k, letter := range []byte("QDC") {
				e := blkEvent{ns: ns + int64(k)*1000, letter: letter, rwbs: kind[:1], sector: uint64(off / 512), count: 16, pid: 77}
				b.Write(e.binary(binary.LittleEndian, 7, uint32(i)))
			}
		case "blkparse":
			fmt.Fprintf(&b, "  8,33  30 %8d %5d.%09d    77  Q %3c %d + 16 [some worker]\n", i, ns/1e9, ns%1e9, kind[0], off/512)
		case "alibaba":
			fmt.Fprintf(&b, "%d,%c,%d,8192,%d\n", 17, kind[0], off, 1600000000000046+ns/1000)
		case "tencent":
			fmt.Fprintf(&b, "%d,%d,16,%d,1017\n", 1540000000+ns/1e9, off/512, i&1)
		case "cloudphysics":
			fmt.Fprintf(&b, "1,%d,2%c,8192,%d\n", 5000000+ns/1e9, "8a"[i&1], off/512)
		case "fio3":
			fmt.Fprintf(&b, "%d /dev/sda %s %d 8192\n", ns/1000, []string{"read", "write"}[i&1], off)
		case "vscsi1":
			b.Write(vscsi1Record(vscsiRecord{cmd: 0x28 + uint16(i&1)*2, ver: 0x0100, len: 8192, lbn: uint64(off / 512), ts: uint64(5000000172194 + ns/1000)}))
		}
	}
	return b.Bytes()
}

var benchFormats = []string{"blksim", "msr", "spc", "mqsim", "disksim", "blkreplay", "blkparse", "blktrace", "cloudphysics", "fio3", "alibaba", "tencent", "vscsi1", "native"}

// readAll is one pass over data.
func readAll(b *testing.B, data []byte, o Options, recs []Record) (total int) {
	r, err := NewReader(bytes.NewReader(data), "bench", o)
	for err == nil {
		var n int
		n, err = r.Read(recs)
		total += n
	}
	if err != io.EOF {
		b.Fatal(err)
	}
	return total
}

func BenchmarkRead(b *testing.B) {
	const n = 500_000 // finding the format costs as much as some thousand records
	recs := make([]Record, 1024)
	for _, format := range benchFormats {
		data := benchLines(format, n, 20_000) // dense: the window is full
		for _, order := range []OrderPolicy{Sort, AsIs} {
			b.Run(fmt.Sprintf("%s/%s", format, []string{"sort", "as-is"}[order]), func(b *testing.B) {
				best := time.Hour
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				for b.Loop() {
					start := time.Now()
					if readAll(b, data, Options{Order: order}, recs) != n {
						b.Fatal("records are missing")
					}
					best = min(best, time.Since(start))
				}
				b.ReportMetric(n/best.Seconds()/1e6, "best-Mrec/s")
			})
		}
	}
}

// BenchmarkMSRAgainstSplit reads MSR lines with the package and with strings.Split
// and strconv in turn, and reports how many times faster the package is.
func BenchmarkMSRAgainstSplit(b *testing.B) {
	const n = 100_000
	data := benchLines("msr", n, 20_000)
	recs := make([]Record, 1024)
	ours, split := time.Hour, time.Hour
	for b.Loop() {
		start := time.Now()
		readAll(b, data, Options{Format: "msr"}, recs)
		ours = min(ours, time.Since(start))

		start = time.Now()
		splitMSR(b, data, recs)
		split = min(split, time.Since(start))
	}
	b.ReportMetric(float64(split)/float64(ours), "x-split")
	b.ReportMetric(n/ours.Seconds()/1e6, "best-Mrec/s")
}

// splitMSR reads MSR lines the obvious way, without order or accounting.
func splitMSR(b *testing.B, data []byte, recs []Record) {
	for i, line := range strings.Split(string(data), "\n") {
		f := strings.Split(line, ",")
		if len(f) != 7 {
			continue
		}
		ticks, err1 := strconv.ParseInt(f[0], 10, 64)
		offset, err2 := strconv.ParseInt(f[4], 10, 64)
		size, err3 := strconv.ParseInt(f[5], 10, 64)
		if err1 != nil || err2 != nil || err3 != nil {
			b.Fatal(line)
		}
		recs[i%len(recs)] = Record{Time: ticks, Offset: offset, Length: size}
	}
}

// BenchmarkAgainstBytes reads traces, and their bytes alone, in turn: plain ones against
// a copy of the bytes through a buffer, packed ones against the decoder alone. x-bytes
// is how many times as long reading the trace takes.
func BenchmarkAgainstBytes(b *testing.B) {
	const n = 500_000
	recs := make([]Record, 1024)
	for _, c := range []struct {
		name, format string
		pack         func(testing.TB, string) []byte
	}{{"msr", "msr", nil}, {"alibaba", "alibaba", nil}, {"native", "native", nil}, {"msr.gz", "msr", gzipped}, {"msr.zst", "msr", zstded}} {
		data := benchLines(c.format, n, 20_000)
		if c.pack != nil {
			data = c.pack(b, string(data))
		}
		b.Run(c.name, func(b *testing.B) {
			trace, bytesOnly := time.Hour, time.Hour
			buf := make([]byte, bufferSize)
			for b.Loop() {
				start := time.Now()
				if readAll(b, data, Options{}, recs) != n {
					b.Fatal("records are missing")
				}
				trace = min(trace, time.Since(start))
				start = time.Now()
				s, err := newSource(bytes.NewReader(data))
				for err == nil {
					_, err = s.content.Read(buf)
				}
				s.close()
				bytesOnly = min(bytesOnly, time.Since(start))
			}
			b.ReportMetric(float64(trace)/float64(bytesOnly), "x-bytes")
			b.ReportMetric(n/trace.Seconds()/1e6, "best-Mrec/s")
			b.ReportMetric(n/bytesOnly.Seconds()/1e6, "best-Mrec/s-of-bytes")
		})
	}
}
