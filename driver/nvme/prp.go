package nvme

import "encoding/binary"

const (
	prpSize     = 8
	prpsPerPage = pageSize / prpSize
)

// prps describes n bytes that lie at offset first of the slot's data addresses,
// n > 0, by PRP entries 1 and 2 (NVM Express Base 2.0, 4.1.1).
//
// A slot's data has the same bus addresses in every use, so its list is the same
// too: it is written when it first grows to a length, and a later command only
// points to it. Only the last entry of a list page has two meanings, a page of
// data or the next list page, and is set for each command that uses it.
func (q *queue) prps(slot, first, n int) (prp1, prp2 uint64) {
	data := busAddress(regionData, int(q.rings.id), slot, 0)
	pages := (first + n + pageSize - 1) >> pageShift
	switch pages {
	case 1:
		return data + uint64(first), 0
	case 2:
		return data + uint64(first), data + pageSize
	}
	list := busAddress(regionList, int(q.rings.id), slot, 0)
	s := &q.mem.slots[slot]
	entries := pages - 1
	lists := listPages(entries)
	if len(s.list) < lists*pageSize {
		s.list = makeList(data, lists)
	}
	for i := range lists - 1 {
		setPRP(s.list, (i+1)*prpsPerPage-1, list+uint64(i+1)*pageSize)
	}
	if entries == (lists-1)*(prpsPerPage-1)+prpsPerPage {
		setPRP(s.list, lists*prpsPerPage-1, data+uint64(entries)*pageSize)
	}
	return data + uint64(first), list
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
