package traces

import (
	"io"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// A trace of any length is read in bounded memory, also through a pipe and with a
// full window.
func TestMemoryDoesNotGrowWithTheTrace(t *testing.T) {
	const n = 3_000_000
	in, out := io.Pipe()
	go func() {
		// All at one time: the window is always as full as it may be.
		chunk := benchLines("msr", 10_000, 0)
		for range n / 10_000 {
			if _, err := out.Write(chunk); err != nil {
				return
			}
		}
		out.Close()
	}()
	r, err := NewReader(in, "t", Options{})
	require.NoError(t, err)
	defer in.Close()
	recs := make([]Record, 1000)
	var total, most int64
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	for {
		k, err := r.Read(recs)
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		if total += int64(k); total%500_000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			most = max(most, int64(now.HeapAlloc)-int64(before.HeapAlloc))
		}
	}
	require.EqualValues(t, n, total)
	require.Less(t, most, int64(8<<20)) // the window has 3 MiB
}

// In the steady state no record costs an allocation, in any format.
func TestReadDoesNotAllocate(t *testing.T) {
	for _, format := range benchFormats {
		if format == "native" {
			continue // TestNativeReadDoesNotAllocate: it has an end
		}
		for _, order := range []OrderPolicy{Sort, AsIs} {
			r, err := NewReader(&endless{first: firstLines[format], chunk: benchLines(format, 2000, 0)[len(firstLines[format]):]},
				"t", Options{Format: format, Order: order, WindowRecords: 1000})
			require.NoError(t, err)
			recs := make([]Record, 1000)
			read := func() {
				n, err := r.Read(recs)
				if n != len(recs) || err != nil {
					t.Fatal(n, err)
				}
			}
			for range 10 { // the window grows to its size
				read()
			}
			require.Zero(t, testing.AllocsPerRun(20, read), "%s, order %d", format, order)
		}
	}
}

// endless repeats a chunk behind a first line.
type endless struct {
	first string
	chunk []byte
	at    int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.first != "" {
		n := copy(p, e.first)
		e.first = e.first[n:]
		return n, nil
	}
	n := copy(p, e.chunk[e.at:])
	e.at = (e.at + n) % len(e.chunk)
	return n, nil
}
