package lane

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A lane that has bound itself to a processor lets its thread run everywhere again when
// it is no longer to be exact, and where it waits in nothing.
func TestLaneIsBoundOnlyWhileItIsExact(t *testing.T) {
	all := allowed()
	if len(all) < 2 {
		t.Skip("skipped: one processor")
	}
	g := NewReal(1)
	defer g.Close()
	attach(t, g, newRing())
	l := g.lanes[0]
	on := func(f func()) (cpus []int) {
		require.NoError(t, g.Do(0, func(done func()) { f(); cpus = allowed(); done() }))
		return cpus
	}
	bound := func() {
		l.Spin(time.Microsecond)
		l.place.bind(1)
	}
	require.Equal(t, all[1:2], on(bound))
	on(func() { l.Spin(time.Millisecond) }) // exact as before
	require.Equal(t, all, on(func() { l.Spin(0) }))
	require.Equal(t, all[1:2], on(bound))
	require.Equal(t, all, on(func() { l.Attach(nil) }))
}
