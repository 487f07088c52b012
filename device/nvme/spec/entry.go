package spec

import (
	"encoding/binary"
	"unsafe"
)

// Sizes of queue entries and of identify data, bytes.
const (
	SQESize      = 64
	CQESize      = 16
	IdentifySize = 4096
)

var le = binary.LittleEndian

// SQE is a submission queue entry (Base 3.3.3.1).
type SQE [SQESize]byte

// SQEs are the entries of the submission queue in b, in place.
func SQEs(b []byte) []SQE {
	return unsafe.Slice((*SQE)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/SQESize)
}

// SQEAt is entry i of it.
func SQEAt(b []byte, i int) *SQE { return &SQEs(b)[i] }

// SQEDword0 is the first dword of a command: opcode 7:0, fuse 9:8, PSDT 15:14, CID 31:16.
type SQEDword0 uint32

// SQEKindMask is what there is in CDW0 beside the CID and what is reserved: opcode,
// fuse and PSDT.
const SQEKindMask = 0xc3ff

// Opcode says which command it is.
func (d SQEDword0) Opcode() uint8 { return uint8(d) }

// Fuse is [SQE.Fuse].
func (d SQEDword0) Fuse() uint8 { return uint8(d>>8) & 3 }

// PSDT is [SQE.PSDT].
func (d SQEDword0) PSDT() uint8 { return uint8(d >> 14 & 3) }

// CID is the command identifier.
func (d SQEDword0) CID() uint16 { return uint16(d >> 16) }

// CDW0 is the first dword, whose parts the next four methods are.
func (e *SQE) CDW0() SQEDword0 { return SQEDword0(le.Uint32(e[0:])) }

// Opcode is CDW0 bits 7:0.
func (e *SQE) Opcode() uint8 { return e[0] }

// Fuse is CDW0 bits 9:8; 0 is a normal command.
func (e *SQE) Fuse() uint8 { return e[1] & 3 }

// PSDT is CDW0 bits 15:14; 0 says that PRPs are used.
func (e *SQE) PSDT() uint8 { return e[1] >> 6 }

// CID is the command identifier.
func (e *SQE) CID() uint16 { return le.Uint16(e[2:]) }

// NSID is the namespace identifier.
func (e *SQE) NSID() uint32 { return le.Uint32(e[4:]) }

// MPTR is the metadata pointer.
func (e *SQE) MPTR() uint64 { return le.Uint64(e[16:]) }

// PRP1 is the first physical region page entry.
func (e *SQE) PRP1() uint64 { return le.Uint64(e[24:]) }

// PRP2 is the second entry, or the pointer to a PRP list.
func (e *SQE) PRP2() uint64 { return le.Uint64(e[32:]) }

// CDW10 to CDW15 are command dwords.
func (e *SQE) CDW10() uint32 { return le.Uint32(e[40:]) }
func (e *SQE) CDW11() uint32 { return le.Uint32(e[44:]) }
func (e *SQE) CDW12() uint32 { return le.Uint32(e[48:]) }
func (e *SQE) CDW13() uint32 { return le.Uint32(e[52:]) }
func (e *SQE) CDW14() uint32 { return le.Uint32(e[56:]) }
func (e *SQE) CDW15() uint32 { return le.Uint32(e[60:]) }

// SLBA is the starting LBA of an I/O command: CDW10 and CDW11.
func (e *SQE) SLBA() uint64 { return le.Uint64(e[40:]) }

// Begin clears the entry and sets opcode, command and namespace identifiers.
func (e *SQE) Begin(opcode uint8, cid uint16, nsid uint32) {
	*e = SQE{}
	e[0] = opcode
	le.PutUint16(e[2:], cid)
	le.PutUint32(e[4:], nsid)
}

// SetTransfer makes the whole entry a command that names blocks, with no flags in CDW0.
func (e *SQE) SetTransfer(opcode uint8, cid uint16, nsid uint32, prp1, prp2, slba uint64, cdw12 uint32) {
	le.PutUint64(e[0:], uint64(opcode)|uint64(cid)<<16|uint64(nsid)<<32)
	le.PutUint64(e[8:], 0)
	le.PutUint64(e[16:], 0)
	e.SetPRPs(prp1, prp2)
	e.SetSLBA(slba)
	le.PutUint64(e[48:], uint64(cdw12))
	le.PutUint64(e[56:], 0)
}

