package lane

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// nowhere are processors that no machine has: to be bound to them changes nothing.
func nowhere(n int) *place {
	p := &place{at: -1}
	for i := range n {
		p.cpus = append(p.cpus, 900+i)
	}
	return p
}

// watch has p look at the clock until it has judged the place, which takes it so long
// once and else as long as it should, and returns when that was.
func watch(p *place, now Time, lost time.Duration) Time {
	now = max(now, 1)
	for took, before := lost, p.seen; p.seen >= before; took = aPause {
		before = p.seen
		p.wait(now)
		now = now.Add(took)
		p.look(now)
	}
	return now
}

const (
	little = seenEnough/stolenShare - 10*time.Microsecond
	much   = seenEnough/stolenShare + 10*time.Microsecond
)

func TestLaneStaysWhereItIsGood(t *testing.T) {
	p := nowhere(4)
	now := Time(0)
	for range 10 {
		now = watch(p, now, little)
		require.Equal(t, -1, p.at)
	}
}

// From a bad place a lane goes to the next ones, and stays at the first good one for as
// long as that is good.
func TestLaneMovesUntilItIsGood(t *testing.T) {
	p := nowhere(4)
	now := Time(0)
	for at := range 3 {
		now = watch(p, now, much)
		require.Equal(t, at, p.at)
	}
	for range 10 {
		now = watch(p, now, little)
		require.Equal(t, 2, p.at)
	}
	for _, at := range []int{3, 0} {
		now = watch(p, now, much)
		require.Equal(t, at, p.at)
	}
}

// Where all places are bad the system chooses, and lanes try again the more rarely.
func TestLaneRestsWhereNoPlaceIsGood(t *testing.T) {
	for _, n := range []int{2, 3, 100} {
		p := nowhere(n)
		now := Time(0)
		for _, pause := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
			for range min(n, mostTries) {
				now = watch(p, now, much)
				require.GreaterOrEqual(t, p.at, 0)
			}
			now = watch(p, now, much)
			require.Equal(t, -1, p.at)
			require.Equal(t, now.Add(pause*time.Second), p.rest)
			watch(p, now, much)
			require.Equal(t, -1, p.at, "it rests")
			now = p.rest
		}
		watch(p, now, 0)
		require.Zero(t, p.pause)
	}
}

func TestLaneMovesAwayFromWhereItIsWokenLate(t *testing.T) {
	p := nowhere(2)
	now := Time(0)
	sleep := func(n, late int) {
		for i := range n {
			p.slept(i < late)
		}
		now = watch(p, now, 0)
	}
	sleep(4*lateShare-1, 4*lateShare-1)
	require.Equal(t, -1, p.at, "too few to say so")
	sleep(100, 100/lateShare)
	require.Equal(t, -1, p.at)
	sleep(100, 100/lateShare+1)
	require.Equal(t, 0, p.at)
}

func TestLaneWithOneProcessorDoesNotMove(t *testing.T) {
	for n := range 2 {
		p := nowhere(n)
		watch(p, 0, much)
		require.Equal(t, -1, p.at)
		require.Zero(t, p.tries)
	}
}
