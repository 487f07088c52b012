package nvme

import (
	"encoding/binary"

	"blksim/device/nvme/spec"
)

// identify answers Identify (Base 5.17). Lists of namespaces hold at most
// MaxNamespaces entries, which a page holds.
func (c *Controller) identify(cmd *command, e *spec.SQE) spec.Status {
	b := c.page
	clear(b)
	if st := c.identifyPage(b, e); st != spec.Success {
		return st
	}
	return c.toHost(cmd, b)
}

func (c *Controller) identifyPage(b []byte, e *spec.SQE) spec.Status {
	nsid := e.NSID()
	switch e.CDW10() & 0xff {
	case spec.CNSNamespace:
		return c.identifyNamespace(b, nsid, false)
	case spec.CNSAllocated:
		return c.identifyNamespace(b, nsid, true)
	case spec.CNSController:
		d := c.controllerData()
		d.Encode(b)
	case spec.CNSActiveList:
		return c.listNamespaces(b, nsid, false)
	case spec.CNSAllocatedList:
		return c.listNamespaces(b, nsid, true)
	case spec.CNSDescriptors:
		n, st := c.findNS(nsid)
		if st != spec.Success {
			return st
		}
		g := c.guid(n)
		rest := spec.PutDescriptor(b, spec.NIDNGUID, g[:])
		spec.PutDescriptor(rest, spec.NIDCSI, []byte{0}) // NVM command set
	case spec.CNSCommandSet:
		if e.CDW11()>>24 != 0 { // CSI: NVM alone. Its limits are all 0: none but MDTS
			return spec.InvalidField
		}
	case spec.CNSIndependent:
		if _, st := c.findNS(nsid); st != spec.Success {
			return st
		}
		b[14] = 1 // NSTAT: NRDY, ready
	case spec.CNSAttachedTo:
		return c.listControllers(b, nsid, e.CDW10()>>16)
	case spec.CNSControllers:
		if e.CDW10()>>16 <= controllerID {
			putControllers(b)
		}
	default:
		return spec.InvalidField
	}
	return spec.Success
}

// identifyNamespace writes a namespace's data. One that is not active (or, for
// allocated, not there) is all zeroes; under NSIDAll is what all have in common.
func (c *Controller) identifyNamespace(b []byte, nsid uint32, allocated bool) spec.Status {
	if nsid == spec.NSIDAll && !allocated {
		d := c.commonData()
		d.Encode(b)
		return spec.Success
	}
	if nsid == 0 || nsid > uint32(len(c.ns)) {
		return spec.InvalidNamespace
	}
	if n := c.ns[nsid-1]; n != nil && (n.attached || allocated) {
		d := c.namespaceData(n)
		d.Encode(b)
	}
	return spec.Success
}

// listNamespaces lists the namespaces above nsid, in order.
func (c *Controller) listNamespaces(b []byte, nsid uint32, allocated bool) spec.Status {
	if nsid >= 0xffff_fffe {
		return spec.InvalidNamespace
	}
	for _, n := range c.ns {
		if n != nil && n.id > nsid && (n.attached || allocated) {
			binary.LittleEndian.PutUint32(b, n.id)
			b = b[4:]
		}
	}
	return spec.Success
}

// listControllers lists the controllers that a namespace is attached to.
func (c *Controller) listControllers(b []byte, nsid, from uint32) spec.Status {
	if nsid == 0 || nsid > uint32(len(c.ns)) {
		return spec.InvalidNamespace
	}
	n := c.ns[nsid-1]
	if n == nil {
		return spec.InvalidField
	}
	if n.attached && from <= controllerID {
		putControllers(b)
	}
	return spec.Success
}

// putControllers writes a list of the one controller.
func putControllers(b []byte) {
	binary.LittleEndian.PutUint16(b, 1)
	binary.LittleEndian.PutUint16(b[2:], controllerID)
}

