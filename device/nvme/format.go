package nvme

import "blksim/device/nvme/spec"

// format is the Format NVM that is being carried out; there is one at a time.
type format struct {
	cmd  *command // nil: none
	op   Op       // the erasure
	lbaf int
	ns   []*namespace
}

// execFormat carries out Format NVM (Base 5.14): the namespace, or all that are
// attached, lose their data and get the block size that is asked for. Until the
// medium is done with it, their commands end with Format In Progress. Commands
// that are out already are a Command Sequence Error.
func (c *Controller) execFormat(cmd *command, e *spec.SQE) {
	if st := c.beginFormat(cmd, e); st != spec.Success {
		c.fail(cmd, st)
	}
}

func (c *Controller) beginFormat(cmd *command, e *spec.SQE) spec.Status {
	v := e.CDW10()
	lbaf := int(v&spec.FormatLBAFMask | v&spec.FormatLBAFUMask>>8)
	switch {
	case v&spec.FormatSESMask>>spec.FormatSESShift > spec.FormatEraseUser: // FNA: no cryptographic erase
		return spec.InvalidField
	case lbaf >= len(lbaShifts) || v&spec.FormatPIMask != 0:
		return spec.InvalidFormat
	case c.format.cmd != nil:
		return spec.CommandSequenceError
	}
	f := &c.format
	f.ns, f.op.Ranges = f.ns[:0], f.op.Ranges[:0]
	if e.NSID() == spec.NSIDAll {
		for _, n := range c.ns {
			if n != nil && n.attached {
				f.ns = append(f.ns, n)
			}
		}
	} else {
		n, st := c.findNS(e.NSID())
		if st != spec.Success {
			return st
		}
		f.ns = append(f.ns, n)
	}
	for i := range c.io.cmds {
		for _, n := range f.ns {
			if v := &c.io.cmds[i]; v.live() && v.ns == n {
				return spec.CommandSequenceError
			}
		}
	}
	for _, n := range f.ns {
		n.formatting = true
		f.op.Ranges = append(f.op.Ranges, Extent{n.base, n.size})
	}
	cmd.state = cmdWaiting
	f.cmd, f.lbaf = cmd, lbaf
	if st, done := c.medium.Begin(&f.op); done {
		c.finishFormat(st)
	}
	return spec.Success
}

// finishFormat ends the format when the medium has erased.
func (c *Controller) finishFormat(st spec.Status) {
	f := &c.format
	cmd := f.cmd
	f.cmd = nil
	for _, n := range f.ns {
		n.formatting = false
		if st != spec.Success || n.gone {
			continue
		}
		c.zero(Extent{n.base, n.size})
		if n.lbaf() != f.lbaf {
			n.setFormat(f.lbaf)
			c.namespaceChanged(n.id)
		}
	}
	if st != spec.Success {
		c.fail(cmd, spec.InternalError)
		return
	}
	c.complete(cmd, spec.Success)
}

// cutFormat is a reset in the middle of a format: the data is gone, and the
// block size is as before.
func (c *Controller) cutFormat() {
	if c.format.cmd == nil {
		return
	}
	c.format.cmd = nil
	for _, n := range c.format.ns {
		n.formatting = false
		if !n.gone {
			c.zero(Extent{n.base, n.size})
		}
	}
}
