package spec

// Identify data structures (CNS, Base 5.17.1).
const (
	CNSNamespace     = 0x00
	CNSController    = 0x01
	CNSActiveList    = 0x02
	CNSDescriptors   = 0x03
	CNSCommandSet    = 0x06 // controller, by I/O command set
	CNSIndependent   = 0x08 // namespace, whatever its command set
	CNSAllocatedList = 0x10
	CNSAllocated     = 0x11
	CNSAttachedTo    = 0x12 // controllers that a namespace is attached to
	CNSControllers   = 0x13
)

// ControllerData are the fields of the Identify Controller data structure that
// we use (Base 5.17.2.1; numbers are byte offsets).
type ControllerData struct {
	VID, SSVID uint16 // 0, 2 PCI vendor ids
	Serial     string // 4, 20 bytes ASCII
	Model      string // 24, 40 bytes ASCII
	Firmware   string // 64, 8 bytes ASCII
	MDTS       uint8  // 77 largest transfer is 2^MDTS pages of CAP.MPSMIN; 0: no limit
	CNTLID     uint16 // 78 controller id
	VER        uint32 // 80 version
	OAES       uint32 // 92 optional asynchronous events
	CNTRLTYPE  uint8  // 111 1: I/O controller
	OACS       uint16 // 256 optional admin commands
	ACL        uint8  // 258 Abort commands at once, 0's based
	AERL       uint8  // 259 event requests at once, 0's based
	FRMW       uint8  // 260 firmware slots
	LPA        uint8  // 261 log page attributes
	ELPE       uint8  // 262 error log entries, 0's based
	NPSS       uint8  // 263 power states, 0's based
	WCTEMP     uint16 // 266 warning temperature, kelvin
	CCTEMP     uint16 // 268 critical temperature, kelvin
	TNVMCAP    uint64 // 280 bytes of NVM; 16 on the wire
	UNVMCAP    uint64 // 296 of these, in no namespace
	SQES       uint8  // 512 log2 of submission entry: 3:0 smallest, 7:4 largest
	CQES       uint8  // 513 likewise, completion
	NN         uint32 // 516 namespaces
	ONCS       uint16 // 520 optional I/O commands
	FUSES      uint16 // 522 fused operations
	FNA        uint8  // 524 format attributes
	VWC        uint8  // 525 bit 0 volatile write cache; 2:1 flush of all namespaces
	AWUN       uint16 // 526 blocks that are written as one, 0's based
	AWUPF      uint16 // 528 likewise, also over a power failure
	ACWU       uint16 // 532 likewise, by a fused compare and write
	OCFS       uint16 // 534 formats of Copy's descriptors
	SGLS       uint32 // 536 SGL support
	MNAN       uint32 // 540 most namespaces; 0: NN
	SubNQN     string // 768, 256 bytes UTF-8
}

// Bits of ONCS.
const (
	ONCSCompare           = 1 << 0
	ONCSDatasetManagement = 1 << 2
	ONCSWriteZeroes       = 1 << 3
	ONCSSaveSelect        = 1 << 4
	ONCSTimestamp         = 1 << 6
	ONCSVerify            = 1 << 7
	ONCSCopy              = 1 << 8
)

// Bits of OACS.
const (
	OACSFormat     = 1 << 1
	OACSNamespaces = 1 << 3 // Namespace Management and Attachment
)

// LPAEffects and the others are bits of LPA.
const (
	LPAEffects  = 1 << 1 // Commands Supported and Effects
	LPAExtended = 1 << 2 // offsets, and lengths beyond 12 bits
	LPASupports = 1 << 5 // Supported Log Pages and the like
)

// FUSESCompareWrite is the bit of FUSES.
const FUSESCompareWrite = 1 << 0

// Bits of VWC.
const (
	VWCPresent       = 1 << 0
	VWCFlushAllNever = 2 << 1 // Flush with NSIDAll is refused
	VWCFlushAllYes   = 3 << 1 // Flush with NSIDAll is taken
)

