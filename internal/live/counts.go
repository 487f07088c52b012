package live

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"blksim/internal/ebpf"
	"blksim/internal/report"
)

// totals is what a view ends with.
type totals struct {
	Schema  string `json:"schema"`
	Elapsed int64  `json:"elapsed_ns"`
	Shown   int64  `json:"shown"`    // I/Os
	LeftOut int64  `json:"left_out"` // by the reader's filter

	// Started = Done + Lost + Brief + NotFollowed + NeverSeen + Underway
	Started     uint64 `json:"started"`      // queued, and passed the kernel's filters
	Done        uint64 `json:"done"`         // ended, and given to the reader
	Lost        uint64 `json:"lost"`         // ended, and the reader was too far behind
	Brief       uint64 `json:"brief"`        // ended sooner than the least latency asked for
	NotFollowed uint64 `json:"not_followed"` // too many others were underway
	NeverSeen   uint64 `json:"never_seen"`   // to end: the kernel skips programs that would nest
	Underway    uint64 `json:"underway"`
	Unmatched   uint64 `json:"unmatched"` // ended, and had begun before the view, or were not followed
	Requests    uint64 `json:"requests"`  // of the block layer's
	Merges      uint64 `json:"merges"`
	Splits      uint64 `json:"splits"`
	Check       *check `json:"cross_check,omitempty"`
}

// check is an independent count: completions that were seen, and those in
// /sys/block/*/stat, from one moment to another.
type check struct {
	Seen   int64 `json:"seen"`
	Device int64 `json:"device_counters"`
}

// total asks a source for its account; with its error there is none.
func total(src Counter, start, shown, left int64) (*totals, error) {
	c, err := src.Counts()
	if err != nil {
		return nil, err
	}
	t := &totals{Schema: TotalsSchema, Elapsed: src.Now() - start, Shown: shown, LeftOut: left,
		Started: c.Started, Done: c.Done, Lost: c.Lost, Brief: c.Brief, NotFollowed: c.NoRoom, NeverSeen: c.Stale,
		Underway: c.Underway, Unmatched: c.Unmatched, Requests: c.Requests, Merges: c.BackMerges + c.FrontMerges + c.RequestMerges, Splits: c.Splits}
	if seen, device, ok := src.CrossCheck(); ok {
		t.Check = &check{seen, device}
	}
	return t, nil
}

// write writes the totals as the last lines of a view.
func (t *totals) write(w io.Writer, asJSON bool) error {
	if asJSON {
		text, err := json.Marshal(t)
		if err == nil {
			_, err = w.Write(append(text, '\n'))
		}
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s I/Os in %s", report.Count(t.Shown), report.Nanos(t.Elapsed))
	if t.LeftOut > 0 {
		fmt.Fprintf(&b, ", %s others left out", report.Count(t.LeftOut))
	}
	if t.Started > 0 || t.Requests == 0 { // histograms of the device alone follow requests only
		t.writeStarted(&b)
	}
	fmt.Fprintf(&b, "\nrequests %s, merges %s, splits %s", count(t.Requests), count(t.Merges), count(t.Splits))
	if t.Check != nil {
		fmt.Fprintf(&b, "; of %s completions by the devices' own counters %s were seen", report.Count(t.Check.Device), report.Count(t.Check.Seen))
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

// writeStarted accounts for the I/Os that began.
func (t *totals) writeStarted(b *strings.Builder) {
	fmt.Fprintf(b, "\nstarted %s = done %s + lost %s", count(t.Started), count(t.Done), count(t.Lost))
	for _, part := range []struct {
		n    uint64
		what string
	}{{t.Brief, "brief"}, {t.NotFollowed, "not followed"}, {t.NeverSeen, "never seen to end"}, {t.Underway, "underway"}} {
		if part.n != 0 {
			fmt.Fprintf(b, " + %s %s", part.what, count(part.n))
		}
	}
	if t.Unmatched > 0 {
		fmt.Fprintf(b, "; of others that began before %s", count(t.Unmatched))
	}
}

func count(n uint64) string { return report.Count(int64(n)) }

// lost is what an account says the reader did not get.
func lost(c *ebpf.Counts) int64 { return int64(c.Lost + c.NoRoom) }

// addCounts adds what totals are made of.
func addCounts(sum, c *ebpf.Counts) {
	sum.Started += c.Started
	sum.Done += c.Done
	sum.Lost += c.Lost
	sum.Brief += c.Brief
	sum.NoRoom += c.NoRoom
	sum.Stale += c.Stale
	sum.Underway += c.Underway
	sum.Unmatched += c.Unmatched
	sum.Requests += c.Requests
	sum.BackMerges += c.BackMerges
	sum.FrontMerges += c.FrontMerges
	sum.RequestMerges += c.RequestMerges
	sum.Splits += c.Splits
}
