package traces

import (
	"bytes"
	"math"
)

// blkparse's default text: maj,min cpu sequence time pid action rwbs tail.
//
// An I/O passes several actions on its way (queued, merged, issued, completed), and
// each is a line: one action is taken, the others are skipped with a count, though
// what they tell about an I/O that was taken is kept (see events). The tail of Q, I, D and C is "sector + sectors [process]"; with -t a time stands in
// parentheses behind it. Without "+" the event has no extent: a passthrough command
// ("N 0 (00 ..) [kworker]"), or an empty flush. Process names may hold anything. A
// summary follows the events.

// blkparseActions are the actions that can become records.
const blkparseActions = "Q, G, I, D, C"

func isBlkparseAction(a byte) bool { return isOneOf(a, "QGIDC") }

// blkparseEvents are all the actions there are, by their first letter: A remap,
// B bounce, C complete, D issue, F and M merges, G get request, I insert, m message,
// P plug, Q queue, R requeue, S sleep, T and U unplug, W bounce, X split.
const blkparseEvents = "ABCDFGIMPQRSTUWXm"

type blkparse struct {
	s       *scan
	events  events
	summary bool // the closing summary has begun
}

func openBlkparse(s *scan) parser { return &blkparse{s: s, events: newEvents(s)} }

func (p *blkparse) parse(b []byte, rec *Record) verdict {
	device, i := word(b, 0)
	if !isDevice(device) {
		if p.summary || isSummary(b) {
			p.summary = true
			return notRecord
		}
		return p.s.bad("device", device, "major,minor")
	}
	p.summary = false
	cpu, i := word(b, i)
	if !isDigits(cpu) {
		return p.s.bad("cpu", cpu, "a decimal number")
	}
	seq, i := word(b, i)
	if !isDigits(seq) {
		return p.s.bad("sequence", seq, "a decimal number")
	}
	at, i := word(b, i)
	if !p.s.seconds(rec, at) {
		return isBad
	}
	pid, i := word(b, i)
	if !isDigits(pid) {
		return p.s.bad("pid", pid, "a decimal number")
	}
	action, i := word(b, i)
	if len(action) == 0 || len(action) > 2 || !isOneOf(action[0], blkparseEvents) {
		return p.s.bad("action", action, "one of "+blkparseEvents)
	}
	p.s.begun = true
	if len(action) > 1 || !p.events.wants(action[0]) {
		return p.events.skip(action[0])
	}
	ops, i := word(b, i)
	r, ok := parseRWBS(ops)
	if !ok {
		return p.s.bad("rwbs", ops, "F?, R W D or N, then flags F A S M")
	}
	if action[0] != p.events.action {
		return p.other(action[0], b[i:], device, rec)
	}
	rec.Op, rec.Flags = r.op, r.flags
	v := p.tail(b[i:], device, r, rec)
	if v != isRecord {
		return v
	}
	if id, ok := parseInt(pid); ok && id < 1<<32 && action[0] != 'C' { // whose name is its error
		rec.Process = p.s.procs.index(uint32(id), processName(b[i:]))
	}
	return p.events.record(rec)
}

// processName is the name in brackets at the end of an event.
func processName(b []byte) []byte {
	i, j := bytes.IndexByte(b, '['), bytes.LastIndexByte(b, ']')
	if i < 0 || j < i || j-i > maxVolumeName {
		return nil
	}
	return b[i+1 : j]
}

// other hears an event that tells something about I/Os that were taken. One without
// an extent, or with a tail of another kind, tells nothing.
func (p *blkparse) other(action byte, b, device []byte, rec *Record) verdict {
	sector, i := word(b, 0)
	plus, i := word(b, i)
	count, i := word(b, i)
	unit := p.s.opts.BlockSize
	at, ok1 := parseInt(sector)
	n, ok2 := parseInt(count)
	if !ok1 || !ok2 || len(plus) != 1 || at > math.MaxInt64/unit || n > math.MaxInt64/unit || p.s.volume(rec, device) != isRecord {
		return p.events.skip(action)
	}
	rec.Offset, rec.Length = at*unit, n*unit
	switch {
	case action == 'X' && plus[0] == '/':
		return p.events.tell('X', rec, 0, rec.Length)
	case plus[0] != '+' || rec.Length > math.MaxInt64-rec.Offset:
		return p.events.skip(action)
	}
	status := int64(0)
	if s := processName(b[i:]); action == 'C' {
		status, _ = parseInt(bytes.TrimPrefix(s, []byte{'-'})) // [-5] is EIO
		if status >= 1<<15 && status < 1<<16 {
			status = 1<<16 - status // and so is [65531]
		}
	}
	return p.events.tell(action, rec, uint16(min(status, math.MaxUint16)), 0)
}

func (p *blkparse) take(recs []Record, all bool) int { return p.events.take(recs, all) }

// tail reads what stands behind rwbs.
func (p *blkparse) tail(b, device []byte, r rwbs, rec *Record) verdict {
	sector, i := word(b, 0)
	plus, i := word(b, i)
	if len(plus) != 1 || plus[0] != '+' {
		switch {
		case len(sector) == 0 || sector[0] != '[' && sector[0] != '(' && !isDigits(sector):
			return p.s.bad("sector", sector, wantSectors)
		case len(plus) > 0 && isDigits(sector) && plus[0] != '[' && plus[0] != '(':
			return p.s.bad("tail", trim(b), "sector + sectors [process]")
		case r.none || r.op != Flush && !r.rides():
			return p.s.skip(p.events.noExtent)
		}
		rec.Op, rec.Flags, rec.Offset, rec.Length = Flush, rec.Flags&^(Preflush|FUA), 0, 0
		return p.s.volume(rec, device)
	}
	count, i := word(b, i)
	if rest, _ := word(b, i); len(rest) > 0 && rest[0] != '[' && rest[0] != '(' {
		return p.s.bad("tail", trim(b), "sector + sectors [process]")
	}
	unit := p.s.opts.BlockSize
	switch v := p.s.extent(rec, sector, count, unit, unit, isSkipped); {
	case v == isBad:
		return v
	case r.none:
		return p.s.skip(p.events.noExtent)
	case v == isSkipped && r.rides():
		rec.Op, rec.Flags = Flush, rec.Flags&^(Preflush|FUA)
	case v == isSkipped && r.op != Flush:
		return p.s.bad("count", count, wantSectorsPos)
	}
	return p.s.volume(rec, device)
}

func isDigits(b []byte) bool {
	for _, c := range b {
		if c-'0' > 9 {
			return false
		}
	}
	return len(b) > 0
}

func isDevice(b []byte) bool {
	major, minor, ok := bytes.Cut(b, []byte{','})
	return ok && isDigits(major) && isDigits(minor)
}

// isSummary says whether a line begins the summary behind the events.
func isSummary(b []byte) bool {
	b = trim(b)
	for _, head := range []string{"CPU", "Total (", "Throughput (", "Events (", "Skips:", "Input file "} {
		if len(b) >= len(head) && string(b[:len(head)]) == head {
			return true
		}
	}
	return false
}

// blkparseAction is the action to take when none was asked for: of Q, D and C the
// first that the head of the input has.
func blkparseAction(head []byte) (action byte, completions bool, note string) {
	var seen [256]bool
	for line := range bytes.Lines(head) {
		i := 0
		var w []byte
		for range 6 {
			w, i = word(line, i)
		}
		if len(w) == 1 {
			seen[w[0]] = true
		}
	}
	return actionOf(&seen)
}
