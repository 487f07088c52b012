package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// log256 is a run in which read i ends after (i+1) ms, and all are completed.
func log256() *endings {
	e := &endings{start: time.Second, asked: time.Second + 100*time.Millisecond}
	for i := range reads {
		e.at[i], e.how[i] = e.start+time.Duration(i+1)*time.Millisecond, completed
	}
	return e
}

func TestOutcomeCountsEachVictimOnce(t *testing.T) {
	e := log256()
	o, err := e.sum()
	require.NoError(t, err)
	require.Equal(t, 0, o.cancelled)
	require.Equal(t, 49, o.done, "reads 1, 3, ... 97 ended before 100 ms")
	require.Equal(t, reads/2-49, o.tooLate)
	require.Equal(t, 256*time.Millisecond, o.total)
	require.Equal(t, 255*time.Millisecond, o.others)
	require.Equal(t, 156*time.Millisecond, o.ends.at(1))
	require.Equal(t, 78*time.Millisecond, o.ends.at(0.5))

	for i := 101; i < reads; i += 2 {
		e.at[i], e.how[i] = e.asked+time.Millisecond, cancelled
	}
	o, err = e.sum()
	require.NoError(t, err)
	require.Equal(t, 78, o.cancelled)
	require.Equal(t, 1, o.tooLate, "read 99, which ended at 100 ms")
	require.Equal(t, time.Millisecond, o.ends.at(1))
	require.Equal(t, 255*time.Millisecond, o.total)
	require.Len(t, o.cells("way"), len(header))
}

func TestReadsThatDoNotEndAsTheyMustAreErrors(t *testing.T) {
	for name, spoil := range map[string]func(e *endings){
		"never ended":         func(e *endings) { e.how[7] = notEnded },
		"failed":              func(e *endings) { e.how[8] = failed },
		"cancelled by nobody": func(e *endings) { e.how[8] = cancelled },
	} {
		e := log256()
		spoil(e)
		_, err := e.sum()
		require.Error(t, err, name)
	}
}

func TestReadsDoNotOverlapNorTouch(t *testing.T) {
	seen := map[int64]int{}
	for i := range reads {
		off := offset(i)
		require.Zero(t, off%readSize)
		require.Less(t, off, int64(deviceSize))
		require.NotContains(t, seen, off)
		seen[off] = i
		require.NotContains(t, seen, off-readSize)
		require.NotContains(t, seen, off+readSize)
	}
}

func TestRowsAreListedWithoutALab(t *testing.T) {
	all := rows(&lab{})
	require.Len(t, all, 5)
	require.Equal(t, "cancel-ended-p50", all[0].Name)
	require.Equal(t, 5.0, all[1].Bar.Must, "the device depth, and one")
}

func TestMiddleIsTheMedianByTotal(t *testing.T) {
	all := []*outcome{{total: 3}, {total: 1}, {total: 2}}
	require.Equal(t, all[2], middle(all))
	require.Equal(t, all[1], middle(all[:2]))
}
