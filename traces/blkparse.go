package traces

import (
	"bytes"
	"fmt"
)

// blkparse's default text: maj,min cpu sequence time pid action rwbs tail.
//
// An I/O passes several actions on its way (queued, merged, issued, completed), and
// each is a line: one action is taken, the others are skipped with a count. The
// tail of Q, I, D and C is "sector + sectors [process]"; with -t a time stands in
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
	s        *scan
	action   byte
	noExtent int
	slots    [256]int // tally slot + 1 of each action that is not taken
	summary  bool     // the closing summary has begun
}

func openBlkparse(s *scan) parser {
	p := &blkparse{s: s, action: s.opts.Action, noExtent: s.skips.slot(skipNoExtent)}
	if p.action == 0 {
		p.action = 'Q'
	}
	return p
}

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
	if action[0] != p.action || len(action) > 1 {
		return p.other(action[0])
	}
	ops, i := word(b, i)
	r, ok := parseRWBS(ops)
	if !ok {
		return p.s.bad("rwbs", ops, "F?, R W D or N, then flags F A S M")
	}
	rec.Op = r.op
	return p.tail(b[i:], device, r, rec)
}

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
		case r.none || r.op != Flush && !r.flags:
			return p.s.skip(p.noExtent)
		}
		rec.Op, rec.Offset, rec.Length = Flush, 0, 0
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
		return p.s.skip(p.noExtent)
	case v == isSkipped && r.flags:
		rec.Op = Flush
	case v == isSkipped && r.op != Flush:
		return p.s.bad("count", count, wantSectorsPos)
	case r.flags:
		p.s.flags++
	}
	return p.s.volume(rec, device)
}

// other skips an event with an action that is not taken.
func (p *blkparse) other(action byte) verdict {
	if p.slots[action] == 0 {
		p.slots[action] = p.s.skips.slot(fmt.Sprintf("blkparse action %c", action)) + 1
	}
	return p.s.skip(p.slots[action] - 1)
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
func blkparseAction(head []byte) (action byte, note string) {
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
	switch {
	case seen['Q']:
		return 'Q', ""
	case seen['D']:
		return 'D', "no Q (queued) events at the beginning: took D (issued), which are after merging and scheduling"
	case seen['C']:
		return 'C', "no Q (queued) or D (issued) events at the beginning: took C (completed), whose times are those of the completions"
	}
	return 'Q', ""
}
