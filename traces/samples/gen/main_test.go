package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"blksim/traces"

	"github.com/stretchr/testify/require"
)

var sample = filepath.Join("..", "oltp-mix.blk.gz")

// The file holds what the generator makes now. If the records are the same and only
// the bytes differ, the compressor of the Go release has changed: go generate.
func TestSampleIsWhatTheGeneratorMakes(t *testing.T) {
	var made bytes.Buffer
	require.NoError(t, writeOLTPMix(&made))
	stored, err := os.ReadFile(sample)
	require.NoError(t, err)
	require.Equal(t, records(t, bytes.NewReader(stored)), records(t, &made), "other records: the generator has changed")
	made.Reset()
	require.NoError(t, writeOLTPMix(&made))
	require.True(t, bytes.Equal(stored, made.Bytes()), "other bytes: run go generate in traces")
}

func records(t *testing.T, in io.Reader) []traces.Record {
	r, err := traces.NewReader(in, "sample", traces.Options{Order: traces.Reject})
	require.NoError(t, err)
	var out []traces.Record
	buf := make([]traces.Record, 1000)
	for {
		n, err := r.Read(buf)
		out = append(out, buf[:n]...)
		if err == io.EOF {
			require.NoError(t, r.Stats().Check())
			return out
		}
		require.NoError(t, err)
	}
}

// What the README of the samples promises.
func TestSampleIsALoadWithBurstsOfModestSize(t *testing.T) {
	info, err := os.Stat(sample)
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(400_000))
	f, err := os.Open(sample)
	require.NoError(t, err)
	defer f.Close()
	recs := records(t, f)
	require.Greater(t, len(recs), 20_000)
	require.Less(t, len(recs), 50_000)
	require.InDelta(t, 10, time.Duration(recs[len(recs)-1].Time).Seconds(), 0.1)
	cancelled := 0
	perBin := map[int64]int{}
	for _, r := range recs {
		if r.CancelAfter >= 0 {
			cancelled++
		}
		perBin[r.Time/int64(10*time.Millisecond)]++
	}
	require.Greater(t, cancelled, 300)
	busy := 0
	for _, n := range perBin {
		if n > 200 { // 20,000 a second
			busy++
		}
	}
	require.Greater(t, busy, 15)
	require.Less(t, busy, 100)
}
