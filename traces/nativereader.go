package traces

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// native reads blksim's native format, a frame at a time. The records of a frame
// are unpacked where they are wanted, some hundreds at a time, after the frame as a
// whole was found good: one bad value makes all of its records bad.
//
// The way of a frame: cutNative finds its end in the input's buffer; parse checks its
// checksum, unpacks it if it is packed, and reads the columns' descriptions; check
// (nativecheck.go) looks at the values; take moves the records out. Nothing is copied
// on that way but the records themselves: the columns lie in the input's buffer, or
// in buf, until the next frame is read.
type native struct {
	s     *scan
	z     *zstd.Decoder
	body  bool // the file header was read
	ended bool // the index was read
	order bool // the file's promise that no time goes back, or nobody wants it
	buf   []byte
	named bool  // the index has told all names
	total int64 // records so far: their numbers are their lines

	// The frame whose records are being taken.
	f    frame
	cols [numColumns]column // in the order of their ids
	n    int                // columns of the frame
	pos  int                // next record of the frame
	line int64
}

func openNative(s *scan) parser { return &native{s: s} }

func isNative(head []byte) (string, bool) {
	return "the file begins with blksim's magic number", len(head) >= 8 && string(head[:8]) == nativeMagic
}

// cutNative cuts the file header, frames and the trailer. Damaged bytes are cut off
// before the next frame's magic number.
func cutNative(b []byte, all bool) int {
	if len(b) < 4 {
		return 4
	}
	switch binary.LittleEndian.Uint32(b) {
	case frameMagic:
		if len(b) < frameHeader {
			return frameHeader
		}
		if f, ok := parseFrame(b); ok {
			return frameHeader + int(f.stored)
		}
	case binary.LittleEndian.Uint32([]byte(nativeMagic)):
		return nativeHeader
	default:
		if len(b) < nativeTrailer {
			return nativeTrailer
		}
		if binary.LittleEndian.Uint32(b[12:]) == trailerMagic {
			return nativeTrailer
		}
	}
	if i := bytes.Index(b[1:], []byte{frameMagic & 0xff, frameMagic >> 8 & 0xff, frameMagic >> 16 & 0xff, frameMagic >> 24}); i >= 0 {
		return i + 1
	}
	if all {
		return len(b)
	}
	return max(1, min(len(b)-3, 64<<10))
}

// parse reads a block that cutNative has cut. A frame of records is held until take
// has given all of them; any other kind changes what the parser knows.
func (p *native) parse(b []byte, _ *Record) verdict {
	if !p.body {
		p.body = true
		return p.header(b)
	}
	f, ok := parseFrame(b)
	switch {
	case ok && p.ended:
		return p.s.badNumber("frame", fmt.Sprintf("of kind %d", f.kind), "nothing behind the index but the trailer")
	case ok:
	case p.ended && len(b) == nativeTrailer && binary.LittleEndian.Uint32(b[8:]) == crc32c(b[:8]):
		p.s.unfinished = ""
		return notRecord
	default:
		return p.s.badNumber("frame", fmt.Sprintf("% x", b[:min(len(b), 8)]), "a frame's header with its checksum")
	}
	payload, err := unpackFrame(f, b[frameHeader:], p.decoder(f), p.buf)
	if err != nil {
		return p.bad(f, "payload", err.Error(), "a payload that fits the frame's header")
	}
	if f.packing != packedNot {
		p.buf = payload
	}
	switch f.kind {
	case frameRecords:
		return p.records(f, payload)
	case frameNames:
		if p.named {
			break
		}
		if err := parseNames(payload, p.volume, p.process); err != nil {
			return p.bad(f, "names", err.Error(), "volumes and processes")
		}
	case frameNotes:
		if note := strings.ToValidUTF8(string(payload), "?"); len(p.s.notes) < maxNotes {
			p.s.notes = append(p.s.notes, note)
		}
	case frameIndex:
		var x Index
		p.ended = true
		if err := x.parse(payload); err != nil {
			return p.bad(f, "index", err.Error(), "totals, names and places")
		}
		if x.Records != p.total {
			// Records that were lost with their frame are not silently gone.
			p.s.notes = append(p.s.notes, fmt.Sprintf("the index counts %d records, and %d were found", x.Records, p.total))
		}
	default:
		return p.bad(f, "kind", fmt.Sprint(f.kind), "1 to 4: records, names, notes or index")
	}
	return notRecord
}

