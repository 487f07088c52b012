package lane

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func newInbox() *inbox { return &inbox{wake: make(chan struct{}, 1)} }

func TestInboxParksOnlyWhenEmptyAndOpen(t *testing.T) {
	b := newInbox()
	require.True(t, b.park())
	require.True(t, b.post(func() {}))
	require.False(t, b.park(), "something is there")
	batch, closed := b.take(nil)
	require.Len(t, batch, 1)
	require.False(t, closed)
	require.True(t, b.park())
	b.close()
	require.False(t, b.park(), "closed")
	require.False(t, b.post(func() {}))
	batch, closed = b.take(nil)
	require.Empty(t, batch)
	require.True(t, closed)
}

func TestInboxWakesOnceForEachParking(t *testing.T) {
	b := newInbox()
	b.post(func() {})
	require.Empty(t, b.wake, "nobody is parked")
	b.take(nil)
	require.True(t, b.park())
	b.post(func() {})
	require.Len(t, b.wake, 1)
	<-b.wake
	b.post(func() {})
	require.Empty(t, b.wake, "the lane has been woken already")
	b.take(nil)
	require.True(t, b.park())
	b.take(nil) // woken by its alarm, the lane looks
	b.post(func() {})
	require.Empty(t, b.wake, "it will look again before it parks")
	b.take(nil)
	require.True(t, b.park())
	b.close()
	require.Len(t, b.wake, 1)
}
