package nvme

import "encoding/binary"

const (
	prpSize     = 8
	prpsPerPage = pageSize / prpSize
)

// prps describes n bytes that lie at offset first of the slot's data addresses,
// n > 0, by PRP entries 1 and 2 (NVM Express Base 2.0, 4.1.1).
func (q *queue) prps(slot, first, n int) (prp1, prp2 uint64) {
	data := q.dataAddress | uint64(slot)<<slotShift
	prp1 = data + uint64(first)
	switch end := first + n; {
	case end <= pageSize:
		return prp1, 0
	case end <= 2*pageSize:
		return prp1, data + pageSize
	}
	return prp1, q.prpList(slot, data, (first+n+pageSize-1)>>pageShift)
}

// prpList makes the list for that many pages of the slot's data addresses, all but the
// first of them.
//
// A slot's data has the same bus addresses in every use, so its list is the same
// too: it is written when it first grows to a length, and a later command only
// points to it. Only the last entry of a list page has two meanings, a page of
// data or the next list page, and is set for each command that uses it.
func (q *queue) prpList(slot int, data uint64, pages int) (address uint64) {
	address = busAddress(regionList, int(q.rings.id), slot, 0)
	entries := pages - 1
	lists := listPages(entries)
	list := q.mem.lists[slot]
	if len(list) < lists*pageSize {
		list = makeList(data, lists)
		q.mem.lists[slot] = list
	}
	for i := range lists - 1 {
		setPRP(list, (i+1)*prpsPerPage-1, address+uint64(i+1)*pageSize)
	}
	if entries == (lists-1)*(prpsPerPage-1)+prpsPerPage {
		setPRP(list, lists*prpsPerPage-1, data+uint64(entries)*pageSize)
	}
	return address
}

// listPages is how many pages a list of that many entries takes, 2 or more: each
// page but the last gives its last entry to the chain.
func listPages(entries int) int {
	return (entries - 1 + prpsPerPage - 2) / (prpsPerPage - 1)
}

// makeList makes list pages that name the pages of the data addresses from the
// second on, but for each list page's last entry.
func makeList(data uint64, lists int) []byte {
	list := aligned(lists * pageSize)
	page := uint64(1)
	for i := range lists {
		for k := range prpsPerPage - 1 {
			setPRP(list, i*prpsPerPage+k, data+page*pageSize)
			page++
		}
	}
	return list
}

func setPRP(list []byte, i int, addr uint64) {
	binary.LittleEndian.PutUint64(list[i*prpSize:], addr)
}
