package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/traces"
)

// TestEveryRecordedSampleCanBeCompared: it is small, in the README of its folder, of no
// machine's paths, and has the latencies that a comparison wants.
func TestEveryRecordedSampleCanBeCompared(t *testing.T) {
	samples, err := filepath.Glob("../../traces/samples/*.blkt")
	require.NoError(t, err)
	require.Len(t, samples, 4)
	readme, err := os.ReadFile("../../traces/samples/README.md")
	require.NoError(t, err)
	host, err := os.Hostname()
	require.NoError(t, err)
	for _, path := range samples {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Less(t, info.Size(), int64(300_000), path)
		require.Contains(t, string(readme), "| "+filepath.Base(path)+" |")
		names, notes := namesOf(t, path)
		for _, text := range append(notes, names...) {
			require.NotContains(t, text, "/tmp", path)
			require.False(t, len(host) > 3 && strings.Contains(text, host), "%s: %q", path, text)
		}
		code, out, errs := blksim("compare", "--output-format=json", path)
		require.Zero(t, code, "%s: %s", path, errs)
		v := validations(t, out)[0]
		stages := map[string]bool{}
		for _, d := range v.Distances {
			stages[d.Stage] = true
			require.Positive(t, d.A, path)
		}
		require.True(t, stages[""] && stages["queue"] && stages["device"], path)
	}
}

// namesOf reads a trace to its end, and gives what it calls things.
func namesOf(t *testing.T, path string) (names, notes []string) {
	t.Helper()
	rd, err := traces.Open(path, traces.Options{})
	require.NoError(t, err)
	defer rd.Close()
	recs := make([]traces.Record, 4096)
	for err == nil {
		_, err = rd.Read(recs)
	}
	all := rd.Names()
	for _, p := range all.Processes {
		names = append(names, p.Name)
	}
	return append(names, all.Volumes...), rd.Stats().Notes
}
