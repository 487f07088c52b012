package report

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
	Pacing     *Pacing          `json:"pacing,omitempty"`  // of the same, in real time or with max_slip
	Volume     *Volume          `json:"volume,omitempty"`  // over several disks
	Block      Block            `json:"block_layer"`       // of all disks together, and so the device's
	BlockTimes *BlockTimes      `json:"block_times,omitempty"`
	Device     Device           `json:"device"`
	Disks      []RealDisk       `json:"disks,omitempty"`    // real ones
	Stuck      []StuckIO        `json:"stuck,omitempty"`    // when the run ended, the oldest first
	Kernel     *Kernel          `json:"kernel,omitempty"`   // of a run on a real disk that was traced
	Injected   []Injected       `json:"injected,omitempty"` // the fault plan
	Jobs       []JobRun         `json:"jobs,omitempty"`     // of a load
	Verify     *Verify          `json:"verify,omitempty"`   // of a load with verify
	Slowest    []SlowIO         `json:"slowest,omitempty"`  // the slowest first
	Series     *Series          `json:"series,omitempty"`   // what happened when
	Faults     []string         `json:"faults"`             // what must not happen: each makes the run unbalanced
	Odd        []string         `json:"odd"`                // anything that a reader should know
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
	Device      string  `json:"device"`
	Driver      string  `json:"driver"`
	Capacity    int64   `json:"capacity_bytes"`
	BlockSize   int     `json:"block_bytes"`
	MaxSlip     string  `json:"max_slip,omitempty"`
	Queues      int     `json:"queues"`
	QueueDepth  int     `json:"queue_depth"`
	DeviceDepth int     `json:"device_depth,omitempty"` // of all queues together
	Stack       string  `json:"stack,omitempty"`        // of several such disks; the capacity is that of all
	Hedge       string  `json:"hedge,omitempty"`
	Clock       string  `json:"clock"` // virtual or real
	Timing      string  `json:"timing"`
	TimeScale   float64 `json:"time_scale"`
	IODepth     int     `json:"iodepth"`
	DeadlineNs  int64   `json:"deadline_ns"`
	Cancel      string  `json:"cancel"`
	Redirect    string  `json:"redirect"`
	Order       string  `json:"order"`
	OnError     string  `json:"on_error"`
	Volume      string  `json:"volume"` // the only one that was replayed; "": all
	Seed        uint64  `json:"seed"`
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

// Cancelled counts by stage. Aborted are those that the driver had: on a real disk also
// what it took back before the kernel had it (KernelCancels tells them apart).
type Cancelled struct {
	Skipped int64 `json:"skipped_at_dispatch"`
	Aborted int64 `json:"aborted_in_device"`
}

// OpRun is what became of one operation's I/Os. The latencies are of completed
// ones: from when they were due to their event, and from their submit; of that, in the stack's queues
// (submitted to dispatched) and with the device (dispatched to returned).
type OpRun struct {
	Submitted int64         `json:"submitted"`
	Completed int64         `json:"completed"`
	Bytes     int64         `json:"bytes"`
	LatencyNs *Distribution `json:"latency_ns,omitempty"`
	ServiceNs *Distribution `json:"service_ns,omitempty"` // submitted to event: without the slip
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

	// Dispatched = Reached - Merged + Again + FlushesAdded.
	Reached      int64 `json:"reached"`                 // requests of the user's that the driver took any of
	Merged       int64 `json:"merged"`                  // that went along with another
	Again        int64 `json:"pieces_beyond_the_first"` // split off, left over, or sent again
	FlushesAdded int64 `json:"flushes_added"`           // around writes that asked for it
	Aborted      int64 `json:"given_back_as_aborted"`

	BackMerges     int64 `json:"back_merges"`
	FrontMerges    int64 `json:"front_merges"`
	Splits         int64 `json:"splits"`
	Partial        int64 `json:"partial_completions"`
	Expired        int64 `json:"cancelled_by_deadline"`
	Timeouts       int64 `json:"timeouts"`
	LostInterrupts int64 `json:"lost_interrupts"`
	TimeoutAborts  int64 `json:"timeout_aborts"`
	Retried        int64 `json:"requeued"`
	GivenUp        int64 `json:"given_up"`
	Resets         int64 `json:"resets"`
	PeakInFlight   int64 `json:"peak_in_flight"` // requests with the driver
}

// BlockTimes is what the block layer measures over time.
type BlockTimes struct {
	// WaitNs is by operation the time in the scheduler: what of queue_ns is not the
	// way to the hardware queue.
	WaitNs map[string]*Distribution `json:"wait_ns,omitempty"`
	// InFlight is by hardware queue the mean number of requests with the driver
	// in stretches of equal length. Merged runs have none.
	InFlight []InFlight `json:"in_flight,omitempty"`
}

// InFlight is how many requests of one hardware queue the driver had over time.
type InFlight struct {
	StretchNs int64     `json:"stretch_ns"`
	Mean      []float64 `json:"mean"`
}

// Injected is a rule of the fault plan, and how often it has struck.
type Injected struct {
	Rule string `json:"rule"`
	Hits int64  `json:"hits"`
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
