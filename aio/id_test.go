package aio

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestIDHoldsIndexAndGeneration(t *testing.T) {
	for _, index := range []uint32{0, 1, pageSlots, MaxCapacity - 1} {
		for _, gen := range []uint64{1, 2, 1 << 31, genMask} {
			id := makeID(gen, index)
			require.Equal(t, index, id.index())
			require.Equal(t, gen, id.gen())
			require.NotEqual(t, ID(0), id)
			require.True(t, sameGen(wordOf(gen, stateLive)|flagAsked, id))
			require.False(t, sameGen(wordOf(gen-1, stateLive), id))
		}
	}
	require.Equal(t, "5#7", makeID(7, 5).String())
}

// The index range is one constant, and the generation takes the other bits of both
// the ID and the word: at 10^7 uses of one slot a second it lasts for weeks.
func TestGenerationsLastForWeeks(t *testing.T) {
	require.Equal(t, 64, indexBits+44)
	require.Equal(t, genShift, indexBits)
	require.EqualValues(t, MaxCapacity-1, indexMask)
	const perSecond, day = 10_000_000, 24 * 60 * 60
	require.Greater(t, (genMask+1)/perSecond/day, 14)
	require.Less(t, flagPending|stateMask, 1<<genShift)
}

// A slot at the end of its generations goes on, and never has the zero ID, which
// would look like a submit that failed.
func TestGenerationWrapsPastZero(t *testing.T) {
	f := newFixture(t, 1, 1)
	f.submit().Complete(nil, OK, 0)
	f.events()
	f.table.slot(0).word.Store(wordOf(genMask, stateFree))
	last := f.submit()
	require.EqualValues(t, genMask, last.ID().gen())
	last.Complete(nil, OK, 0)
	f.event(last)
	k := f.submit()
	require.EqualValues(t, 1, k.ID().gen())
	require.Equal(t, NotFound, f.Cancel(last.ID()))
	k.Complete(nil, OK, 0)
	f.event(k)
	f.atRest(t)
}

func TestNamesOfOpsStatusesAndAnswers(t *testing.T) {
	for o := range Op(NumOps) {
		require.NotContains(t, o.String(), "(")
	}
	for s := range Status(NumStatuses) {
		require.NotContains(t, s.String(), "(")
	}
	require.Equal(t, "op(200)", Op(200).String())
	require.Equal(t, "status(200)", Status(200).String())
	require.Equal(t, "cancel(9)", CancelResult(9).String())
	require.True(t, OpRead.HasData() && OpWrite.HasData())
	require.False(t, OpFlush.HasData() || OpDiscard.HasData() || OpWriteZeroes.HasData())
	require.NoError(t, OK.Err())
	var e *StatusError
	require.ErrorAs(t, MediaError.Err(), &e)
	require.Equal(t, MediaError, e.Status)
	require.EqualError(t, e, "aio: media-error")
}
