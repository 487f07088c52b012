package nvme

import "blksim/device/nvme/spec"

// OpKind is what a command asks of the medium.
type OpKind uint8

// The kinds. Trim is Dataset Management's deallocate and Write Zeroes.
const (
	OpRead OpKind = iota
	OpWrite
	OpFlush
	OpTrim
)

// An Op is one command as the medium sees it. The controller owns it; the medium
// keeps what it needs to know of it in arrays of its own, by Slot.
type Op struct {
	Kind      OpKind
	ForceUnit bool     // a write that must be on the medium itself when it is done
	Slot      int      // 0 <= Slot < slots: unique among the ops that are with the medium
	Off, Len  int64    // bytes, multiples of the logical block; of a read or write
	Ranges    []Extent // of a trim
}

// Extent is a run of bytes on the device.
type Extent struct{ Off, Len int64 }

// A Medium gives commands their time and their faults; the data is not its
// business. It is called on the controller's lane and runs there, and nothing in
// it blocks.
type Medium interface {
	// Attach is called once, before anything else: h takes finished ops, and
	// slots is one more than the largest Op.Slot.
	Attach(h MediumHost, slots int)

	// Begin starts op. Where the answer is done, op has ended with st at once;
	// otherwise op is the medium's until it gives it to MediumHost.Done, Abort
	// answers true, or Reset.
	Begin(op *Op) (st spec.Status, done bool)

	// Abort asks to end op early; it is with the medium. True: the medium has
	// forgotten op and, of a write, nothing has changed. False: op goes on as if
	// nothing had happened.
	Abort(op *Op) bool

	// Reset forgets all ops. What was in a write buffer stays there.
	Reset()

	// Volatile says whether there is a write cache that a power cut would empty.
	Volatile() bool

	// Stats counts since Attach.
	Stats() MediumStats
}

// MediumHost is the controller as its medium sees it. Its methods are called on
// the lane, never from within Begin, Abort or Reset.
type MediumHost interface {
	// Done gives op back: it ended with st.
	Done(op *Op, st spec.Status)

	// Settle follows the last Done of one event: interrupts are raised and more
	// commands are fetched.
	Settle()
}

// MediumStats are a medium's counters. An operation is one access of an array
// (a page read or a row program); on a medium that has none, a command.
type MediumStats struct {
	Started uint64 // operations begun
	Saved   uint64 // operations that an abort or a reset removed before they began
	Dropped uint64 // operations whose result an abort or a reset threw away

	Reads, Programs, Erases uint64 // operations begun, by kind
	RelocatedBytes          uint64 // copied by garbage collection
	PaddedBytes             uint64 // programmed only to fill a row
	PartialWrites           uint64 // old data read because a write covered a mapping unit in part
}

// Null is a medium that finishes everything at once, at no cost.
type Null struct{ stats MediumStats }

var _ Medium = (*Null)(nil)

// NewNull makes a null medium.
func NewNull() *Null { return new(Null) }

// Attach does nothing: a null medium never has an op to give back.
func (m *Null) Attach(MediumHost, int) {}

// Begin ends op.
func (m *Null) Begin(op *Op) (spec.Status, bool) {
	m.stats.Started++
	switch op.Kind {
	case OpRead:
		m.stats.Reads++
	case OpWrite:
		m.stats.Programs++
	}
	return spec.Success, true
}

// Abort is never asked for: nothing is ever with the medium.
func (m *Null) Abort(*Op) bool { return false }

// Reset has nothing to forget.
func (m *Null) Reset() {}

// Volatile is false.
func (m *Null) Volatile() bool { return false }

// Stats counts commands.
func (m *Null) Stats() MediumStats { return m.stats }
