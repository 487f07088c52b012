package nvme

import (
	"unsafe"

	"blksim/device/nvme"
)

// Bus addresses are made up by this driver, as an IOMMU would hand them out.
// Each names its object, so that the controller's view of the host's memory is a
// few array lookups and needs no search:
//
//	63..56  region: what kind of memory
//	55..40  queue: the NVMe queue identifier, 0 for the admin queue
//	39..24  slot: the command's place in the queue's table
//	23..0   offset: bytes
const (
	regionSQ    = 1 + iota // a submission queue's entries
	regionCQ               // a completion queue's entries
	regionPage             // the driver's page for Identify
	regionData             // a slot's data: 16 MiB of addresses, mapped onto the request's buffers while the command runs
	regionList             // a slot's PRP lists
	regionRange            // a queue's Dataset Management ranges, one for each slot
)

const (
	pageShift  = 12
	pageSize   = 1 << pageShift // CC.MPS = 0
	offsetBits = 24
	slotShift  = offsetBits
	queueShift = 40
	rgnShift   = 56

	// maxTransfer keeps a transfer and the part of its first page that it may
	// leave out within the slot's data addresses.
	maxTransfer = 8 << 20
)

func busAddress(region, queue, slot int, off int) uint64 {
	return uint64(region)<<rgnShift | uint64(queue)<<queueShift | uint64(slot)<<slotShift | uint64(off)
}

// memory is the host memory that the controller sees: Window runs on the
// controller's lane.
//
// Nothing in it is locked. What a queue's lane writes (a ring entry, a PRP list,
// a slot's mapping) it writes before the doorbell that lets the controller look,
// and the controller has done with it before the completion entry whose phase
// bit the queue's lane acquires. Only then does the lane clear the mapping.
type memory struct {
	queues []*queueMemory // by queue identifier; an entry is set before the controller hears of the queue
	page   []byte
}

// queueMemory is what one pair of queues shows to the controller.
type queueMemory struct {
	sq, cq []byte
	ranges []byte
	slots  []slotMemory
	lists  [][]byte // by slot: whole pages of PRP entries; see prp.go
}

// slotMemory is what one command shows to the controller. Its data is either
// one piece from offset 0, or scattered, or neither while no command runs.
type slotMemory struct {
	data      []byte
	scattered *scatter // made when the slot first needs it; empty when not in use
}

var _ nvme.Memory = (*memory)(nil)

// Window implements [nvme.Memory].
func (m *memory) Window(addr uint64, n int) ([]byte, bool) {
	// The usual case is data in one piece. Another region's address has no such queue.
	if qid := addr>>queueShift - regionData<<(rgnShift-queueShift); qid < uint64(len(m.queues)) && m.queues[qid] != nil {
		if q, slot := m.queues[qid], addr>>slotShift&0xffff; slot < uint64(len(q.slots)) {
			data, off := q.slots[slot].data, addr&(1<<offsetBits-1)
			if end := off + uint64(n); n > 0 && end <= uint64(len(data)) {
				return data[off:end:end], true
			}
		}
	}
	return m.window(addr, n)
}

// window is Window, for any address.
func (m *memory) window(addr uint64, n int) ([]byte, bool) {
	qid := int(addr >> queueShift & 0xffff)
	if qid >= len(m.queues) || m.queues[qid] == nil || n < 0 {
		return nil, false
	}
	q := m.queues[qid]
	slot := int(addr >> slotShift & 0xffff)
	off := int(addr & (1<<offsetBits - 1))
	switch addr >> rgnShift {
	case regionData:
		if slot < len(q.slots) {
			return q.slots[slot].window(off, n)
		}
	case regionList:
		if slot < len(q.lists) {
			return cut(q.lists[slot], off, n)
		}
	case regionSQ:
		return cut(q.sq, slot<<slotShift|off, n)
	case regionCQ:
		return cut(q.cq, slot<<slotShift|off, n)
	case regionRange:
		return cut(q.ranges, slot<<slotShift|off, n)
	case regionPage:
		return cut(m.page, slot<<slotShift|off, n)
	}
	return nil, false
}

// attachOne maps bufs, n bytes in all, if that is a single buffer that can be shown as
// it is, from offset 0 on.
func (s *slotMemory) attachOne(bufs [][]byte, n int) bool {
	if len(bufs) == 1 && len(bufs[0]) == n && isAligned(bufs[0]) {
		s.data = bufs[0]
		return true
	}
	return false
}

// scatter maps bufs, n bytes in all, and says at which offset they begin, or
// false if they are not n bytes. toDevice says which way the data goes.
func (s *slotMemory) scatter(bufs [][]byte, n int, toDevice bool) (first int, ok bool) {
	total := 0
	for _, b := range bufs {
		total += len(b)
	}
	if total != n {
		return 0, false
	}
	if s.scattered == nil {
		s.scattered = new(scatter)
	}
	s.scattered.attach(bufs, n, toDevice)
	return s.scattered.first, true
}

// detach ends the mapping: the window answers no more, and nothing here keeps
// the buffers from being collected.
func (s *slotMemory) detach() {
	s.data = nil
	if s.scattered != nil {
		s.scattered.detach()
	}
}

func (s *slotMemory) window(off, n int) ([]byte, bool) {
	if s.data == nil && s.scattered != nil {
		return s.scattered.window(off, n)
	}
	return cut(s.data, off, n)
}

// cut returns b[off:off+n] if b is that long. Neither off nor n is negative.
func cut(b []byte, off, n int) ([]byte, bool) {
	if off > len(b) || n > len(b)-off {
		return nil, false
	}
	return b[off : off+n : off+n], true
}

// aligned allocates n bytes, a multiple of 8, that 8-byte words may overlay:
// what lies at an aligned bus address must be aligned in memory too.
func aligned(n int) []byte {
	words := make([]uint64, n/8)
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), n)
}

// isAligned says whether b begins where a 4-byte word may.
func isAligned(b []byte) bool {
	return uintptr(unsafe.Pointer(unsafe.SliceData(b)))&3 == 0
}