// Encode writes d into b (4096 bytes); what it has no field for is zero.
func (d *ControllerData) Encode(b []byte) {
	clear(b[:IdentifySize])
	le.PutUint16(b[0:], d.VID)
	le.PutUint16(b[2:], d.SSVID)
	putText(b[4:24], d.Serial)
	putText(b[24:64], d.Model)
	putText(b[64:72], d.Firmware)
	b[77] = d.MDTS
	le.PutUint16(b[78:], d.CNTLID)
	le.PutUint32(b[80:], d.VER)
	le.PutUint32(b[92:], d.OAES)
	b[111] = d.CNTRLTYPE
	le.PutUint16(b[256:], d.OACS)
	b[258] = d.ACL
	b[259] = d.AERL
	b[260] = d.FRMW
	b[261] = d.LPA
	b[262] = d.ELPE
	b[263] = d.NPSS
	le.PutUint16(b[266:], d.WCTEMP)
	le.PutUint16(b[268:], d.CCTEMP)
	le.PutUint64(b[280:], d.TNVMCAP)
	le.PutUint64(b[296:], d.UNVMCAP)
	b[512] = d.SQES
	b[513] = d.CQES
	le.PutUint32(b[516:], d.NN)
	le.PutUint16(b[520:], d.ONCS)
	le.PutUint16(b[522:], d.FUSES)
	b[524], b[525] = d.FNA, d.VWC
	le.PutUint16(b[526:], d.AWUN)
	le.PutUint16(b[528:], d.AWUPF)
	le.PutUint16(b[532:], d.ACWU)
	le.PutUint16(b[534:], d.OCFS)
	le.PutUint32(b[536:], d.SGLS)
	le.PutUint32(b[540:], d.MNAN)
	copy(b[768:1023], d.SubNQN) // null-terminated
}

// Decode reads d from b (4096 bytes).
func (d *ControllerData) Decode(b []byte) {
	_ = b[IdentifySize-1]
	*d = ControllerData{
		VID: le.Uint16(b[0:]), SSVID: le.Uint16(b[2:]),
		Serial: text(b[4:24]), Model: text(b[24:64]), Firmware: text(b[64:72]),
		MDTS: b[77], CNTLID: le.Uint16(b[78:]), VER: le.Uint32(b[80:]), OAES: le.Uint32(b[92:]),
		CNTRLTYPE: b[111], OACS: le.Uint16(b[256:]), ACL: b[258], AERL: b[259], FRMW: b[260],
		LPA: b[261], ELPE: b[262], NPSS: b[263], WCTEMP: le.Uint16(b[266:]), CCTEMP: le.Uint16(b[268:]),
		TNVMCAP: le.Uint64(b[280:]), UNVMCAP: le.Uint64(b[296:]), FNA: b[524], AWUN: le.Uint16(b[526:]),
		AWUPF: le.Uint16(b[528:]), ACWU: le.Uint16(b[532:]), OCFS: le.Uint16(b[534:]), MNAN: le.Uint32(b[540:]),
		SQES: b[512], CQES: b[513], NN: le.Uint32(b[516:]), ONCS: le.Uint16(b[520:]),
		FUSES: le.Uint16(b[522:]), VWC: b[525], SGLS: le.Uint32(b[536:]), SubNQN: text(b[768:1024]),
	}
}

