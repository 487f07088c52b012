package nvme

import "blksim/device/nvme/spec"

// identify answers Identify (Base 5.17).
func (c *Controller) identify(cmd *command, e *spec.SQE) spec.Status {
	nsid := e.NSID()
	b := c.page
	clear(b)
	switch e.CDW10() & 0xff {
	case spec.CNSNamespace:
		// There is no namespace management: no common data under NSIDAll.
		if nsid != namespaceID {
			return spec.InvalidNamespace
		}
		d := c.namespaceData()
		d.Encode(b)
	case spec.CNSController:
		d := c.controllerData()
		d.Encode(b)
	case spec.CNSActiveList:
		// The active namespaces above NSID, in order.
		if nsid >= 0xffff_fffe {
			return spec.InvalidNamespace
		}
		if nsid < namespaceID {
			b[0] = namespaceID
		}
	case spec.CNSDescriptors:
		if nsid != namespaceID {
			return spec.InvalidNamespace
		}
		d := c.namespaceData()
		rest := spec.PutDescriptor(b, spec.NIDNGUID, d.NGUID[:])
		spec.PutDescriptor(rest, spec.NIDCSI, []byte{0}) // NVM command set
	default:
		return spec.InvalidField
	}
	return c.toHost(cmd, b)
}

func (c *Controller) controllerData() spec.ControllerData {
	d := spec.ControllerData{
		Serial: c.cfg.Serial, Model: c.cfg.Model, Firmware: c.cfg.Firmware,
		MDTS: c.cfg.MDTS, VER: spec.Version, CNTRLTYPE: 1,
		ACL: uint8(c.cfg.AbortLimit - 1), AERL: uint8(c.cfg.EventLimit - 1), FRMW: 1<<1 | 1,
		WCTEMP: 0x157, CCTEMP: 0x15c,
		SQES: 6<<4 | 6, CQES: 4<<4 | 4, NN: 1,
		ONCS: spec.ONCSDatasetManagement | spec.ONCSWriteZeroes,
		VWC:  spec.VWCFlushAllYes,
		// Base 4.5: unique to the subsystem.
		SubNQN: "nqn.2014-08.org.nvmexpress:uuid:626c6b73-696d-4000-8000-" + c.serialHex(),
	}
	if c.medium.Volatile() {
		d.VWC |= spec.VWCPresent
	}
	return d
}

func (c *Controller) namespaceData() spec.NamespaceData {
	d := spec.NamespaceData{
		NSZE: c.blocks, NCAP: c.blocks, NUSE: c.blocks,
		DLFEAT: 1 | 1<<3, // deallocated blocks read as zeroes; Write Zeroes deallocates
	}
	if c.store != nil {
		d.NSFEAT = 1 // thin: NUSE says what is there
		d.NUSE = min(c.blocks, uint64(c.store.Allocated())>>c.lbaShift)
	}
	if c.cfg.Data == Discard {
		d.DLFEAT = 0 // nothing is promised about what is read
	}
	d.LBADS[0] = c.lbaShift
	copy(d.NGUID[:], "blksim\x00\x00")
	h := c.serialHash()
	for i := range 8 {
		d.NGUID[8+i] = byte(h >> (56 - 8*i))
	}
	return d
}

// serialHash is FNV-1a of the serial number, from which the unique names are
// made: the same device has the same names in every run.
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
