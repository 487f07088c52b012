package spec

// Register offsets in BAR0 (Base 3.1.3).
const (
	RegCAP   = 0x00 // controller capabilities, 8 bytes
	RegVS    = 0x08 // version
	RegINTMS = 0x0c // interrupt mask set
	RegINTMC = 0x10 // interrupt mask clear
	RegCC    = 0x14 // controller configuration
	RegCSTS  = 0x1c // controller status
	RegNSSR  = 0x20 // subsystem reset
	RegAQA   = 0x24 // admin queue attributes
	RegASQ   = 0x28 // admin submission queue base address, 8 bytes
	RegACQ   = 0x30 // admin completion queue base address, 8 bytes
	RegCRTO  = 0x68 // controller ready timeouts

	RegDoorbells = 0x1000 // the first doorbell (PCIe 3.1.2)
)

// SQTailDoorbell is the offset of submission queue qid's tail doorbell
// (PCIe 3.1.2.1); dstrd is CAP.DSTRD.
func SQTailDoorbell(qid uint16, dstrd uint8) uint32 {
	return RegDoorbells + 2*uint32(qid)*(4<<dstrd)
}

// CQHeadDoorbell is the offset of completion queue qid's head doorbell
// (PCIe 3.1.2.2).
func CQHeadDoorbell(qid uint16, dstrd uint8) uint32 {
	return RegDoorbells + (2*uint32(qid)+1)*(4<<dstrd)
}

// Version is the VS register of revision 2.0 (Base 3.1.3.2).
const Version = 0x0002_0000

// CAP is the controller capabilities register (Base 3.1.3.1).
type CAP uint64

// CapFields are the fields of CAP that we use, as the specification encodes
// them.
type CapFields struct {
	MQES   uint16 // 15:0 most entries of an I/O queue, 0's based
	CQR    bool   // 16 queues must be physically contiguous
	AMS    uint8  // 18:17 arbitration beside round robin: bit 0 weighted with urgent
	TO     uint8  // 31:24 longest time to ready, in 500 ms
	DSTRD  uint8  // 35:32 doorbell stride is 4 << DSTRD bytes
	NSSRS  bool   // 36 NSSR is there
	CSS    uint8  // 44:37 command sets: bit 0 NVM
	MPSMIN uint8  // 51:48 smallest page is 4 KiB << MPSMIN
	MPSMAX uint8  // 55:52 largest page is 4 KiB << MPSMAX
	CRMS   uint8  // 60:59 ready modes: bit 0 with the media, so that CRTO counts
}

// Encode makes the register.
func (f CapFields) Encode() CAP {
	v := uint64(f.MQES) | uint64(f.AMS&3)<<17 | uint64(f.TO)<<24 | uint64(f.DSTRD&15)<<32 |
		uint64(f.CSS)<<37 | uint64(f.MPSMIN&15)<<48 | uint64(f.MPSMAX&15)<<52 | uint64(f.CRMS&3)<<59
	if f.CQR {
		v |= 1 << 16
	}
	if f.NSSRS {
		v |= 1 << 36
	}
	return CAP(v)
}

// Fields takes the register apart.
func (c CAP) Fields() CapFields {
	return CapFields{
		MQES: uint16(c), CQR: c>>16&1 != 0, NSSRS: c>>36&1 != 0, CRMS: uint8(c >> 59 & 3), AMS: uint8(c >> 17 & 3), TO: uint8(c >> 24),
		DSTRD: uint8(c >> 32 & 15), CSS: uint8(c >> 37), MPSMIN: uint8(c >> 48 & 15), MPSMAX: uint8(c >> 52 & 15),
	}
}

// AMSWeighted is the bit of CAP.AMS, and the value of CC.AMS, for weighted round
// robin with an urgent class.
const AMSWeighted = 1

// SubsystemReset is what a host writes to NSSR: "NVMe" (Base 3.1.3.7).
const SubsystemReset = 0x4e56_4d65

// CC is the controller configuration register (Base 3.1.3.5).
type CC uint32

// Shutdown notifications (CC.SHN).
const (
	ShutdownNone   = 0
	ShutdownNormal = 1
	ShutdownAbrupt = 2
)

// CCFields are the fields of CC.
type CCFields struct {
	EN     bool  // 0 enable
	CSS    uint8 // 6:4 command set: 0 NVM
	MPS    uint8 // 10:7 page is 4 KiB << MPS
	AMS    uint8 // 13:11 arbitration: 0 round robin
	SHN    uint8 // 15:14 shutdown notification
	IOSQES uint8 // 19:16 log2 of the I/O submission entry: 6
	IOCQES uint8 // 23:20 log2 of the I/O completion entry: 4
}

// Encode makes the register.
func (f CCFields) Encode() CC {
	v := uint32(f.CSS&7)<<4 | uint32(f.MPS&15)<<7 | uint32(f.AMS&7)<<11 | uint32(f.SHN&3)<<14 |
		uint32(f.IOSQES&15)<<16 | uint32(f.IOCQES&15)<<20
	if f.EN {
		v |= 1
	}
	return CC(v)
}

// Fields takes the register apart.
func (c CC) Fields() CCFields {
	return CCFields{
		EN: c.EN(), CSS: uint8(c >> 4 & 7), MPS: uint8(c >> 7 & 15), AMS: uint8(c >> 11 & 7),
		SHN: c.SHN(), IOSQES: uint8(c >> 16 & 15), IOCQES: uint8(c >> 20 & 15),
	}
}

// EN is the enable bit.
func (c CC) EN() bool { return c&1 != 0 }

// SHN is the shutdown notification.
func (c CC) SHN() uint8 { return uint8(c >> 14 & 3) }

// Shutdown states (CSTS.SHST).
const (
	ShutdownIdle     = 0 // no shutdown was asked for
	ShutdownBusy     = 1
	ShutdownComplete = 2
)

// CSTS is the controller status register (Base 3.1.3.6).
type CSTS uint32

// Bits of CSTS.
const (
	CSTSReady CSTS = 1 << 0 // RDY
	CSTSFatal CSTS = 1 << 1 // CFS
	CSTSNSSRO CSTS = 1 << 4 // a subsystem reset has happened; cleared by writing 1
)

// Ready is CSTS.RDY.
func (c CSTS) Ready() bool { return c&CSTSReady != 0 }

// Fatal is CSTS.CFS.
func (c CSTS) Fatal() bool { return c&CSTSFatal != 0 }

// SHST is the shutdown state.
func (c CSTS) SHST() uint8 { return uint8(c >> 2 & 3) }

// WithSHST is c with another shutdown state.
func (c CSTS) WithSHST(s uint8) CSTS { return c&^(3<<2) | CSTS(s&3)<<2 }

// AQA is the admin queue attributes register (Base 3.1.3.8).
type AQA uint32

// EncodeAQA makes the register from the numbers of entries (1's based, 2 to
// 4096).
func EncodeAQA(sqEntries, cqEntries int) AQA {
	return AQA((sqEntries-1)&0xfff | (cqEntries-1)&0xfff<<16)
}

// SQEntries is the size of the admin submission queue, 1's based.
func (a AQA) SQEntries() int { return int(a&0xfff) + 1 }

// CQEntries is the size of the admin completion queue, 1's based.
func (a AQA) CQEntries() int { return int(a>>16&0xfff) + 1 }
