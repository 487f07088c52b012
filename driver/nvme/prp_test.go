package nvme

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// The lengths around which PRP lists change: no list, one page, and each more
// page of the chain.
func TestPRPListsChainAtEveryLength(t *testing.T) {
	q, m := newTestQueue(1)
	data := aligned(maxTransfer)
	var pages []int
	for n := 1; n <= 6; n++ {
		pages = append(pages, n)
	}
	for lists := 1; lists <= 4; lists++ {
		full := 1 + lists*(prpsPerPage-1) // pages when the chain is one short of full
		pages = append(pages, full-1, full, full+1, full+2)
	}
	pages = append(pages, maxTransfer/pageSize)
	// In both orders, because a list is kept from one use to the next.
	for range 2 {
		for _, n := range pages {
			for _, bytes := range []int{n * pageSize, n*pageSize - 512, (n-1)*pageSize + 512} {
				s := &q.mem.slots[0]
				first, ok := s.attach([][]byte{data[:bytes]}, bytes, true)
				require.True(t, ok)
				prp1, prp2 := q.prps(0, first, bytes)
				rest := data[:bytes]
				for _, p := range walkPRPs(t, m, prp1, prp2, bytes) {
					require.Same(t, &rest[0], &p[0], "%d bytes", bytes)
					rest = rest[len(p):]
				}
				require.Empty(t, rest)
				s.detach()
			}
		}
		slices.Reverse(pages)
	}
}

func TestListPagesIsTheFewestThatHoldTheEntries(t *testing.T) {
	for entries := 2; entries < 6*prpsPerPage; entries++ {
		lists := listPages(entries)
		holds := func(lists int) int { return (lists-1)*(prpsPerPage-1) + prpsPerPage }
		require.GreaterOrEqual(t, holds(lists), entries)
		if lists > 1 {
			require.Less(t, holds(lists-1), entries)
		}
	}
}

func TestATransferWithItsOffsetFitsTheSlotsAddresses(t *testing.T) {
	require.LessOrEqual(t, maxTransfer+pageSize, 1<<offsetBits)
	lists := listPages((maxTransfer + pageSize) >> pageShift)
	require.LessOrEqual(t, lists*pageSize, 1<<offsetBits)
}
