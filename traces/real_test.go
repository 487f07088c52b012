package traces

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The counts are those of awk and of a Python script over the same files.
func TestRealTraces(t *testing.T) {
	for _, c := range []struct {
		file, format  string
		reads, writes int
		last, end     int64 // time of the last record, highest offset + length
		volumes       int
		skipped       []SkipCount
	}{
		{"linux-mysql.load.gz", "blkreplay", 7187, 73607, 3599890074831, 32556998656, 1, nil},
		{"windows-shared-server.load.gz", "blkreplay", 0, 1371, 3597137874735, 3222487040, 1, nil},
		{"tpcc-small.trace", "mqsim", 4381, 2618, 136489000, 232713410560, 16, nil},
		// The name says 9999; it is 9999 newlines and a last line without one.
		{"financial1-first9999.ascii", "mqsim", 4077, 5923, 259601203125, 513235456, 22, nil},
		{"disksim-ascii.trace.gz", "disksim", 79634, 20366, 1532935854228, 1216522240, 14, nil},
		{"cloudPhysicsIO.vscsi", "vscsi1", 46974, 66898, 7200089885000, 33584938496, 1, nil},
		{"cloudPhysicsIO.csv.gz", "cloudphysics", 46974, 66898, 7200 * s, 33584938496, 1, nil},
		{"sdi.replay.0", "btrecord", 183, 469, 19761378, 4187593113600, 1, nil},
		// 677 D events, of which 4 are passthrough commands. The first is one of
		// them, so the trace begins at the second.
		{"wiscsee-blkparse-output.txt", "blkparse", 161, 512, 449964489, 276824064, 1, []SkipCount{{"no extent", 4}}},
	} {
		t.Run(c.file, func(t *testing.T) {
			r, err := Open(shared(t, c.file), Options{})
			require.NoError(t, err)
			out := drain(t, r, 777)
			require.NoError(t, out.err)
			require.Equal(t, c.format, out.format)
			var reads, writes int
			var end int64
			for _, rec := range out.recs {
				if rec.Op == Read {
					reads++
				} else if rec.Op == Write {
					writes++
				}
				end = max(end, rec.Offset+rec.Length)
			}
			require.Equal(t, []int{c.reads, c.writes, len(out.recs)}, []int{reads, writes, c.reads + c.writes})
			require.Equal(t, c.last, out.recs[len(out.recs)-1].Time)
			require.Equal(t, c.end, end)
			require.Len(t, out.volumes, c.volumes)
			if c.volumes > 1 {
				require.Contains(t, out.stats.Notes, fmt.Sprintf("%d volumes share one address range: the option volume keeps one", c.volumes))
			}
			require.Equal(t, c.skipped, out.stats.Skipped)
			require.Zero(t, out.stats.OutOfOrder)
			require.Equal(t, out.stats.SizeHint, out.stats.Bytes)
			require.Equal(t, recordLines(t, c.file, c.format), out.stats.In)
		})
	}
}

// recordLines counts the records of a real trace in another way than the readers.
func recordLines(t *testing.T, file, format string) int64 {
	f, err := os.Open(shared(t, file))
	require.NoError(t, err)
	defer f.Close()
	if format == "btrecord" {
		info, err := f.Stat()
		require.NoError(t, err)
		return (info.Size() - 32) / 40 // every bunch has one packet
	}
	if format == "vscsi1" {
		info, err := f.Stat()
		require.NoError(t, err)
		return info.Size() / 32
	}
	var in io.Reader = f
	if strings.HasSuffix(file, ".gz") {
		in, err = gzip.NewReader(f)
		require.NoError(t, err)
	}
	var n int64
	for sc := bufio.NewScanner(in); sc.Scan(); {
		line := strings.TrimSpace(sc.Text())
		first := line != "" && line[0] >= '0' && line[0] <= '9'
		switch format {
		case "blkreplay":
			first = first && strings.Count(line, ";") == 5
		case "blkparse":
			first = first && strings.Contains(line, " D ")
		}
		if first {
			n++
		}
	}
	return n
}

// Both files hold the same I/Os. They differ in time only: the CSV has the
// binary's microseconds divided by a million and rounded down.
func TestVscsiAndItsCSVTwinGiveTheSameRecords(t *testing.T) {
	var outs []outcome
	for _, file := range []string{"cloudPhysicsIO.vscsi", "cloudPhysicsIO.csv.gz"} {
		r, err := Open(shared(t, file), Options{})
		require.NoError(t, err)
		outs = append(outs, drain(t, r, 1000))
	}
	bin, csv := outs[0].recs, outs[1].recs
	require.Len(t, csv, len(bin))
	const first = 5633898368802 * us
	for i := range bin {
		b, c := bin[i], csv[i]
		wantTime := ((b.Time+first)/s - first/s) * s
		if b.Op != c.Op || b.Offset != c.Offset || b.Length != c.Length || c.Time != wantTime {
			t.Fatalf("record %d: %+v in the binary, %+v in the CSV", i, b, c)
		}
	}
	require.Equal(t, []string{"every time is a whole second: records that share a second come at once; the option spread-seconds spreads them"}, outs[1].stats.Notes)
	require.Empty(t, outs[0].stats.Notes)
}

// A real trace through our own format and back is the same trace.
func TestRealTracesSurviveTheTextFormat(t *testing.T) {
	for _, file := range []string{"tpcc-small.trace", "wiscsee-blkparse-output.txt", "windows-shared-server.load.gz"} {
		r, err := Open(shared(t, file), Options{})
		require.NoError(t, err)
		want := drain(t, r, 1000)
		var b bytes.Buffer
		w := NewTextWriter(&b)
		require.NoError(t, w.Write(want.recs, want.names))
		require.NoError(t, w.Flush())
		got := read(t, b.String(), Options{})
		require.NoError(t, got.err)
		require.Equal(t, want.volumes, got.volumes)
		require.Len(t, got.recs, len(want.recs))
		for i := range got.recs {
			want.recs[i].Line = got.recs[i].Line
			if want.recs[i] != got.recs[i] {
				t.Fatalf("record %d: %+v, then %+v", i, want.recs[i], got.recs[i])
			}
		}
	}
}

// And through the native format every one of them.
func TestRealTracesSurviveTheNativeFormat(t *testing.T) {
	for _, file := range []string{"linux-mysql.load.gz", "windows-shared-server.load.gz", "tpcc-small.trace", "financial1-first9999.ascii",
		"disksim-ascii.trace.gz", "cloudPhysicsIO.vscsi", "cloudPhysicsIO.csv.gz", "wiscsee-blkparse-output.txt", "sdi.replay.0"} {
		r, err := Open(shared(t, file), Options{})
		require.NoError(t, err)
		want := drain(t, r, 1000)
		require.NoError(t, want.err)
		got := read(t, string(nativeBytes(t, want.recs, want.names, NativeOptions{Ordered: true, Zstd: true})), Options{})
		require.NoError(t, got.err)
		require.Equal(t, want.volumes, got.volumes)
		require.Len(t, got.recs, len(want.recs))
		for i := range got.recs {
			want.recs[i].Line = int64(i + 1)
			if want.recs[i] != got.recs[i] {
				t.Fatalf("%s: record %d: %+v, then %+v", file, i, want.recs[i], got.recs[i])
			}
		}
	}
}
