package nvme

import (
	"bytes"

	"blksim/device/nvme/spec"
)

// decodeCompare decodes Compare (NVM 3.2.1). For the medium it is a read.
func (c *Controller) decodeCompare(cmd *command, e *spec.SQE) spec.Status {
	cmd.op.Kind = OpRead
	return c.decodeTransfer(cmd, e)
}

// compare compares the host's buffer with what is stored now.
func (c *Controller) compare(cmd *command) spec.Status {
	w := c.walk(cmd, int(cmd.op.Len))
	off := cmd.op.Off
	for {
		b, n, st := w.next()
		if n == 0 {
			return st
		}
		for len(b) > 0 {
			have := c.page[:min(len(b), len(c.page))]
			c.store.ReadAt(have, off)
			if !bytes.Equal(have, b[:len(have)]) {
				return spec.CompareFailure
			}
			b, off = b[len(have):], off+int64(len(have))
		}
	}
}
