package report

import (
	"fmt"
	"slices"

	"blksim/aio"
	"blksim/internal/hist"
	"blksim/internal/replay"
	"blksim/traces"
)

// Schema names the form of a Run as JSON. Fields are only ever added to it.
const Schema = "blksim.run/v1"

// Run is one finished run. Its JSON form is documented in docs/results.md.
type Run struct {
	Schema     string           `json:"schema"`
	Name       string           `json:"name"` // what tells it from the other runs of the command
	Partial    bool             `json:"partial"`
	Error      string           `json:"error,omitempty"` // what ended it early
	Trace      Trace            `json:"trace"`
	Setup      Setup            `json:"setup"`
	ElapsedNs  int64            `json:"elapsed_ns"`
	Accounting Accounting       `json:"accounting"`
	IOPS       float64          `json:"iops"`             // completed I/Os a second
	Bandwidth  float64          `json:"bytes_per_second"` // of completed I/Os
	Ops        map[string]OpRun `json:"ops"`              // by operation, and "all"
	Cancel     Cancel           `json:"cancel"`
	SlipNs     *Distribution    `json:"slip_ns,omitempty"` // due to submit
	Block      Block            `json:"block_layer"`
	Device     Device           `json:"device"`
	Faults     []string         `json:"faults"` // what must not happen: each makes the run unbalanced
	Odd        []string         `json:"odd"`    // anything that a reader should know
}

// Trace says what was replayed.
type Trace struct {
	Name    string   `json:"name"`
	Format  string   `json:"format"`
	Why     string   `json:"detected_by"`
	SpanNs  int64    `json:"span_ns"`
	Volumes []string `json:"volumes"`
}

// Setup says on what, and how.
type Setup struct {
	Device     string  `json:"device"`
	Driver     string  `json:"driver"`
	Capacity   int64   `json:"capacity_bytes"`
	BlockSize  int     `json:"block_bytes"`
	Queues     int     `json:"queues"`
	QueueDepth int     `json:"queue_depth"`
	Clock      string  `json:"clock"` // virtual or real
	Timing     string  `json:"timing"`
	TimeScale  float64 `json:"time_scale"`
	IODepth    int     `json:"iodepth"`
	DeadlineNs int64   `json:"deadline_ns"`
	Cancel     string  `json:"cancel"`
	Redirect   string  `json:"redirect"`
	Order      string  `json:"order"`
	OnError    string  `json:"on_error"`
	Volume     string  `json:"volume"` // the only one that was replayed; "": all
	Seed       uint64  `json:"seed"`
}

// Accounting says what became of every record and request.
type Accounting struct {
	Records  Records  `json:"records"`
	Requests Requests `json:"requests"`
	Device   struct {
		Commands int64 `json:"commands"`
	} `json:"device"`
	Balanced bool `json:"balanced"` // everything adds up
}

// Records accounts for the input: In = Replayed + sum(Skipped) + Rejected + NotRun.
type Records struct {
	In       int64            `json:"in"`
	Replayed int64            `json:"replayed"`
	Skipped  map[string]int64 `json:"skipped"`
	Rejected int64            `json:"rejected"`
	NotRun   int64            `json:"not_run"` // read ahead when the run ended early

	// Of the replayed ones: what was not taken as it stood.
	Expanded   int64 `json:"expanded_to_blocks"`
	Wrapped    int64 `json:"wrapped"`
	OutOfOrder int64 `json:"out_of_order"`
	Held       int64 `json:"held_by_the_in_flight_limit"`
}

// Requests accounts for the I/Os: Submitted = Completed + Cancelled + Failed.
type Requests struct {
	Submitted int64     `json:"submitted"`
	Completed int64     `json:"completed"`
	Cancelled Cancelled `json:"cancelled"`
	TooLate   int64     `json:"too_late"` // among Completed
	Failed    int64     `json:"failed"`
	Stuck     int64     `json:"stuck"` // no event when the run ended
}

// Cancelled counts by stage.
type Cancelled struct {
	Skipped int64 `json:"skipped_at_dispatch"`
	Aborted int64 `json:"aborted_in_device"`
}

// Distribution sums up a histogram of nanoseconds; percentiles are by nearest
// rank, and within 1 % of the exact value.
type Distribution struct {
	Count int64 `json:"count"`
	Min   int64 `json:"min"`
	Mean  int64 `json:"mean"`
	P50   int64 `json:"p50"`
	P90   int64 `json:"p90"`
	P95   int64 `json:"p95"`
	P99   int64 `json:"p99"`
	P999  int64 `json:"p99.9"`
	P9999 int64 `json:"p99.99"`
	Max   int64 `json:"max"`

	// Beyond is how many values passed the histogram's range of 17.2 s:
	// percentiles that fall among them are too low, Mean and Max are not.
	Beyond int64 `json:"beyond,omitempty"`
}

