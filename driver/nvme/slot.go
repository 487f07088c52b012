package nvme

// Command identifiers are 16 bits: the slot's index below, and above it a
// generation that each use of the slot advances. The quarantine (see the
// package's comment) keeps our own Aborts from a reused slot; the generation
// tells a completion that the controller posts twice, or long after the fact,
// from that of the slot's next command. Slots are used in turn, the longest free
// first, so that a generation comes back as late as possible.
const (
	slotBits = 12
	slotMask = 1<<slotBits - 1

	// maxSlots leaves out the index that would make CID FFFFh, which means "all
	// commands" to Cancel and "no command" in the error log.
	maxSlots = slotMask
)

type slotState uint8

// The states of a command identifier; doc.go has the transitions.
const (
	slotFree        slotState = iota // in the free list
	slotInFlight                     // with the controller
	slotAborting                     // with the controller, and an Abort or a Cancel for it is queued or outstanding
	slotQuarantined                  // completed, and an Abort or a Cancel for it is queued or outstanding
)

// slot is one command identifier: the part of a command that the controller
// does not see.
type slot struct {
	cid   uint16
	state slotState
	by    sentBy // of slotAborting and slotQuarantined
	who   uint32 // what the command is for: the user's own
}

// sentBy is what names an identifier.
type sentBy uint8

const (
	byAbort sentBy = iota
	byCancel
)

// slotTable is a queue's slots and the order of the free ones. It belongs to the
// queue's lane.
type slotTable struct {
	slots []slot
	free  []uint16 // a ring: n indexes from head on
	head  int
	n     int
}

func newSlotTable(n int) slotTable {
	t := slotTable{slots: make([]slot, n), free: make([]uint16, n), n: n}
	for i := range n {
		t.free[i] = uint16(i)
		t.slots[i].cid = uint16(i)
	}
	return t
}

// peek is the slot that take would give.
func (t *slotTable) peek() (index int, ok bool) {
	return int(t.free[t.head]), t.n > 0
}

// take gives the slot that has been free longest to who, under a new
// generation. There must be one.
func (t *slotTable) take(who int) (cid uint16) {
	return t.takeNext(int(t.free[t.head]), who)
}

// takeNext is take for who has peeked.
func (t *slotTable) takeNext(index, who int) (cid uint16) {
	s := &t.slots[index]
	if t.head++; t.head == len(t.free) {
		t.head = 0
	}
	t.n--
	s.cid += 1 << slotBits
	s.who, s.state = uint32(who), slotInFlight
	return s.cid
}

// put makes a slot free.
func (t *slotTable) put(index uint16) {
	t.slots[index].state = slotFree
	tail := t.head + t.n
	if tail >= len(t.free) {
		tail -= len(t.free)
	}
	t.free[tail] = index
	t.n++
}

// freeAll makes every slot free. The generations go on, so that what a controller
// might yet complete of before is a stray.
func (t *slotTable) freeAll() {
	t.head, t.n = 0, len(t.slots)
	for i := range t.slots {
		t.slots[i].state = slotFree
		t.free[i] = uint16(i)
	}
}

// live says that the command of a slot is with the controller.
func (s *slot) live() bool { return s.state == slotInFlight || s.state == slotAborting }

// find returns the slot of the command that cid names, or nil if no such
// command is with the controller.
func (t *slotTable) find(cid uint16) (index uint16, s *slot) {
	index = cid & slotMask
	if int(index) >= len(t.slots) {
		return 0, nil
	}
	s = &t.slots[index]
	if !s.live() || s.cid != cid {
		return 0, nil
	}
	return index, s
}