// NamespaceData are the fields of the Identify Namespace data structure of the
// NVM command set that we use (NVM 4.1.5.1).
type NamespaceData struct {
	NSZE   uint64   // 0 size, logical blocks
	NCAP   uint64   // 8 capacity, logical blocks
	NUSE   uint64   // 16 blocks in use
	NSFEAT uint8    // 24 bit 0 thin provisioning
	NLBAF  uint8    // 25 LBA formats, 0's based
	FLBAS  uint8    // 26 3:0 the format in use
	DPS    uint8    // 29 protection
	NMIC   uint8    // 30 bit 0: may be shared
	DLFEAT uint8    // 33 2:0 what a deallocated block reads as: 1 zeroes; 3 Write Zeroes may deallocate
	NOIOB  uint16   // 46 commands do not go across a multiple of so many blocks; 0: any
	NVMCAP uint64   // 48 bytes; 16 on the wire
	MSSRL  uint16   // 74 most blocks of one range of Copy
	MCL    uint32   // 76 most blocks of a Copy
	MSRC   uint8    // 80 most ranges of a Copy, 0's based
	NGUID  [16]byte // 104
	EUI64  [8]byte  // 120
	LBADS  [16]uint8
	// LBADS is log2 of the block size of each format (LBA format i at 128+4*i,
	// bits 23:16); no format has metadata.
}

// BlockSize is the logical block of the format in use, bytes; 0 if the data
// says nothing sensible.
func (d *NamespaceData) BlockSize() int {
	if s := d.LBADS[d.FLBAS&15]; s >= 9 && s < 31 {
		return 1 << s
	}
	return 0
}

// Encode writes d into b (4096 bytes).
func (d *NamespaceData) Encode(b []byte) {
	clear(b[:IdentifySize])
	le.PutUint64(b[0:], d.NSZE)
	le.PutUint64(b[8:], d.NCAP)
	le.PutUint64(b[16:], d.NUSE)
	b[24], b[25], b[26], b[33] = d.NSFEAT, d.NLBAF, d.FLBAS, d.DLFEAT
	b[29], b[30] = d.DPS, d.NMIC
	le.PutUint16(b[46:], d.NOIOB)
	le.PutUint64(b[48:], d.NVMCAP)
	le.PutUint16(b[74:], d.MSSRL)
	le.PutUint32(b[76:], d.MCL)
	b[80] = d.MSRC
	copy(b[104:], d.NGUID[:])
	copy(b[120:], d.EUI64[:])
	for i, s := range d.LBADS {
		b[128+4*i+2] = s
	}
}

// Decode reads d from b (4096 bytes).
func (d *NamespaceData) Decode(b []byte) {
	_ = b[IdentifySize-1]
	*d = NamespaceData{
		NSZE: le.Uint64(b[0:]), NCAP: le.Uint64(b[8:]), NUSE: le.Uint64(b[16:]),
		NSFEAT: b[24], NLBAF: b[25], FLBAS: b[26], DLFEAT: b[33],
		DPS: b[29], NMIC: b[30], NOIOB: le.Uint16(b[46:]), NVMCAP: le.Uint64(b[48:]), MSSRL: le.Uint16(b[74:]), MCL: le.Uint32(b[76:]), MSRC: b[80],
		NGUID: [16]byte(b[104:120]), EUI64: [8]byte(b[120:128]),
	}
	for i := range d.LBADS {
		d.LBADS[i] = b[128+4*i+2]
	}
}

// Namespace identification descriptor types (Base 5.17.2.3).
const (
	NIDEUI64 = 1
	NIDNGUID = 2
	NIDUUID  = 3
	NIDCSI   = 4
)

// PutDescriptor writes one namespace identification descriptor and returns the
// rest of b.
func PutDescriptor(b []byte, typ uint8, id []byte) []byte {
	b[0], b[1], b[2], b[3] = typ, uint8(len(id)), 0, 0
	return b[4+copy(b[4:], id):]
}

// putText writes ASCII as the specification wants it: left aligned, padded with
// spaces.
func putText(b []byte, s string) {
	for i := copy(b, s); i < len(b); i++ {
		b[i] = ' '
	}
}

func text(b []byte) string {
	n := len(b)
	for n > 0 && (b[n-1] == ' ' || b[n-1] == 0) {
		n--
	}
	return string(b[:n])
}
