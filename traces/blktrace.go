package traces

import (
	"encoding/binary"
	"fmt"
	"math"
)

// blktrace binary, as the kernel's relay files hold it (include/uapi/linux/
// blktrace_api.h), in the byte order of the machine that traced:
//
//	magic 0x65617400 + version u32, sequence u32, time u64 (ns), sector u64, bytes u32,
//	version 5 to 7, 48 bytes: action u32, pid u32, device u32, cpu u32, error u16, pdu length u16
//	version 8, 64 bytes:      pid u32, action u64, device u32, cpu u32, error u16, pdu length u16, 12 bytes
//
// then the pdu. The low 16 bits of the action are the event (its bit 8: the pdu
// begins with a cgroup's id of 8 bytes), the bits above are categories. Events become
// records as those of blkparse's text do. Notify events carry no I/O: one names the
// process of a pid. The files of several CPUs are one trace, see blktraceFiles.

const (
	blktraceMagic = 0x65617400
	blktraceSize  = 48
	blktraceSize2 = 64 // version 8
)

// Categories of actions, from bit 16 on.
const (
	tcRead = 1 << iota
	tcWrite
	tcFlush
	tcSync
	tcQueue
	tcRequeue
	tcIssue
	tcComplete
	tcFS
	tcPC
	tcNotify
	tcAhead
	tcMeta
	tcDiscard
	tcDrvData
	tcFUA
)

// blktraceLetters are the events' letters, as blkparse writes them.
const blktraceLetters = "?QMFGSRDCPUTIXBA??"

// blktraceOrder is the byte order of b's first event; nil: it is none.
func blktraceOrder(b []byte) binary.ByteOrder {
	if len(b) >= 4 {
		for _, o := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			// The version tells the magic from a text that begins with "eat".
			if m := o.Uint32(b); m&^0xff == blktraceMagic && m&0xff >= 1 && m&0xff < 32 {
				return o
			}
		}
	}
	return nil
}

// isBlktrace says in its reason which versions it does not read: better than to
// have the file called unknown.
func isBlktrace(head []byte) (string, bool) {
	o := blktraceOrder(head)
	if o == nil || len(head) < blktraceSize {
		return "", false
	}
	order := "little"
	if o == binary.BigEndian {
		order = "big"
	}
	return fmt.Sprintf("events with the magic number of blktrace, version %d, %s endian", head0(o, head), order), true
}

func head0(o binary.ByteOrder, b []byte) uint32 { return o.Uint32(b) & 0xff }

// blktraceEventSize is the size of the event's fixed part, by its version; 0: unknown.
func blktraceEventSize(version uint32) int {
	switch version {
	case 5, 6, 7:
		return blktraceSize
	case 8:
		return blktraceSize2
	}
	return 0
}

// cutBlktrace cuts an event with its pdu. Damaged bytes are cut off before the next
// magic number.
func cutBlktrace(b []byte, all bool) int {
	if len(b) < 4 || len(b) < blktraceSize2 && !all {
		return blktraceSize2
	}
	if o := blktraceOrder(b); o != nil {
		version := head0(o, b)
		size := blktraceEventSize(version)
		if size == 0 {
			return min(blktraceSize, max(len(b), 1))
		}
		if len(b) < size {
			return size
		}
		return size + int(o.Uint16(b[size-pduAt(version):]))
	}
	for i := 1; i+4 <= len(b); i++ {
		if blktraceOrder(b[i:]) != nil {
			return i
		}
	}
	if all {
		return max(len(b), 1)
	}
	return len(b) - 3
}

// pduAt is how far from the end of the fixed part the length of the pdu stands.
func pduAt(version uint32) int {
	if version == 8 {
		return 14
	}
	return 2
}

// blktraceEvent is what both layouts have in common.
type blktraceEvent struct {
	time, sector uint64
	bytes, pid   uint32
	event        uint32 // the low 16 bits of the action
	category     uint32 // the bits above
	device       uint32
	error        uint16
	pdu          []byte
}

func decodeBlktrace(o binary.ByteOrder, b []byte) (e blktraceEvent) {
	version := head0(o, b)
	size := blktraceEventSize(version)
	e.time, e.sector, e.bytes = o.Uint64(b[8:]), o.Uint64(b[16:]), o.Uint32(b[24:])
	var action uint64
	if version == 8 {
		e.pid, action, e.device, e.error = o.Uint32(b[28:]), o.Uint64(b[32:]), o.Uint32(b[40:]), o.Uint16(b[48:])
	} else {
		action, e.pid, e.device, e.error = uint64(o.Uint32(b[28:])), o.Uint32(b[32:]), o.Uint32(b[36:]), o.Uint16(b[44:])
	}
	e.event, e.category, e.pdu = uint32(action&0xffff), uint32(action>>16), b[size:]
	if e.event&(1<<8) != 0 { // a cgroup's id is in front
		e.event &^= 1 << 8
		e.pdu = e.pdu[min(8, len(e.pdu)):]
	}
	return e
}

