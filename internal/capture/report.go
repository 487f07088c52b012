package capture

import (
	"encoding/json"
	"fmt"
	"io"

	"blksim/internal/ebpf"
	"blksim/traces"
)

// Schema names the JSON of a recording; fields are only ever added.
const Schema = "blksim.record/v1"

type jsonSummary struct {
	Schema   string            `json:"schema"`
	File     string            `json:"file"`
	Ended    string            `json:"ended"`
	Devices  []jsonDevice      `json:"devices"`
	Attached string            `json:"attached"`
	Fallback string            `json:"fallback,omitempty"`
	Kernel   string            `json:"kernel"`
	Length   int64             `json:"length_ns"`
	Records  int64             `json:"records"`
	Span     int64             `json:"span_ns"`
	Ops      map[string]jsonOp `json:"ops"`
	Failed   int64             `json:"failed"`
	Tagged   int64             `json:"with_application_id"`
	OtherOps int64             `json:"other_operations"`
	Late     int64             `json:"late"`
	Unended  int64             `json:"unended"`
	Bios     map[string]uint64 `json:"bios"`
	Requests map[string]uint64 `json:"requests"`
	Stat     *jsonStat         `json:"stat,omitempty"`
}

type jsonDevice struct {
	Name   string `json:"name"`
	Number string `json:"number"`
	First  int64  `json:"first_sector"`
	End    int64  `json:"end_sector"`
}

type jsonOp struct {
	Records int64 `json:"records"`
	Bytes   int64 `json:"bytes"`
}

type jsonStat struct {
	Completed int64 `json:"completed"`
	Seen      int64 `json:"seen"`
	Missed    int64 `json:"missed"`
}

// CountsJSON are a tracer's counts by the names that the JSON of all commands has for
// them: of bios and of requests.
func CountsJSON(c ebpf.Counts) (bios, requests map[string]uint64) {
	return map[string]uint64{
			"started": c.Started, "done": c.Done, "lost": c.Lost, "brief": c.Brief, "no_room": c.NoRoom, "stale": c.Stale,
			"underway": c.Underway, "never_delivered": c.NeverDelivered(), "unmatched": c.Unmatched, "cut": c.Cut,
			"pieces": c.Pieces, "unissued": c.Unissued, "splits": c.Splits, "back_merges": c.BackMerges, "front_merges": c.FrontMerges,
			"skipped_programs": c.Skipped,
		}, map[string]uint64{
			"inserted": c.Inserted, "issued": c.Issued, "requeued": c.Requeued, "completed": c.Requests, "lost": c.RequestsLost,
			"unmatched": c.RequestsUnmatched, "stale": c.RequestsStale, "no_room": c.RequestsNoRoom, "merges": c.RequestMerges,
			"failed": c.Failed, "errors": c.Errors,
		}
}

// WriteJSON writes the account as JSON; ended says why the recording ended.
func (s *Summary) WriteJSON(w io.Writer, file, ended string) error {
	t := s.Totals
	j := jsonSummary{
		Schema: Schema, File: file, Ended: ended, Attached: s.Attached, Fallback: s.Fallback, Kernel: s.Kernel, Length: int64(s.Length),
		Records: t.Records, Span: int64(t.Span), Failed: t.Failed, Tagged: t.Tagged, OtherOps: t.OtherOps, Late: t.Late, Unended: t.Unended,
		Ops: map[string]jsonOp{},
	}
	for _, d := range s.Devices {
		j.Devices = append(j.Devices, jsonDevice{d.Name, d.Dev.String(), d.First, d.End})
	}
	for op, n := range t.Ops {
		if n > 0 {
			j.Ops[traces.Op(op).String()] = jsonOp{n, t.Bytes[op]}
		}
	}
	j.Bios, j.Requests = CountsJSON(s.Counts)
	if s.Compared {
		j.Stat = &jsonStat{s.StatCompleted, s.StatSeen, s.Missed()}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(j)
}

// WriteText writes the account for a person to read.
func (s *Summary) WriteText(w io.Writer, file, ended string) error {
	t, c := s.Totals, s.Counts
	p := &printer{w: w}
	p.line("%s: %d I/Os in %.3f s (%s), %s tracepoints", file, t.Records, s.Length.Seconds(), ended, s.Attached)
	for op, n := range t.Ops {
		if n > 0 {
			p.line("  %-12s %9d  %s", traces.Op(op), n, bytesText(t.Bytes[op]))
		}
	}
	p.line("  started %d = done %d + lost %d + never delivered %d%s", c.Started, c.Done, c.Lost+c.NoRoom, c.NeverDelivered(),
		p.some(" + shorter than asked for %d", c.Brief))
	if s.Compared {
		p.line("  the disk's own count: %d completions, %d seen, %d missed", s.StatCompleted, s.StatSeen, s.Missed())
	}
	p.line("  the kernel made %d requests of them: %d merges, %d splits%s%s", c.Requests, c.BackMerges+c.FrontMerges+c.RequestMerges, c.Splits,
		p.some(", %d requeued", c.Requeued), p.some(", %d failed", c.Failed))
	if c.Unmatched > 0 {
		p.line("  %d completions of I/Os that had begun before, or were left out", c.Unmatched)
	}
	if t.Tagged > 0 {
		p.line("  %d with the id that their application gave them", t.Tagged)
	}
	if t.OtherOps > 0 {
		p.line("  %d other operations are not in the trace: it has no name for them", t.OtherOps)
	}
	if t.Late > 0 {
		p.line("  %d took longer than %d others, and were put in their places at the end", t.Late, Held)
	}
	if t.Unended > 0 {
		p.line("  %d of the records are of I/Os whose end was not seen", t.Unended)
	}
	if t.Nameless > 0 {
		p.line("  %d without their process: there were more than a trace holds", t.Nameless)
	}
	if s.Fallback != "" {
		p.line("  not as good as it could be: %s", s.Fallback)
	}
	return p.err
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// some is text about a number, or none of 0.
func (p *printer) some(format string, n uint64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(format, n)
}

func bytesText(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	v, i := float64(n), 0
	for v >= 1024 && i < len(units)-1 {
		v, i = v/1024, i+1
	}
	return fmt.Sprintf("%.4g %s", v, units[i])
}