// SetFuse sets CDW0 bits 9:8.
func (e *SQE) SetFuse(v uint8) { e[1] = e[1]&^3 | v&3 }

// SetPSDT sets CDW0 bits 15:14.
func (e *SQE) SetPSDT(v uint8) { e[1] = e[1]&0x3f | v<<6 }

// SetMPTR sets the metadata pointer.
func (e *SQE) SetMPTR(v uint64) { le.PutUint64(e[16:], v) }

// SetPRPs sets PRP1 and PRP2.
func (e *SQE) SetPRPs(prp1, prp2 uint64) {
	le.PutUint64(e[24:], prp1)
	le.PutUint64(e[32:], prp2)
}

// SetCDW10 to SetCDW15 set command dwords.
func (e *SQE) SetCDW10(v uint32) { le.PutUint32(e[40:], v) }
func (e *SQE) SetCDW11(v uint32) { le.PutUint32(e[44:], v) }
func (e *SQE) SetCDW12(v uint32) { le.PutUint32(e[48:], v) }
func (e *SQE) SetCDW13(v uint32) { le.PutUint32(e[52:], v) }
func (e *SQE) SetCDW14(v uint32) { le.PutUint32(e[56:], v) }
func (e *SQE) SetCDW15(v uint32) { le.PutUint32(e[60:], v) }

// SetSLBA sets CDW10 and CDW11.
func (e *SQE) SetSLBA(v uint64) { le.PutUint64(e[40:], v) }

// CQE is a completion queue entry (Base 3.3.3.2).
type CQE [CQESize]byte

// CQEs are the entries of the completion queue in b, in place. b must be 4-byte
// aligned in memory, as queue memory is.
func CQEs(b []byte) []CQE {
	p := unsafe.Pointer(unsafe.SliceData(b))
	if uintptr(p)&3 != 0 {
		panic("spec: want a completion queue that is 4-byte aligned")
	}
	return unsafe.Slice((*CQE)(p), len(b)/CQESize)
}

// CQEAt is entry i of it.
func CQEAt(b []byte, i int) *CQE { return &CQEs(b)[i] }

// Result is dword 0 (and DW0 alone is what most commands use).
func (e *CQE) Result() uint32 { return le.Uint32(e[0:]) }

// Result64 is dwords 0 and 1.
func (e *CQE) Result64() uint64 { return le.Uint64(e[0:]) }

// SQHead is the submission queue's head when the entry was made.
func (e *CQE) SQHead() uint16 { return le.Uint16(e[8:]) }

// SQID is the submission queue that the command came from.
func (e *CQE) SQID() uint16 { return le.Uint16(e[10:]) }

// Poll reads the last dword with acquire order: only when its Phase is the one
// that is waited for may the rest of the entry be read.
func (e *CQE) Poll() CQEDword3 { return e.takeOver() }

// Publish fills the entry in and hands it over: the last dword is stored last,
// with release order.
func (e *CQE) Publish(result uint64, sqhd, sqid uint16, d CQEDword3) {
	e.Fill(result, sqhd, sqid)
	e.HandOver(d)
}

// Fill is the first half of Publish: all but the last dword.
func (e *CQE) Fill(result uint64, sqhd, sqid uint16) {
	le.PutUint64(e[0:], result)
	le.PutUint32(e[8:], uint32(sqhd)|uint32(sqid)<<16)
}

// CQEDword3 is the last dword of a completion: CID 15:0, phase 16, status 31:17.
type CQEDword3 uint32

// MakeDword3 puts the last dword together.
func MakeDword3(cid uint16, phase bool, st Status) CQEDword3 {
	d := CQEDword3(cid) | CQEDword3(st)<<17
	if phase {
		d |= 1 << 16
	}
	return d
}

// CID is the command that completed.
func (d CQEDword3) CID() uint16 { return uint16(d) }

// Phase is the phase tag; it flips at each wrap of the queue, and the first
// lap has it true.
func (d CQEDword3) Phase() bool { return d>>16&1 != 0 }

// Status is the status field.
func (d CQEDword3) Status() Status { return Status(d >> 17) }
