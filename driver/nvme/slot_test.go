package nvme

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEverySlotIsFreeOrTakenAndTheLongestFreeComesFirst(t *testing.T) {
	const n = 37
	rnd := rand.New(rand.NewPCG(1, 3))
	table := newSlotTable(n)
	var order []uint16 // the free ones, as they became free
	for i := range n {
		order = append(order, uint16(i))
	}
	taken := map[uint16]uint16{} // index to cid
	for range 20000 {
		require.Equal(t, n, table.n+len(taken))
		index, ok := table.peek()
		require.Equal(t, len(taken) < n, ok)
		if ok && rnd.IntN(2) == 0 {
			require.Equal(t, int(order[0]), index)
			order = order[1:]
			cid := table.take(0)
			require.EqualValues(t, index, cid&slotMask)
			taken[uint16(index)] = cid
			continue
		}
		for i := range n { // one at random, in an order that does not depend on the map
			index := uint16((i + rnd.IntN(n)) % n)
			if cid, ok := taken[index]; ok {
				got, s := table.find(cid)
				require.Equal(t, index, got)
				require.NotNil(t, s)
				table.put(index)
				order = append(order, index)
				delete(taken, index)
				_, s = table.find(cid)
				require.Nil(t, s, "a free identifier is found")
				break
			}
		}
	}
}

func TestAReusedSlotHasAnotherIdentifierForSixteenUses(t *testing.T) {
	table := newSlotTable(1)
	seen := map[uint16]bool{}
	for range 1 << (16 - slotBits) {
		cid := table.take(0)
		require.False(t, seen[cid])
		for old := range seen {
			_, s := table.find(old)
			require.Nil(t, s)
		}
		seen[cid] = true
		table.put(0)
	}
	require.True(t, seen[table.take(0)])
}

func TestNoIdentifierIsFFFF(t *testing.T) {
	table := newSlotTable(maxSlots)
	for range maxSlots << (16 - slotBits) {
		cid := table.take(0)
		require.NotEqual(t, uint16(0xffff), cid)
		table.put(cid & slotMask)
	}
}

func TestUnknownIdentifiersAreNotFound(t *testing.T) {
	table := newSlotTable(5)
	own := table.take(0)
	for cid := range 1 << 16 {
		_, s := table.find(uint16(cid))
		require.Equal(t, uint16(cid) == own, s != nil)
	}
}
