package aio

import (
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/aio/lane"
)

func TestStageFollowsAnIO(t *testing.T) {
	f := newFixture(t, 1, 1)
	var k Kiocb
	id, err := f.Submit(f.lanes[0], targetFunc(func(_ lane.Lane, got Kiocb) { k = got }), IO{Op: OpFlush})
	require.NoError(t, err)
	require.Equal(t, StageQueued, f.Stage(id))
	require.True(t, k.TryStart())
	require.Equal(t, StageDevice, f.Stage(id))
	require.Equal(t, Accepted, f.Cancel(id))
	require.Equal(t, StageDevice, f.Stage(id), "a cancel does not take it back")
	k.Complete(f.lanes[0], OK, 0)
	require.Equal(t, StageOver, f.Stage(id))
	require.Equal(t, StageOver, f.Stage(id+1), "of another generation")
	require.Equal(t, StageOver, f.Stage(ID(1<<20)), "of no slot")
	require.Equal(t, "queued device over", StageQueued.String()+" "+StageDevice.String()+" "+StageOver.String())
}