// OpRun is what became of one operation's I/Os. The latencies are of completed
// ones: from when they were due to their event; of that, in the stack's queues
// (submitted to dispatched) and with the device (dispatched to returned).
type OpRun struct {
	Submitted int64         `json:"submitted"`
	Completed int64         `json:"completed"`
	Bytes     int64         `json:"bytes"`
	LatencyNs *Distribution `json:"latency_ns,omitempty"`
	QueueNs   *Distribution `json:"queue_ns,omitempty"`
	DeviceNs  *Distribution `json:"device_ns,omitempty"`
}

// Cancel tells how cancellation went.
type Cancel struct {
	Asked     int64         `json:"asked"`
	Accepted  int64         `json:"accepted"`
	Late      int64         `json:"completed_after_deadline"`
	LatencyNs *Distribution `json:"latency_ns,omitempty"` // accepted to event
	BytesKept int64         `json:"bytes_not_transferred"`
}

// Block is the block layer's own account.
type Block struct {
	Rejected   int64 `json:"rejected"`
	Needless   int64 `json:"needless_flushes"` // the device has no write cache
	Queued     int64 `json:"queued"`
	Skipped    int64 `json:"skipped"`
	Dispatched int64 `json:"dispatched"`
	Busy       int64 `json:"busy"`
	Refused    int64 `json:"refused"`
	Kicks      int64 `json:"cancel_kicks"`
}

// Device is the device's own account, taken from its counters and not from what
// the layers above believe. Counters that a device does not have are nil.
type Device struct {
	Counted   bool             `json:"counted"` // the device counts by itself
	Commands  int64            `json:"commands"`
	ByOp      map[string]int64 `json:"by_op,omitempty"`
	Bytes     map[string]int64 `json:"bytes,omitempty"`
	Aborts    *Aborts          `json:"aborts,omitempty"`
	Media     map[string]int64 `json:"media,omitempty"`
	PeakDepth int64            `json:"peak_in_device,omitempty"`
}

// Aborts counts the device's answers to Abort and Cancel commands. Completed07 is
// the number of commands that it completed as aborted by request: equal to Aborted
// and Cancelled together.
type Aborts struct {
	Asked       int64 `json:"asked"`
	Aborted     int64 `json:"aborted"`
	NotAborted  int64 `json:"not_aborted"`
	OverLimit   int64 `json:"over_limit"`
	Cancels     int64 `json:"cancels,omitempty"`   // Cancel commands
	Cancelled   int64 `json:"cancelled,omitempty"` // commands that they ended
	Completed07 int64 `json:"completed_as_aborted"`
}

// Sum summarises a histogram, nil if it is empty.
func Sum(h *hist.Histogram) *Distribution {
	if h.Count() == 0 {
		return nil
	}
	return &Distribution{
		Count: h.Count(), Min: h.Min(), Mean: h.Mean(),
		P50: h.Percentile(500_000), P90: h.Percentile(900_000), P95: h.Percentile(950_000),
		P99: h.Percentile(990_000), P999: h.Percentile(999_000), P9999: h.Percentile(999_900),
		Max: h.Max(), Beyond: h.Beyond(),
	}
}

