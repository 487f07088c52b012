package traces

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Limits beyond which the rate of a whole trace suggests a wrong unit of time: no
// trace of one host has more than 5 M records a second on average, and one with
// less than one a minute is hardly worth a replay.
const (
	fioSpan        = 7 * 24 * time.Hour // of fio's iologs: beyond it, its us were ns
	notedRecords   = 100
	absurdInterval = time.Minute
	absurdRate     = 5_000_000
)

// Stats accounts for the records so far.
func (r *Reader) Stats() Stats {
	return Stats{
		In:          r.records,
		Delivered:   r.done - r.withheld,
		Rejected:    r.rejected,
		Skipped:     r.scan.skips.sorted(),
		OutOfOrder:  r.late,
		Bytes:       r.src.at(),
		SizeHint:    r.size,
		FirstErrors: slices.Clone(r.first),
		Notes:       r.notes(),
	}
}

// BytesRead is Stats.Bytes alone: for showing how far a reader is, at no cost.
func (r *Reader) BytesRead() int64 { return r.src.at() }

func (r *Reader) notes() []string {
	notes := slices.Clone(r.scan.notes)
	add := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	span := time.Duration(r.newest - r.origin)
	switch {
	case r.done < 2:
	case r.newest == r.origin:
		add("every record has the same time: the trace is untimed")
	case !r.parts && !r.opts.SpreadSeconds:
		add("every time is a whole second: records that share a second come at once; the option spread-seconds spreads them")
	}
	if r.done >= notedRecords && r.newest > r.origin {
		if span/time.Duration(r.done) > absurdInterval {
			add("%d records in %v: less than one a minute; is the unit of time right?", r.done, span)
		} else if r.done/absurdRate > int64(span/time.Second) {
			add("%d records in %v: more than %d a second; is the unit of time right?", r.done, span, absurdRate)
		}
	}
	if r.format.name == "fio3" && span > fioSpan && r.opts.TimeUnit == 0 {
		add("the times span %v as microseconds, which fio's are: if they are nanoseconds, say so with the option time-unit", span.Round(time.Hour))
	}
	r.stage.notes(add)
	if r.late > 0 {
		notes = append(notes, r.orderNote())
	}
	if r.volumes > 1 {
		add("%d volumes share one address range: the option volume keeps one", r.volumes)
	}
	if r.scan.flags > 0 {
		add("%d writes carry a preflush or FUA, which is left out", r.scan.flags)
	}
	if v := r.opts.Volume; v != "" && r.ended && !slices.Contains(r.scan.vols.names, v) {
		names := r.scan.vols.names
		more := ""
		if len(names) > 20 {
			names, more = names[:20], fmt.Sprintf(" and %d more", len(names)-20)
		}
		add("no record of volume %q; the volumes are: %s%s", v, strings.Join(names, " "), more)
	}
	return notes
}

// orderNote says what became of the records that were out of time order.
func (r *Reader) orderNote() string {
	were := "records were"
	if r.late == 1 {
		were = "record was"
	}
	kept := "sorted into place"
	if r.opts.Order == AsIs {
		kept = "taken as they come"
	}
	switch r.tooLate {
	case 0:
	case r.late:
		kept = "rejected"
	default:
		kept = fmt.Sprintf("%d %s, %d rejected", r.late-r.tooLate, kept, r.tooLate)
	}
	return fmt.Sprintf("%d %s out of time order: %s", r.late, were, kept)
}
