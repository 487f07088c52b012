package replay

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/traces"
)

func TestDriftIsTheSlopeOfSlip(t *testing.T) {
	const hour = 3600 * time.Second
	for _, c := range []struct {
		name string
		n    int
		due  func(i int) time.Duration
		slip func(due time.Duration) time.Duration
		want float64
	}{
		{"nothing late", 1000, func(i int) time.Duration { return time.Duration(i) * time.Millisecond }, func(time.Duration) time.Duration { return 0 }, 0},
		{"all late by as much", 1000, func(i int) time.Duration { return time.Duration(i) * time.Second }, func(time.Duration) time.Duration { return 3 * time.Millisecond }, 0},
		{"one percent slow", 1000, func(i int) time.Duration { return time.Duration(i) * time.Millisecond }, func(d time.Duration) time.Duration { return d / 100 }, 0.01},
		{"a millionth, over days", 100_000, func(i int) time.Duration { return time.Duration(i) * hour / 1000 }, func(d time.Duration) time.Duration { return time.Millisecond + d/1e6 }, 1e-6},
		{"all due at once", 100, func(int) time.Duration { return hour }, func(d time.Duration) time.Duration { return d }, 0},
		{"a single one", 1, func(int) time.Duration { return hour }, func(d time.Duration) time.Duration { return d }, 0},
		{"none", 0, nil, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var whole, a, b Pace
			for i := range c.n {
				due := c.due(i)
				slip := c.slip(due)
				whole.add(due, slip)
				part := &a
				if i%3 == 0 {
					part = &b
				}
				part.add(due, slip)
			}
			a.merge(&b)
			require.InDelta(t, c.want, whole.Drift(), 1e-9)
			require.InDelta(t, c.want, a.Drift(), 1e-9)
			require.Equal(t, whole.Count, a.Count)
		})
	}
}

func TestLateIsWhatPassesTheBound(t *testing.T) {
	p := Pace{After: time.Millisecond}
	for _, slip := range []time.Duration{0, time.Millisecond, time.Millisecond + 1, time.Hour} {
		p.add(0, slip)
	}
	require.EqualValues(t, 4, p.Count)
	require.EqualValues(t, 2, p.Late)
}

// gated gives a record for each value that the test sends, and then an error.
type gated struct {
	gate chan struct{}
	line int64
}

func (g *gated) Read(recs []traces.Record) (int, error) {
	if _, ok := <-g.gate; !ok {
		return 0, io.EOF
	}
	g.line++
	recs[0] = traces.Record{Line: g.line}
	return 1, nil
}

// The reader wakes the pump exactly when the pump has asked in vain, and what it has
// read arrives once and in order.
func TestReadAheadWakesWhoFoundNothing(t *testing.T) {
	g := &gated{gate: make(chan struct{})}
	woken := make(chan struct{}, 1000)
	a := newAhead(g, func() { woken <- struct{}{} })
	var before *batch
	next := int64(0)
	take := func() bool {
		b := a.next(before)
		before = b
		if b == nil {
			return false
		}
		if b.err == nil {
			next++
			require.Equal(t, next, b.recs[0].Line)
		}
		return true
	}
	for range 100 {
		require.False(t, take(), "nothing was read yet")
		g.gate <- struct{}{}
		<-woken
		require.True(t, take())
	}
	for range 5 {
		g.gate <- struct{}{}
	}
	close(g.gate)
	<-a.left
	require.Empty(t, woken, "nobody asked")
	for before == nil || before.err == nil {
		require.True(t, take())
	}
	require.Equal(t, io.EOF, before.err)
	require.EqualValues(t, 105, next)
	a.stop()
}

func TestReadAheadStopsWithRoomForNoMore(t *testing.T) {
	g := &gated{gate: make(chan struct{}, 2*aheadBatches)}
	for range 2 * aheadBatches {
		g.gate <- struct{}{}
	}
	a := newAhead(g, func() {})
	for len(g.gate) > aheadBatches {
		time.Sleep(time.Millisecond)
	}
	a.stop() // it waits for a free batch, and ends all the same
	require.Equal(t, aheadBatches, len(g.gate), "it reads no further ahead than it has room for")
}
