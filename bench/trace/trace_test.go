package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/internal/ebpf"
)

func TestATotalAddsUpItsTurns(t *testing.T) {
	var sum total
	for i := range uint64(3) {
		sum.add(turn{ios: 1000, took: time.Second}, looked{turn{ios: 800, took: time.Second, seen: 790, counts: true},
			&ebpf.Counts{Started: 900, Lost: 5, NoRoom: 1, Stale: 2, Underway: i}})
	}
	require.Equal(t, []string{"x", "1", "0.8", "2400", "2370", "15", "3", "9"}, sum.line("x"))
	require.EqualValues(t, 2700, sum.account.Started)
	var silent total
	silent.add(turn{ios: 10, took: time.Second}, looked{turn: turn{ios: 9, took: time.Second}})
	require.Equal(t, []string{"y", "0.01", "0.009", "9", "-", "-", "-", "-"}, silent.line("y"))
}

func TestEachRowHasANameOfItsOwn(t *testing.T) {
	b := &bench{}
	seen := map[string]bool{}
	for _, r := range b.rows() {
		require.False(t, seen[r.Name], r.Name)
		seen[r.Name] = true
	}
	for _, name := range []string{"histogram", "events", "bpftrace", "tracefs", "histogram-100k", "events-100k"} {
		require.True(t, seen[name], name)
	}
}
