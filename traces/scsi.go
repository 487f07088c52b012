package traces

import "fmt"

// Reasons why a recognised record is no I/O to replay.
const (
	skipOtherVolume = "other volume"
	skipNoExtent    = "no extent"
)

// scsi decides what a SCSI opcode is. Reads and writes of 6, 10, 12 and 16 bytes
// and the cache flushes are I/O. WRITE SAME and UNMAP are not taken: the trace
// holds the size of their parameters, not of what they change on the disk. SCSI lets a
// read or write of no bytes pass as no operation; no trace we know has one, and it is
// bad here, as everywhere.
type scsi struct {
	s     *scan
	slots [256]int // tally slot + 1 of each command that is no I/O
}

func newSCSI(s *scan) scsi { return scsi{s: s} }

// op sets the op of rec. isSkipped is a command that moves no data.
func (p *scsi) op(rec *Record, opcode uint8) verdict {
	switch opcode {
	case 0x08, 0x28, 0xa8, 0x88:
		rec.Op = Read
	case 0x0a, 0x2a, 0xaa, 0x8a, 0x2e, 0xae, 0x8e: // 2e, ae, 8e: write and verify
		rec.Op = Write
	case 0x35, 0x91: // SYNCHRONIZE CACHE
		rec.Op = Flush
	default:
		if p.slots[opcode] == 0 {
			p.slots[opcode] = p.s.skips.slot(fmt.Sprintf("SCSI command 0x%02x", opcode)) + 1
		}
		return p.s.skip(p.slots[opcode] - 1)
	}
	return isRecord
}