// maxNotes bounds the memory of notes.
const maxNotes = 64

// header reads the file header.
func (p *native) header(b []byte) verdict {
	le := binary.LittleEndian
	if len(b) != nativeHeader || string(b[:8]) != nativeMagic || le.Uint32(b[12:]) != crc32c(b[:12]) {
		return p.s.badNumber("header", fmt.Sprintf("% x", b[:min(len(b), nativeHeader)]), "the file header of a native trace with its checksum")
	}
	if v := le.Uint16(b[8:]); v != nativeVersion {
		return p.s.badNumber("version", fmt.Sprint(v), fmt.Sprint(nativeVersion))
	}
	p.order = le.Uint16(b[10:])&fileOrdered != 0 || p.s.opts.Order == AsIs
	p.s.unfinished = "the index at the end is missing: the writer did not close the file"
	return notRecord
}

// bad makes a whole frame bad: as many records are rejected as its header counts, so
// that the accounts hold, and one error says why.
func (p *native) bad(f frame, field, value, want string) verdict {
	if f.kind == frameRecords && f.count > 0 {
		p.s.lost = int64(f.count) - 1
		p.total += int64(f.count)
	}
	return p.s.badNumber(field, value, want)
}

// decoder makes a decoder for the first frame that needs one.
func (p *native) decoder(f frame) *zstd.Decoder {
	if f.packing == packedZstd && p.z == nil {
		p.z, _ = newFrameDecoder() // errors are of options only
	}
	return p.z
}

// volume and process take the names of the file in their order, which is what the
// records' numbers count. The limits bound the memory of a hostile file.
func (p *native) volume(name []byte) error {
	if len(p.s.vols.names) == maxVolumes {
		return fmt.Errorf("more than %d volumes", maxVolumes)
	}
	p.s.vols.names = append(p.s.vols.names, string(name))
	return nil
}

func (p *native) process(who Process) error {
	if len(p.s.procs.list) == 0 {
		p.s.procs.list = []Process{{}}
	}
	if who == (Process{}) {
		return nil // the first one, which is always there
	}
	if len(p.s.procs.list) == maxProcesses {
		return fmt.Errorf("more than %d processes", maxProcesses)
	}
	p.s.procs.list = append(p.s.procs.list, who)
	return nil
}

// records takes a frame of records on, if all of them are good.
func (p *native) records(f frame, b []byte) verdict {
	p.n, p.pos, p.f = 0, 0, frame{}
	if len(b) == 0 || b[0] > numColumns || len(b) < 1+int(b[0])*columnHeader {
		return p.bad(f, "columns", fmt.Sprint(len(b)), "the descriptions of at most 12 columns")
	}
	if f.count == 0 {
		return p.bad(f, "count", "0", "1 record or more")
	}
	le := binary.LittleEndian
	data := b[1+int(b[0])*columnHeader:]
	for i := range int(b[0]) {
		d := b[1+i*columnHeader:]
		c := column{id: d[0], bits: d[1], base: int64(le.Uint64(d[4:])), unit: le.Uint64(d[12:])}
		if c.id < 1 || c.id > numColumns || i > 0 && c.id <= p.cols[i-1].id || c.bits > 56 && c.bits != 64 || d[2]|d[3] != 0 {
			return p.bad(f, "column", fmt.Sprintf("%d with %d bits", c.id, c.bits), "columns 1 to 12 in order, of 0 to 56 or 64 bits")
		}
		size := c.size(int(f.count))
		if size > len(data) {
			return p.bad(f, columnNames[c.id], fmt.Sprintf("%d bytes", len(data)), fmt.Sprintf("%d bytes", size))
		}
		c.data = data[:size]
		data = data[size:]
		p.cols[i] = c
	}
	p.n = int(b[0])
	if len(data) > 0 {
		return p.bad(f, "payload", fmt.Sprintf("%d bytes more", len(data)), "the columns and no more")
	}
	p.f = f
	p.slack(b)
	if field, value, want := p.check(); want != "" {
		p.f = frame{}
		return p.bad(f, field, value, want)
	}
	p.line = p.total + 1
	p.total += int64(f.count)
	p.s.begun = true
	p.s.held = int64(f.count)
	return isHeld
}

