// Command gen makes the sample traces of blksim. Run it by go generate in the
// folder traces, which writes to traces/samples.
package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"blksim/traces"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run() error {
	var buf bytes.Buffer
	if err := writeOLTPMix(&buf); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join("samples", "oltp-mix.blk.gz"), buf.Bytes(), 0o644)
}

const oltpSeed = 1

// oltpMix is a database's load on one 64 GiB volume: 8 KiB pages with hot regions,
// some scans, a log that is flushed, and bursts that a slow SSD cannot follow: at
// 40,000 a second for some 20 ms, about twice a second.
var oltpMix = traces.GenOptions{
	Duration:    10 * time.Second,
	Tick:        time.Microsecond,
	Rate:        1600,
	BurstEvery:  500 * time.Millisecond,
	BurstLength: 20 * time.Millisecond,
	BurstRate:   40_000,
	Capacity:    64 << 30,
	Align:       4096,
	Sequential:  150,
	Regions:     4096,
	Sizes: []traces.SizeWeight{
		{Bytes: 4 << 10, Weight: 15}, {Bytes: 8 << 10, Weight: 60}, {Bytes: 16 << 10, Weight: 15},
		{Bytes: 64 << 10, Weight: 8}, {Bytes: 256 << 10, Weight: 2},
	},
	Reads:     680,
	Flushes:   10,
	Discards:  5,
	Cancelled: 20,
	CancelMin: 200 * time.Microsecond,
	CancelMax: 5 * time.Millisecond,
}

// writeOLTPMix writes the sample. The gzip header has no name and no time, so the
// bytes depend on nothing but the options, the seed and the compressor.
func writeOLTPMix(w io.Writer) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	t := traces.NewTextWriter(z)
	t.Comment(fmt.Sprintf("oltp-mix: made by traces/samples/gen with the seed %d", oltpSeed))
	for r := range traces.Generate(oltpMix, oltpSeed) {
		if err := t.Write([]traces.Record{r}, traces.Names{}); err != nil {
			return err
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return z.Close()
}
