package nvme

import (
	"math/bits"

	"blksim/device/nvme/spec"
)

// wrongData is what is wrong with the data of a command that says it succeeded.
type wrongData uint8

const (
	rightData   wrongData = iota
	corrupted             // a read: one bit of what the host gets is wrong
	torn                  // a write: only its first blocks are stored
	misdirected           // a write: it is stored elsewhere
	lostWrite             // a write: nothing is stored
)

// before is asked before the data of cmd moves. It returns what a host saw there,
// of a write that is not going to be stored as it should be.
func (f *faults) before(cmd *command) (old []byte) {
	if f.c.store == nil || cmd.opcode != spec.IOWrite {
		return nil
	}
	f.c.store.before(cmd.op.Off, cmd.op.Len, 1<<cmd.ns.shift)
	if f.state[cmd.slot].wrong != rightData {
		old = make([]byte, cmd.op.Len)
		f.c.store.ReadAt(old, cmd.op.Off)
	}
	return old
}

// after follows the move of cmd's data, which has succeeded. The good contents
// are what they should be; the fault is laid over them.
func (f *faults) after(cmd *command, old []byte) {
	op, d := &cmd.op, f.c.store
	s := &f.state[cmd.slot]
	switch {
	case d == nil:
	case cmd.opcode == spec.IOWrite:
		d.written(op.Off, op.Len, op.ForceUnit)
	case op.Kind == OpFlush && d.cache != nil:
		d.cache.flushed(s.mark)
	}
	if s.wrong == corrupted && cmd.opcode == spec.IORead {
		f.flip(cmd)
	}
	if old == nil {
		return
	}
	block := int64(1) << cmd.ns.shift
	switch s.wrong {
	case torn:
		// At least one block is there and at least one is not, if there are two.
		kept := int64(0)
		if n := int(op.Len / block); n > 1 {
			kept = int64(1+f.below(n-1)) * block
		}
		d.spoil(old[kept:], op.Off+kept)
	case lostWrite:
		d.spoil(old, op.Off)
	case misdirected:
		stray := make([]byte, op.Len)
		d.good.ReadAt(stray, op.Off)
		d.spoil(old, op.Off)
		d.spoil(stray, f.elsewhere(cmd.ns, op.Len))
	}
}

// elsewhere is a place in the namespace for n bytes.
func (f *faults) elsewhere(ns *namespace, n int64) int64 {
	places := (ns.size-n)>>ns.shift + 1
	hi, _ := bits.Mul64(f.rand.Uint64(), uint64(places))
	return ns.base + int64(hi)<<ns.shift
}

// flip inverts a bit of the data that a read has brought to the host.
func (f *faults) flip(cmd *command) {
	bit := f.below(int(cmd.op.Len))*8 + f.below(8)
	w := f.c.walk(cmd, int(cmd.op.Len))
	for at := 0; ; {
		b, n, _ := w.next()
		if n == 0 {
			return
		}
		if i := bit/8 - at; i < n {
			if b != nil {
				b[i] ^= 1 << (bit % 8)
			}
			return
		}
		at += n
	}
}
