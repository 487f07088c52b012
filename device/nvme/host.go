package nvme

// The controller touches its host through the three interfaces of this file and
// nothing else, so that the same controller can stand behind our own driver, a
// guest's PCI bus or a network transport.

// Registers is the controller's register file (BAR0) as a host sees it. Offsets
// are bytes; accesses are 4 or 8 bytes wide and naturally aligned. Any lane, and
// any goroutine: a read answers at once, a write takes effect on the
// controller's lane, in the order of the writes of one sender.
type Registers interface {
	Read32(off uint32) uint32
	Read64(off uint32) uint64
	Write32(off uint32, v uint32)
	Write64(off uint32, v uint64)
}

// Memory is the host's memory by bus address. Called on the controller's lane.
type Memory interface {
	// Window returns the n bytes at addr, or false where they are not all
	// mapped or do not lie in one piece. The bytes are the host's: the controller
	// uses them only until the command that named them has completed. A window
	// that is 4-byte aligned in bus addresses is so in memory.
	Window(addr uint64, n int) ([]byte, bool)
}

// Interrupter delivers interrupts to the host.
type Interrupter interface {
	// Raise signals vector v. Called on the controller's lane; it neither blocks
	// nor runs host code inline.
	Raise(v int)
}
