package ebpf

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"blksim/traces"
)

// eventFormat is where the fields of a classic tracepoint's record are, by its format
// file in tracefs. Fields that an event has not stay at 0 bytes.
type eventFormat struct {
	id                                           uint64
	dev, sector, count, bytes, error, rwbs, comm field
}

type field struct{ at, size int }

// parseFormat reads a format file: a line ID:, and lines
//
//	field:sector_t sector;	offset:16;	size:8;	signed:0;
func parseFormat(text string) (f eventFormat, err error) {
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if id, ok := strings.CutPrefix(line, "ID:"); ok {
			if f.id, err = strconv.ParseUint(strings.TrimSpace(id), 10, 64); err != nil {
				return f, fmt.Errorf("ebpf: line %d of a tracepoint's format: %q: want its number", n+1, line)
			}
		}
		rest, ok := strings.CutPrefix(line, "field:")
		if !ok {
			continue
		}
		parts := strings.Split(rest, ";")
		words := strings.Fields(parts[0])
		if len(parts) < 3 || len(words) < 2 {
			return f, fmt.Errorf("ebpf: line %d of a tracepoint's format: %q: want a field with offset and size", n+1, line)
		}
		name, _, _ := strings.Cut(words[len(words)-1], "[")
		at, err1 := strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(parts[1]), "offset:"))
		size, err2 := strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(parts[2]), "size:"))
		if err1 != nil || err2 != nil || at < 0 || size < 0 {
			return f, fmt.Errorf("ebpf: line %d of a tracepoint's format: %q: want a field with offset and size", n+1, line)
		}
		if to, ok := map[string]*field{
			"dev": &f.dev, "sector": &f.sector, "nr_sector": &f.count, "bytes": &f.bytes, "error": &f.error, "rwbs": &f.rwbs, "comm": &f.comm,
		}[name]; ok {
			*to = field{at, size}
		}
	}
	switch {
	case f.id == 0:
		return f, fmt.Errorf("ebpf: a tracepoint's format without its number")
	case f.dev.size != 4 || f.sector.size != 8 || f.count.size != 4 || f.rwbs.size == 0:
		return f, fmt.Errorf("ebpf: a tracepoint's format without dev, sector, nr_sector and rwbs of the known sizes")
	}
	for _, x := range []field{f.dev, f.sector, f.count, f.bytes, f.error, f.rwbs} {
		if x.at+x.size > rawEvent {
			return f, fmt.Errorf("ebpf: a tracepoint's format with fields beyond %d bytes", rawEvent)
		}
	}
	return f, nil
}

// action is what a classic tracepoint tells of, as in bpf/classic.bpf.c.
type action uint32

const (
	actQueue action = 1 + iota
	actIssue
	actRequeue
	actComplete
	actBioComplete

	actions = int(iota) + 1
)

const (
	rawHeader = 40 // of struct raw of bpf/classic.bpf.c, before the event's own record
	rawEvent  = 88
	rawBytes  = rawHeader + rawEvent
)

// stageEvent is a classic event, decoded.
type stageEvent struct {
	time   int64
	action action
	dev    Dev
	sector int64
	bytes  int64
	op     traces.Op
	flags  traces.Flags
	status int32
	pid    uint32
	tid    uint32
	comm   [16]byte
}

// decodeRaw reads a record of the classic programs.
func decodeRaw(b []byte, formats *[actions]eventFormat) (e stageEvent, err error) {
	if len(b) != rawBytes {
		return e, fmt.Errorf("ebpf: a record of %d bytes: want %d", len(b), rawBytes)
	}
	le := binary.LittleEndian
	e.time, e.action = int64(le.Uint64(b)), action(le.Uint32(b[16:]))
	if e.time < 0 || e.action < actQueue || e.action > actBioComplete {
		return e, fmt.Errorf("ebpf: a record of action %d at %d ns", e.action, e.time)
	}
	e.tid, e.pid = le.Uint32(b[8:]), le.Uint32(b[12:])
	copy(e.comm[:], b[24:rawHeader])
	f, ev := &formats[e.action], b[rawHeader:]
	e.dev = Dev(le.Uint32(ev[f.dev.at:]))
	e.bytes = int64(le.Uint32(ev[f.count.at:])) * 512
	if e.sector = int64(le.Uint64(ev[f.sector.at:])); e.bytes == 0 || e.sector < 0 {
		e.sector = 0 // what has no data has no place
	}
	if f.error.size == 4 {
		e.status = int32(le.Uint32(ev[f.error.at:]))
	}
	e.op, e.flags = rwbsOf(ev[f.rwbs.at:f.rwbs.at+f.rwbs.size], e.bytes)
	return e, nil
}

// rwbsOf reads the letters of fill_rwbs in the kernel: F for a flush before, the
// operation, and then F for FUA, A, S and M. A flush has no data.
func rwbsOf(b []byte, bytes int64) (op traces.Op, flags traces.Flags) {
	text := string(b)
	if i := strings.IndexByte(text, 0); i >= 0 {
		text = text[:i]
	}
	rest := text
	if strings.HasPrefix(rest, "F") {
		flags |= traces.Preflush
		rest = rest[1:]
	}
	op = OtherOp
	if rest != "" {
		switch rest[0] {
		case 'R':
			op = traces.Read
		case 'W':
			op = traces.Write
		case 'D':
			op = traces.Discard
		case 'F':
			op = traces.Flush
		}
		rest = rest[1:]
	}
	if bytes == 0 && (flags&traces.Preflush != 0 || op == traces.Flush) {
		op = traces.Flush
	}
	for _, c := range rest {
		switch c {
		case 'F':
			flags |= traces.FUA
		case 'A':
			flags |= traces.Readahead
		case 'S':
			flags |= traces.Sync
		case 'M':
			flags |= traces.Meta
		}
	}
	return op, flags
}
