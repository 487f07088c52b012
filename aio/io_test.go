package aio

import (
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/aio/lane"
)

func TestTheTargetFindsTheDeadlineAndTheFlagsOfEachIO(t *testing.T) {
	f := newFixture(t, 1, 1)
	for _, io := range []IO{{Deadline: 7, Flags: FUA | PreFlush}, {}} {
		_, err := f.Context.Submit(f.lanes[0], targetFunc(func(l lane.Lane, k Kiocb) {
			require.Equal(t, io.Deadline, k.Deadline())
			require.Equal(t, io.Flags, k.Flags())
			k.Complete(l, OK, 0)
		}), io)
		require.NoError(t, err)
		evs := make([]Event, 1)
		_, err = f.Events(t.Context(), 1, evs)
		require.NoError(t, err)
	}
}
