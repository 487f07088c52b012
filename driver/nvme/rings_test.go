package nvme

import (
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/device/nvme/spec"
)

// doorbells records what was written last to each doorbell.
type doorbells map[uint32]uint32

func (d doorbells) Read32(uint32) uint32         { return 0 }
func (d doorbells) Read64(uint32) uint64         { return 0 }
func (d doorbells) Write32(off uint32, v uint32) { d[off] = v }
func (d doorbells) Write64(uint32, uint64)       {}

func TestCompletionsAreSeenOnceInOrderOverManyPhases(t *testing.T) {
	const entries = 5
	bells := doorbells{}
	p := newRings(2, entries)
	p.connect(bells, 1)
	phase, tail := true, 0
	seen := uint16(0)
	for round := range uint16(200) {
		for k := range uint16(entries - 1) {
			spec.CQEAt(p.cq, tail).Publish(0, 0, 2, spec.MakeDword3(round*(entries-1)+k, phase, 0))
			if tail++; tail == entries {
				tail, phase = 0, !phase
			}
		}
		for {
			e, d := p.next()
			if e == nil {
				break
			}
			require.Equal(t, seen, d.CID())
			seen++
			p.consume()
		}
		require.Equal(t, (round+1)*(entries-1), seen)
		p.release()
		require.EqualValues(t, tail, bells[spec.CQHeadDoorbell(2, 1)])
	}
}

func TestSubmissionQueueIsFullWithOneEntryLeft(t *testing.T) {
	const entries = 4
	p := newRings(1, entries)
	p.connect(doorbells{}, 0)
	for lap := range 10 {
		for range entries - 1 {
			require.False(t, p.full())
			p.push()
		}
		require.True(t, p.full())
		require.True(t, p.fetched(uint16((lap+1)*(entries-1)%entries)))
		require.False(t, p.full())
	}
}

func TestDoorbellRingsOnceForARunAndNotForNothing(t *testing.T) {
	bells := doorbells{}
	p := newRings(1, 8)
	p.connect(bells, 0)
	p.ring()
	p.release()
	require.Empty(t, bells)
	p.push()
	p.push()
	p.ring()
	require.Equal(t, doorbells{spec.SQTailDoorbell(1, 0): 2}, bells)
	clear(bells)
	p.ring()
	require.Empty(t, bells)
}

func TestImpossibleSubmissionHeadsAreRefused(t *testing.T) {
	p := newRings(1, 8)
	for range 6 {
		p.push()
	}
	require.True(t, p.fetched(4))
	for _, head := range []uint16{3, 0, 7, 8, 9, 0xffff} {
		require.False(t, p.fetched(head), head)
		require.EqualValues(t, 4, p.sqHead)
	}
	require.True(t, p.fetched(4))
	for range 4 { // wraps: the entries are now 4 to 1
		p.push()
	}
	require.False(t, p.fetched(3))
	require.True(t, p.fetched(1))
	require.EqualValues(t, 1, p.sqHead)
}
