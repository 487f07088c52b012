package nvme

import (
	"encoding/binary"

	"blksim/device/nvme/spec"
)

// prpWalk goes through the pieces of host memory that a command's PRPs name
// (Base 4.1.1): PRP1 with an offset; then, if one more page is enough, PRP2;
// otherwise the list that PRP2 points to, whose last entry in a page points to
// the next page of the list if more remains. Pages of a list that lie one behind the
// other in bus addresses are one piece where the host has them in one.
type prpWalk struct {
	mem   Memory
	shift uint8
	prp1  uint64
	prp2  uint64
	left  int
	begun bool
	list  []byte // what is left of the page of the list
}

// next is the next piece. Nil with Success is the end.
func (w *prpWalk) next() ([]byte, spec.Status) {
	if w.left == 0 {
		return nil, spec.Success
	}
	page := 1 << w.shift
	mask := uint64(page - 1)
	var addr uint64
	switch {
	case !w.begun:
		// Dword aligned, any offset within the page.
		w.begun = true
		if w.prp1&3 != 0 {
			return nil, spec.PRPOffsetInvalid
		}
		return w.piece(w.prp1, min(w.left, page-int(w.prp1&mask)))
	case w.list == nil && w.left <= page:
		addr = w.prp2
	default:
		var st spec.Status
		if addr, st = w.entry(page); st != spec.Success {
			return nil, st
		}
	}
	if addr&mask != 0 {
		return nil, spec.PRPOffsetInvalid
	}
	if n, entries := w.run(addr, page); entries > 0 {
		if b, ok := w.mem.Window(addr, n); ok {
			w.list = w.list[8*entries:]
			w.left -= n
			return b[:n], spec.Success
		}
	}
	return w.piece(addr, min(w.left, page))
}

// run is how far the pages go on behind each other from the one at addr on, whose
// entry has been taken: so many bytes, with so many more entries of this page of the list.
func (w *prpWalk) run(addr uint64, page int) (n, entries int) {
	n = min(w.left, page)
	for list := w.list; len(list) >= 8 && n < w.left; list = list[8:] {
		if len(list) == 8 && w.left-n > page {
			break // it leads to the next page of the list
		}
		if binary.LittleEndian.Uint64(list) != addr+uint64(n) {
			break
		}
		n += min(w.left-n, page)
		entries++
	}
	return n, entries
}

// entry is the next entry of the list, following the chain.
func (w *prpWalk) entry(page int) (uint64, spec.Status) {
	mask := uint64(page - 1)
	if w.list == nil {
		// The list may begin within a page, on a qword.
		if w.prp2&7 != 0 {
			return 0, spec.PRPOffsetInvalid
		}
		if st := w.openList(w.prp2, page-int(w.prp2&mask)); st != spec.Success {
			return 0, st
		}
	}
	if len(w.list) == 8 && w.left > page {
		next := binary.LittleEndian.Uint64(w.list)
		if next&mask != 0 {
			return 0, spec.PRPOffsetInvalid
		}
		if st := w.openList(next, page); st != spec.Success {
			return 0, st
		}
	}
	addr := binary.LittleEndian.Uint64(w.list)
	w.list = w.list[8:]
	return addr, spec.Success
}

func (w *prpWalk) openList(addr uint64, n int) spec.Status {
	b, ok := w.mem.Window(addr, n)
	if !ok {
		return spec.DataTransferError
	}
	w.list = b[:n:n]
	return spec.Success
}

func (w *prpWalk) piece(addr uint64, n int) ([]byte, spec.Status) {
	b, ok := w.mem.Window(addr, n)
	if !ok {
		return nil, spec.DataTransferError
	}
	w.left -= n
	return b[:n], spec.Success
}
