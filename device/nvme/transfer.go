package nvme

import "blksim/device/nvme/spec"

// A walk goes through the pieces of host memory that a command's data pointer
// names, by PRPs or by SGLs.
type walk struct {
	sgl bool
	prp prpWalk
	seg sglWalk
}

// next is the next piece: its memory, or nil for a run of n bytes that the host
// does not want (a bit bucket). n of 0 is the end, with the status.
func (w *walk) next() (b []byte, n int, st spec.Status) {
	if w.sgl {
		return w.seg.next()
	}
	b, st = w.prp.next()
	return b, len(b), st
}

// walk begins to walk the n bytes of cmd's data.
func (c *Controller) walk(cmd *command, n int) walk {
	if cmd.sgl {
		return walk{sgl: true, seg: newSGLWalk(c.mem, c.pageShift, cmd.prp1, cmd.prp2, n, cmd.opcode&3 == toHostBits)}
	}
	return walk{prp: prpWalk{mem: c.mem, shift: c.pageShift, prp1: cmd.prp1, prp2: cmd.prp2, left: n}}
}

// toHostBits are the low bits of the opcode of a command whose data goes to the
// host (Base 3.3.3.1, Data Transfer).
const toHostBits = 2

// setData takes the data pointer from e.
func (cmd *command) setData(e *spec.SQE) {
	cmd.prp1, cmd.prp2 = e.PRP1(), e.PRP2()
	cmd.sgl = e.PSDT() != 0
}

// checkData says whether cmd's data pointer is good for n bytes.
func (c *Controller) checkData(cmd *command, n int) spec.Status {
	if page := 1 << c.pageShift; !cmd.sgl && n <= page-int(cmd.prp1&uint64(page-1)) && cmd.prp1&3 == 0 {
		if _, ok := c.mem.Window(cmd.prp1, n); !ok { // the usual case, without the walk
			return spec.DataTransferError
		}
		return spec.Success
	}
	w := c.walk(cmd, n)
	for {
		if _, n, st := w.next(); n == 0 {
			return st
		}
	}
}

// toHost copies b to the host memory that cmd names.
func (c *Controller) toHost(cmd *command, b []byte) spec.Status {
	w := c.walk(cmd, len(b))
	for {
		p, n, st := w.next()
		if n == 0 {
			return st
		}
		copy(p, b)
		b = b[n:]
	}
}

// fromHost copies from there to b.
func (c *Controller) fromHost(cmd *command, b []byte) spec.Status {
	w := c.walk(cmd, len(b))
	for {
		p, n, st := w.next()
		if n == 0 {
			return st
		}
		copy(b, p)
		b = b[n:]
	}
}
