package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/aio"
)

func TestEveryLoadHasItsRows(t *testing.T) {
	names := map[string]bool{}
	for _, r := range program().Rows("", true) {
		require.False(t, names[r.Name], r.Name)
		names[r.Name] = true
	}
	for _, want := range []string{"read-q1-vs-tuned", "write-q128-vs-default", "write-q8-cpu", "pinned-read-q32-vs-tuned", "read-q1-bare-cpu", "engines"} {
		require.True(t, names[want], want)
	}
	require.Len(t, names, 2*4*5+4+1)
}

func TestFioReport(t *testing.T) {
	w, err := parseFio([]byte(`{"jobs":[{"error":0,"read":{"total_ios":0,"iops":0},"write":{"total_ios":50,"iops":100000},"usr_cpu":20,"sys_cpu":40}]}`))
	require.NoError(t, err)
	require.Equal(t, window{iops: 100000, cpu: 6000}, w)
	for _, bad := range []string{`{`, `{}`, `{"jobs":[{"error":5,"read":{"total_ios":1,"iops":1}}]}`, `{"jobs":[{}]}`} {
		_, err := parseFio([]byte(bad))
		require.Error(t, err, bad)
	}
}

func TestSpecNames(t *testing.T) {
	require.Equal(t, "pinned-write-q8", spec{aio.OpWrite, 8, true}.String())
}