// Fill takes over what the engine measured, and what the reader says of the
// trace.
func (r *Run) Fill(res *replay.Result, stats traces.Stats) {
	r.Schema = Schema
	r.ElapsedNs = int64(res.Elapsed)
	r.Trace.SpanNs = int64(res.Span)
	r.Partial = r.Partial || res.Stopped || r.Error != ""

	rec := &r.Accounting.Records
	rec.In, rec.Replayed, rec.Rejected = stats.In, res.Replayed, stats.Rejected
	rec.NotRun = stats.In - stats.SkippedTotal() - stats.Rejected - res.Records
	rec.Expanded, rec.Wrapped, rec.Held, rec.OutOfOrder = res.Expanded, res.Wrapped, res.Held, stats.OutOfOrder
	rec.Skipped = map[string]int64{}
	for _, k := range stats.Skipped {
		rec.Skipped[k.Reason] += k.Count
	}
	for why, n := range res.Skipped {
		rec.Skipped[why] += n
	}
	if n := rec.Expanded; n > 0 {
		r.Odd = append(r.Odd, fmt.Sprintf("%s made to fit whole blocks: bytes and bandwidth count what was transferred", plural(int(n), "request")))
	}
	if n := rec.Wrapped; n > 0 {
		r.Odd = append(r.Odd, fmt.Sprintf("%s beyond the end of the device wrapped around", plural(int(n), "request")))
	}
	if n := rec.Held; n > 0 {
		r.Odd = append(r.Odd, fmt.Sprintf("%s due before the limit of requests in flight had room: see slip", plural(int(n), "request")))
	}
	r.Odd = append(r.Odd, stats.Notes...)
	if rec.Rejected > 0 {
		for _, e := range stats.FirstErrors {
			r.Odd = append(r.Odd, "left out: "+e.Error())
		}
	}

	q := &r.Accounting.Requests
	q.Submitted, q.Completed, q.TooLate = res.Submitted, res.Completed, res.TooLate
	q.Cancelled = Cancelled{res.Tally.Skipped, res.Aborted}
	q.Failed = res.FailedTotal()
	q.Stuck = q.Submitted - q.Completed - q.Cancelled.Skipped - q.Cancelled.Aborted - q.Failed

	r.Ops = map[string]OpRun{}
	var all replay.OpTally
	for op := range res.Ops {
		t := &res.Ops[op]
		if t.Submitted == 0 {
			continue
		}
		r.Ops[aio.Op(op).String()] = opRun(t)
		all.Submitted += t.Submitted
		all.Completed += t.Completed
		all.Bytes += t.Bytes
		all.Latency.Merge(&t.Latency)
		all.Queue.Merge(&t.Queue)
		all.Device.Merge(&t.Device)
	}
	r.Ops["all"] = opRun(&all)
	if n := all.Latency.Beyond(); n > 0 {
		r.Odd = append(r.Odd, fmt.Sprintf("%s took longer than 17.2 s: percentiles among those are too low", plural(int(n), "request")))
	}
	if s := res.Elapsed.Seconds(); s > 0 {
		r.IOPS = float64(all.Completed) / s
		r.Bandwidth = float64(all.Bytes) / s
	}
	r.Cancel = Cancel{Asked: res.CancelAsked, Accepted: res.CancelAccepted, Late: res.Late,
		LatencyNs: Sum(&res.CancelLatency), BytesKept: res.SkippedBytes}
	r.SlipNs = Sum(&res.Slip)
}

func opRun(t *replay.OpTally) OpRun {
	return OpRun{Submitted: t.Submitted, Completed: t.Completed, Bytes: t.Bytes,
		LatencyNs: Sum(&t.Latency), QueueNs: Sum(&t.Queue), DeviceNs: Sum(&t.Device)}
}

// Balance checks that everything adds up, and that there are no faults. A run
// over a device that does not count is checked against the block layer alone.
func (r *Run) Balance() {
	rec, q := &r.Accounting.Records, &r.Accounting.Requests
	bad := r.Faults
	check := func(ok bool, what string) {
		if !ok {
			bad = append(bad, "does not add up: "+what)
		}
	}
	in := rec.Replayed + rec.Rejected + rec.NotRun
	for _, n := range rec.Skipped {
		in += n
	}
	check(rec.In == in, "records in = replayed + skipped + rejected + not run")
	check(rec.NotRun == 0 || r.Partial && rec.NotRun > 0, "all records were run")
	check(rec.Replayed == q.Submitted, "records replayed = requests submitted")
	check(q.Stuck == 0, "requests submitted = completed + cancelled + failed")
	check(r.Block.Skipped == q.Cancelled.Skipped, "skipped by the block layer = skipped in the events")
	if r.Device.Counted && q.Stuck == 0 {
		check(r.Device.Commands == r.Block.Dispatched, "commands in the device = requests dispatched")
		b := &r.Block
		check(r.Device.Commands == q.Submitted-q.Cancelled.Skipped-b.Rejected-b.Needless-b.Refused,
			"commands in the device = submitted - skipped at dispatch - needless flushes - refused")
		if a := r.Device.Aborts; a != nil {
			check(a.Completed07 == a.Aborted+a.Cancelled, "commands completed as aborted = aborts answered so + cancels counted")
			check(a.Aborted+a.Cancelled == q.Cancelled.Aborted, "aborted in the device = aborted in the events")
		}
	}
	r.Accounting.Device.Commands = r.Device.Commands
	r.Accounting.Balanced = len(bad) == 0
	r.Faults = slices.Concat([]string{}, bad)
	r.Odd = slices.Concat([]string{}, r.Odd)
}
