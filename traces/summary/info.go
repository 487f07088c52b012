package summary

// Schema names the JSON form of Info.
const Schema = "blksim.trace-info/v1"

// Info is what is in a trace. Times are ns, sizes bytes.
type Info struct {
	Schema  string   `json:"schema"`
	Name    string   `json:"name"`
	Format  string   `json:"format"`
	Why     string   `json:"why"`
	Records Records  `json:"records"`
	Notes   []string `json:"notes,omitempty"`

	FirstNs  int64   `json:"first_ns"`
	SpanNs   int64   `json:"span_ns"` // from the first to the last record
	IOPS     float64 `json:"iops"`    // over the span
	Bytes    int64   `json:"bytes"`   // of reads and writes
	BytesPS  float64 `json:"bytes_per_second"`
	ReadPart float64 `json:"read_share"` // of the reads and writes, by records

	Ops       []Op       `json:"ops"`
	Footprint Footprint  `json:"footprint"`
	EndBytes  int64      `json:"end_bytes"` // the highest offset + length
	Access    Access     `json:"access"`
	Arrivals  Arrivals   `json:"arrivals"`
	Timeline  Timeline   `json:"timeline"`
	Volumes   []Volume   `json:"volumes,omitempty"`
	Processes []Process  `json:"processes,omitempty"`
	Latency   *Latencies `json:"latency,omitempty"` // as it was recorded
	Cancels   int64      `json:"cancels,omitempty"` // records with a time to cancel
	Failed    int64      `json:"failed,omitempty"`  // records with an error
}

// Records accounts for the records of the input.
type Records struct {
	In       int64            `json:"in"`
	Taken    int64            `json:"taken"` // that all other numbers are of
	Skipped  map[string]int64 `json:"skipped,omitempty"`
	Rejected int64            `json:"rejected"`
	Late     int64            `json:"out_of_order"`
}

// Op is the records of one operation.
type Op struct {
	Op      string  `json:"op"`
	Records int64   `json:"records"`
	Bytes   int64   `json:"bytes"`
	Share   float64 `json:"share"` // of all records
	MinSize int64   `json:"min_size"`
	MaxSize int64   `json:"max_size"`
	Sizes   []Size  `json:"sizes,omitempty"` // the most frequent, at most 8
}

// Size is how often a size comes, as a share of its op.
type Size struct {
	Bytes   int64   `json:"bytes"`
	Records int64   `json:"records"`
	Share   float64 `json:"share"`
}

// Footprint is how many bytes of the volumes are touched, in blocks of 4 KiB.
type Footprint struct {
	Bytes      int64 `json:"bytes"`
	ReadBytes  int64 `json:"read_bytes"`
	WriteBytes int64 `json:"written_bytes"`
	Exact      bool  `json:"exact"` // else within about 0.8 %
}

// Access is how offsets follow one another, on the same volume.
type Access struct {
	Sequential float64 `json:"sequential_share"` // begins where the one before it ended
	Near       float64 `json:"near_share"`       // begins within 128 KiB of that, either way
	Again      float64 `json:"same_share"`       // begins where the one before it began
	MeanRun    float64 `json:"mean_run"`         // records of a sequential run
	Aligned4K  float64 `json:"aligned_4k_share"` // offset and size
}

// Arrivals is how they are spread over time.
type Arrivals struct {
	MeanGapNs float64 `json:"mean_gap_ns"`
	GapCV     float64 `json:"gap_cv"` // standard deviation over mean; 1 for a Poisson process
	Scales    []Scale `json:"scales"`
	// Hurst is about 0.5 where bursts even out over longer times, and nearer to 1 where
	// they do not: 1 + half the slope of log variance of the mean rate over log scale.
	// 0: too short to say.
	Hurst float64 `json:"hurst_estimate"`
}

// Scale is the counts of records in windows of one length.
type Scale struct {
	WindowNs   int64   `json:"window_ns"`
	Windows    int64   `json:"windows"`
	PeakIOPS   float64 `json:"peak_iops"`
	PeakMean   float64 `json:"peak_to_mean"`
	Dispersion float64 `json:"index_of_dispersion"` // variance over mean; 1 for a Poisson process
}

// Timeline is the rates over the trace's span.
type Timeline struct {
	StepNs int64   `json:"step_ns"`
	Reads  []int64 `json:"reads"` // records in each step
	Writes []int64 `json:"writes"`
	Bytes  []int64 `json:"bytes"`
}

// Volume is the records of one volume.
type Volume struct {
	Name    string `json:"name"`
	Records int64  `json:"records"`
	Reads   int64  `json:"reads"`
	Writes  int64  `json:"writes"`
	Bytes   int64  `json:"bytes"`
	End     int64  `json:"end_bytes"`
}

// Process is the records of one process.
type Process struct {
	PID     uint32 `json:"pid"`
	Name    string `json:"name"`
	Records int64  `json:"records"`
	Bytes   int64  `json:"bytes"`
}

// Latencies is what a recorder saw.
type Latencies struct {
	Total  *Percentiles `json:"total_ns,omitempty"`  // from queued to completed
	Queue  *Percentiles `json:"queue_ns,omitempty"`  // from queued to issued
	Device *Percentiles `json:"device_ns,omitempty"` // from issued to completed
}

// Percentiles are by nearest rank, ns.
type Percentiles struct {
	Count int64 `json:"count"`
	P50   int64 `json:"p50"`
	P90   int64 `json:"p90"`
	P99   int64 `json:"p99"`
	P999  int64 `json:"p99_9"`
	Max   int64 `json:"max"`
}
