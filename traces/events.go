package traces

import "fmt"

// events is what blkparse's text and blktrace's binary form have in common: one
// action of the I/O's way becomes the records, and of the others those that tell
// when it was issued and completed are heard. All of them but the taken one count
// as skipped, by their letters.
type events struct {
	s        *scan
	action   byte
	pairs    pairing
	noExtent int
	slots    [256]int // tally slot + 1 of each action that is not taken
}

func newEvents(s *scan) events {
	e := events{s: s, action: s.opts.Action, noExtent: s.skips.slot(skipNoExtent)}
	if e.action == 0 {
		e.action = 'Q'
	}
	return e
}

// pairing says whether records wait for later events: those that are queued or issued
// do, if the beginning of the trace has completions at all.
func (e *events) pairing() bool { return e.s.completions && (e.action == 'Q' || e.action == 'D') }

// wants says whether an event is a record, or tells something about one.
func (e *events) wants(letter byte) bool {
	return letter == e.action || e.pairing() && isOneOf(letter, "DCRX")
}

func (e *events) skip(letter byte) verdict {
	if e.slots[letter] == 0 {
		e.slots[letter] = e.s.skips.slot(fmt.Sprintf("blkparse action %c", letter)) + 1
	}
	return e.s.skip(e.slots[letter] - 1)
}

// record takes the record of an event that is the chosen one.
func (e *events) record(rec *Record) verdict {
	if rec.Op == Write && rec.Flags&(FUA|Preflush) != 0 {
		e.s.flags++
	}
	if !e.pairing() {
		return isRecord
	}
	e.pairs.queue(rec)
	e.s.held = 1
	return isHeld
}

// tell hears another event of the extent that r holds. other is where a split goes
// on, bytes.
func (e *events) tell(letter byte, r *Record, status uint16, other int64) verdict {
	switch letter {
	case 'D':
		e.pairs.issue(r.Volume, r.Offset, r.Length, r.Time)
	case 'C':
		e.pairs.complete(r.Volume, r.Offset, r.Length, r.Time, status)
	case 'R':
		e.pairs.requeue(r.Volume, r.Offset)
	case 'X':
		e.pairs.split(r.Volume, r.Offset, other)
	}
	return e.skip(letter)
}

func (e *events) take(recs []Record, all bool) int {
	k := e.pairs.take(recs, all)
	if k == 0 && all && e.pairs.done > 0 && e.pairs.lone > 0 {
		e.s.notes = append(e.s.notes, fmt.Sprintf("%d I/Os have no completion in the trace", e.pairs.lone))
		e.pairs.lone = 0
	}
	return k
}

// actionOf is the action to take when none was asked for: of Q, D and C the first
// that was seen at the beginning.
func actionOf(seen *[256]bool) (action byte, completions bool, note string) {
	completions = seen['C']
	switch {
	case seen['Q']:
		return 'Q', completions, ""
	case seen['D']:
		return 'D', completions, "no Q (queued) events at the beginning: took D (issued), which are after merging and scheduling"
	case seen['C']:
		return 'C', completions, "no Q (queued) or D (issued) events at the beginning: took C (completed), whose times are those of the completions"
	}
	return 'Q', completions, ""
}
