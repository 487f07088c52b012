package traces

import (
	"cmp"
	"fmt"
	"slices"
)

// maxFirstErrors is how many bad records Stats keeps in full.
const maxFirstErrors = 10

// Stats accounts for every record of the input up to now. While a Sort window is
// in use, In is ahead of the rest by the records that wait in it.
type Stats struct {
	In         int64       // records seen in the input
	Delivered  int64       // records that Read has returned
	Rejected   int64       // bad records; under Stop at most the last one
	Skipped    []SkipCount // recognised, but no I/O to replay; sorted by reason
	OutOfOrder int64       // records older than one before them
	Bytes      int64       // bytes of the stored (compressed) input consumed
	SizeHint   int64       // bytes of the stored input if it is a regular file, else 0

	FirstErrors []*Error // the first bad records, at most 10
	Notes       []string // what a reader of the result should know
}

// SkipCount is how many records were skipped for one reason.
type SkipCount struct {
	Reason string
	Count  int64
}

// SkippedTotal is the sum of Skipped.
func (s Stats) SkippedTotal() int64 {
	var n int64
	for _, k := range s.Skipped {
		n += k.Count
	}
	return n
}

// Check says whether every record is accounted for. It holds once Read has
// returned an error, io.EOF or another.
func (s Stats) Check() error {
	if sum := s.Delivered + s.SkippedTotal() + s.Rejected; sum != s.In {
		return fmt.Errorf("traces: %d records in, but %d delivered + %d skipped + %d rejected = %d",
			s.In, s.Delivered, s.SkippedTotal(), s.Rejected, sum)
	}
	return nil
}

// tally counts by reason. The reasons are a bounded set: a parser asks for a slot
// once and counts by index from then on.
type tally struct {
	counts []SkipCount
}

func (t *tally) slot(reason string) int {
	for i := range t.counts {
		if t.counts[i].Reason == reason {
			return i
		}
	}
	t.counts = append(t.counts, SkipCount{Reason: reason})
	return len(t.counts) - 1
}

func (t *tally) sorted() []SkipCount {
	var out []SkipCount
	for _, k := range t.counts {
		if k.Count > 0 {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b SkipCount) int { return cmp.Compare(a.Reason, b.Reason) })
	return out
}
