package nvme

import (
	"encoding/binary"

	"blksim/device/nvme/spec"
)

// controllerID is CNTLID: the subsystem has this one controller.
const controllerID = 1

// nsGranularity is what the size of a created namespace is rounded up to, bytes:
// the largest logical block.
const nsGranularity = 4096

// nsAttach is Namespace Attachment (Base 5.21).
func (c *Controller) nsAttach(cmd *command, e *spec.SQE) spec.Status {
	nsid, sel := e.NSID(), e.CDW10()&0xf
	if nsid == 0 || nsid > uint32(len(c.ns)) {
		return spec.InvalidNamespace
	}
	n := c.ns[nsid-1]
	if n == nil || sel > spec.NSDetach {
		return spec.InvalidField
	}
	b := c.page
	if st := c.fromHost(cmd, b); st != spec.Success {
		return st
	}
	if binary.LittleEndian.Uint16(b) != 1 || binary.LittleEndian.Uint16(b[2:]) != controllerID {
		return spec.ControllerListInvalid
	}
	switch attach := sel == spec.NSAttach; {
	case attach && n.attached:
		return spec.NSAlreadyAttached
	case !attach && !n.attached:
		return spec.NSNotAttached
	default:
		n.attached = attach
	}
	c.namespaceChanged(nsid)
	return spec.Success
}

// nsManage is Namespace Management (Base 5.22).
func (c *Controller) nsManage(cmd *command, e *spec.SQE) spec.Status {
	switch e.CDW10() & 0xf {
	case spec.NSCreate:
		if e.CDW11()>>24 != 0 { // CSI: NVM is the only one
			return spec.CommandSetNotSupported
		}
		return c.nsCreate(cmd, e)
	case spec.NSDelete:
		return c.nsDelete(e.NSID())
	}
	return spec.InvalidField
}

func (c *Controller) nsCreate(cmd *command, e *spec.SQE) spec.Status {
	if e.NSID() != 0 {
		return spec.InvalidField
	}
	if st := c.fromHost(cmd, c.page); st != spec.Success {
		return st
	}
	var d spec.NamespaceData
	d.Decode(c.page)
	lbaf := int(d.FLBAS & 15)
	if lbaf >= len(lbaShifts) || d.FLBAS>>4 != 0 || d.DPS != 0 {
		return spec.InvalidFormat
	}
	shift := lbaShifts[lbaf]
	switch {
	case d.NMIC != 0 || d.NSZE == 0:
		return spec.InvalidField
	case d.NSZE != d.NCAP:
		return spec.ThinNotSupported
	case d.NSZE > uint64(c.cfg.Capacity)>>shift:
		return spec.NSInsufficientCapacity
	}
	size := (int64(d.NSZE)<<shift + nsGranularity - 1) &^ (nsGranularity - 1)
	base, ok := c.findSpace(size)
	if !ok {
		return spec.NSInsufficientCapacity
	}
	for i, n := range c.ns {
		if n == nil {
			c.ns[i] = &namespace{id: uint32(i + 1), base: base, size: size, shift: shift, blocks: d.NSZE}
			c.zero(Extent{base, size}) // nobody reads what was there before
			cmd.result = uint64(i + 1)
			return spec.Success
		}
	}
	return spec.NSIDUnavailable
}

// nsDelete deletes a namespace, or all of them. It is detached first.
func (c *Controller) nsDelete(nsid uint32) spec.Status {
	switch {
	case nsid == spec.NSIDAll:
		for i := range c.ns {
			c.dropNS(i)
		}
		return spec.Success
	case nsid == 0 || nsid > uint32(len(c.ns)):
		return spec.InvalidNamespace
	case c.ns[nsid-1] == nil:
		return spec.InvalidField
	}
	c.dropNS(int(nsid - 1))
	return spec.Success
}

func (c *Controller) dropNS(i int) {
	n := c.ns[i]
	if n == nil {
		return
	}
	c.ns[i] = nil
	n.gone = true
	if n.attached {
		n.attached = false
		c.namespaceChanged(n.id)
	}
}