func (c *Controller) controllerData() spec.ControllerData {
	d := spec.ControllerData{
		Serial: c.cfg.Serial, Model: c.cfg.Model, Firmware: c.cfg.Firmware,
		MDTS: c.cfg.MDTS, CNTLID: controllerID, VER: spec.Version, CNTRLTYPE: 1,
		OAES: spec.EventNamespace, OACS: spec.OACSFormat | spec.OACSNamespaces,
		ACL: uint8(c.cfg.AbortLimit - 1), AERL: uint8(c.cfg.EventLimit - 1), FRMW: 1<<1 | 1,
		LPA: spec.LPAEffects | spec.LPAExtended | spec.LPASupports, ELPE: errorEntries - 1,
		WCTEMP: warnTemperature, CCTEMP: criticalTemperature,
		TNVMCAP: uint64(c.cfg.Capacity), UNVMCAP: uint64(c.unallocated()),
		SQES: 6<<4 | 6, CQES: 4<<4 | 4, NN: uint32(len(c.ns)),
		ONCS: spec.ONCSDatasetManagement | spec.ONCSWriteZeroes | spec.ONCSSaveSelect | spec.ONCSTimestamp |
			spec.ONCSVerify | spec.ONCSCopy,
		FUSES: c.fuses(), VWC: spec.VWCFlushAllYes,
		AWUN: 0xffff, OCFS: 1,
		SGLS: spec.SGLSSupported | spec.SGLSBitBucket | spec.SGLSExcess,
		// Base 4.5: unique to the subsystem.
		SubNQN: "nqn.2014-08.org.nvmexpress:uuid:626c6b73-696d-4000-8000-" + c.serialHex(),
	}
	if c.hasIO(spec.IOCompare) {
		d.ONCS |= spec.ONCSCompare
	}
	if c.fuses() != 0 {
		d.ACWU = 0xffff
	}
	if c.medium.Volatile() {
		d.VWC |= spec.VWCPresent
	}
	return d
}

// commonData is what all namespaces have in common.
func (c *Controller) commonData() spec.NamespaceData {
	d := spec.NamespaceData{
		NLBAF:  uint8(len(lbaShifts) - 1),
		DLFEAT: 1 | 1<<3, // deallocated blocks read as zeroes; Write Zeroes deallocates
		MSRC:   copyMaxRanges - 1,
	}
	if c.store == nil {
		d.DLFEAT = 0 // nothing is promised about what is read
	}
	copy(d.LBADS[:], lbaShifts[:])
	return d
}

func (c *Controller) namespaceData(n *namespace) spec.NamespaceData {
	d := c.commonData()
	d.NSZE, d.NCAP, d.NUSE = n.blocks, n.blocks, n.blocks
	d.FLBAS = uint8(n.lbaf())
	d.NVMCAP = uint64(n.size)
	d.MSSRL, d.MCL = uint16(maxCopy>>n.shift), uint32(maxCopy>>n.shift)
	if c.store != nil {
		// NUSE follows what was written. The store counts over all namespaces: of
		// several, none is said to use more than it has.
		d.NUSE = min(n.blocks, uint64(c.store.good.Allocated())>>n.shift)
	}
	d.NGUID = c.guid(n)
	return d
}

// guid is the namespace's globally unique identifier: the same device has the
// same ones in every run.
func (c *Controller) guid(n *namespace) (g [16]byte) {
	copy(g[:], "blksim")
	binary.BigEndian.PutUint16(g[6:], uint16(n.id-1))
	binary.BigEndian.PutUint64(g[8:], c.serialHash())
	return g
}

// serialHash is FNV-1a of the serial number, from which the unique names are
// made.
func (c *Controller) serialHash() uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(c.cfg.Serial) {
		h = (h ^ uint64(c.cfg.Serial[i])) * 0x100000001b3
	}
	return h
}

func (c *Controller) serialHex() string {
	const digits = "0123456789abcdef"
	h := c.serialHash()
	var b [12]byte
	for i := range b {
		b[i] = digits[h>>(4*i)&15]
	}
	return string(b[:])
}