// slack gives each column the 8 bytes behind it that unpack may load.
func (p *native) slack(b []byte) {
	if cap(b) < len(b)+8 {
		// At the end of the input's buffer: rare, and short frames only.
		p.buf = append(append(p.buf[:0], b...), make([]byte, 8)...)
		b = p.buf[:len(b)]
	}
	at := 1 + int(b[0])*columnHeader
	for i := range p.cols[:p.n] {
		c := &p.cols[i]
		size := len(c.data)
		c.data = b[at : at+size+8]
		at += size
	}
}

func (p *native) first() (at int64, sorted, ok bool) {
	if p.pos >= int(p.f.count) {
		return 0, false, false
	}
	var t [1]int64
	c := p.column(colTime)
	c.unpack(t[:], p.pos)
	return t[0], p.order && p.f.flags&frameSorted != 0, true
}

// chunkRecords is how many records are unpacked at a time: they and a column of
// values stay in the processor's nearest caches.
const chunkRecords = 256

func (p *native) take(recs []Record, _ bool) int {
	n := min(len(recs), int(p.f.count)-p.pos)
	for done := 0; done < n; {
		k := min(n-done, chunkRecords)
		p.chunk(recs[done:done+k], p.pos)
		p.pos += k
		done += k
	}
	return max(n, 0)
}

// chunk unpacks records from number first on: first what is the same in all of
// them, as a whole, then column by column.
func (p *native) chunk(recs []Record, first int) {
	like := [1]Record{{CancelAfter: -1}}
	var values [chunkRecords]int64
	for i := range p.cols[:p.n] {
		if c := &p.cols[i]; c.bits == 0 {
			values[0] = c.base
			scatter(like[:], values[:1], c.id)
		}
	}
	for i := range recs {
		recs[i] = like[0]
		recs[i].Line = p.line
		p.line++
	}
	for i := range p.cols[:p.n] {
		if c := &p.cols[i]; c.bits != 0 {
			c.unpack(values[:len(recs)], first)
			scatter(recs, values[:len(recs)], c.id)
		}
	}
}

// scatter is the opposite of gather.
func scatter(recs []Record, values []int64, id uint8) {
	recs = recs[:len(values)]
	switch id {
	case colTime:
		for i, v := range values {
			recs[i].Time = v
		}
	case colOffset:
		for i, v := range values {
			recs[i].Offset = v
		}
	case colLength:
		for i, v := range values {
			recs[i].Length = v
		}
	case colOp:
		for i, v := range values {
			recs[i].Op = Op(v)
		}
	case colCancel:
		for i, v := range values {
			recs[i].CancelAfter = v
		}
	case colIssued:
		for i, v := range values {
			recs[i].Issued = v
		}
	case colCompleted:
		for i, v := range values {
			recs[i].Completed = v
		}
	case colApp:
		for i, v := range values {
			recs[i].App = uint64(v)
		}
	case colVolume:
		for i, v := range values {
			recs[i].Volume = uint32(v)
		}
	case colProcess:
		for i, v := range values {
			recs[i].Process = uint32(v)
		}
	case colStatus:
		for i, v := range values {
			recs[i].Status = uint16(v)
		}
	case colFlags:
		for i, v := range values {
			recs[i].Flags = Flags(v)
		}
	}
}