type blktrace struct {
	s      *scan
	order  binary.ByteOrder
	events events
	comms  map[uint32]string // by pid
	name   []byte            // scratch for a volume's
	device uint32            // of the last record
	volume uint32            // its volume
	known  bool
}

func openBlktrace(s *scan) parser {
	return &blktrace{s: s, events: newEvents(s), comms: map[uint32]string{}}
}

// maxComms bounds the memory of process names.
const maxComms = 1 << 16

func (p *blktrace) parse(b []byte, rec *Record) verdict {
	if p.order == nil {
		p.order = blktraceOrder(b)
	}
	if o := blktraceOrder(b); o == nil || o != p.order {
		return p.s.badNumber("magic", fmt.Sprintf("% x", b[:min(4, len(b))]), "0x656174 and a version, in one byte order")
	}
	if v := head0(p.order, b); blktraceEventSize(v) == 0 {
		return p.s.badNumber("version", fmt.Sprint(v), "5 to 8")
	}
	e := decodeBlktrace(p.order, b)
	if e.category&tcNotify != 0 {
		if e.event == 0 && len(p.comms) < maxComms {
			p.comms[e.pid] = cString(e.pdu)
		}
		return notRecord
	}
	if e.event == 0 || int(e.event) >= len(blktraceLetters) {
		return p.s.badNumber("action", fmt.Sprintf("0x%04x", e.event), "an event from 1 to 17")
	}
	if e.time > math.MaxInt64 {
		return p.s.badNumber("time", fmt.Sprint(e.time), wantNoSpan)
	}
	letter := blktraceLetters[e.event]
	p.s.begun = true
	if !p.events.wants(letter) {
		return p.events.skip(letter)
	}
	unit := uint64(p.s.opts.BlockSize)
	if e.sector > (math.MaxInt64-uint64(e.bytes))/unit {
		return p.s.badNumber("sector", fmt.Sprint(e.sector), wantInRange)
	}
	var ok bool
	if rec.Time, ok = p.s.clock.at(int64(e.time)); !ok {
		return p.s.badNumber("time", fmt.Sprint(e.time), wantNoSpan)
	}
	rec.Offset, rec.Length = int64(e.sector*unit), int64(e.bytes)
	if v := p.volumeOf(rec, e.device); v != isRecord {
		return v
	}
	if letter != p.events.action {
		if e.error >= 1<<15 { // the kernel's errors are negative
			e.error = -e.error
		}
		other := int64(0)
		if letter == 'X' && len(e.pdu) >= 8 {
			if to := binary.BigEndian.Uint64(e.pdu); to < math.MaxInt64/unit {
				other = int64(to * unit)
			}
		}
		return p.events.tell(letter, rec, e.error, other)
	}
	if e.bytes == 0 || e.category&tcPC != 0 {
		if e.category&tcFlush == 0 {
			return p.s.skip(p.events.noExtent)
		}
		rec.Op, rec.Offset, rec.Length = Flush, 0, 0
	} else {
		switch {
		case e.category&tcDiscard != 0:
			rec.Op = Discard
		case e.category&tcWrite != 0:
			rec.Op = Write
		default:
			rec.Op = Read
		}
		if e.category&tcFlush != 0 {
			rec.Flags |= Preflush
		}
	}
	for _, f := range [...]struct {
		category uint32
		flag     Flags
	}{{tcFUA, FUA}, {tcSync, Sync}, {tcMeta, Meta}, {tcAhead, Readahead}} {
		if e.category&f.category != 0 && (rec.Op != Flush || f.flag != FUA) {
			rec.Flags |= f.flag
		}
	}
	if letter != 'C' { // whose process is the one that was interrupted
		rec.Process = p.s.procs.index(e.pid, []byte(p.comms[e.pid]))
	}
	return p.events.record(rec)
}

func (p *blktrace) volumeOf(rec *Record, device uint32) verdict {
	if !p.known || device != p.device {
		p.name = fmt.Appendf(p.name[:0], "%d,%d", device>>20, device&(1<<20-1))
		if v := p.s.volume(rec, p.name); v != isRecord {
			return v
		}
		p.known, p.device, p.volume = true, device, rec.Volume
	}
	rec.Volume = p.volume
	return isRecord
}

func (p *blktrace) take(recs []Record, all bool) int { return p.events.take(recs, all) }

// cString is the bytes of b up to a NUL, at most as many as a name may have.
func cString(b []byte) string {
	for i, c := range b {
		if c == 0 || i == maxVolumeName {
			return string(b[:i])
		}
	}
	return string(b)
}

// blktraceAction is the action to take when none was asked for, as blkparseAction.
func blktraceAction(head []byte) (action byte, completions bool, note string) {
	var seen [256]bool
	o := blktraceOrder(head)
	for o != nil && len(head) >= blktraceSize2 && blktraceOrder(head) == o && blktraceEventSize(head0(o, head)) != 0 {
		if e := decodeBlktrace(o, head); e.category&tcNotify == 0 && int(e.event) < len(blktraceLetters) {
			seen[blktraceLetters[e.event]] = true
		}
		n := cutBlktrace(head, true)
		if n > len(head) {
			break
		}
		head = head[n:]
	}
	return actionOf(&seen)
}
