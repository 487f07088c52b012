package report

import (
	"cmp"

	"blksim/internal/record"
	"blksim/internal/replay"
)

// SlowIO is one I/O with its stages, which add up to its latency: Slip from due
// to submitted, Queue to dispatched, Device to returned, Finish to its event.
// What the stack answered without the device has no Device and no Finish.
type SlowIO struct {
	Op      string `json:"op"`
	Offset  int64  `json:"offset"`
	Bytes   int64  `json:"bytes"`
	Lane    int    `json:"lane"`
	Due     int64  `json:"due_ns"` // from the start of the run
	Latency int64  `json:"latency_ns"`
	Slip    int64  `json:"slip_ns"`
	Queue   int64  `json:"queue_ns"`
	Device  int64  `json:"device_ns"`
	Finish  int64  `json:"finish_ns"`
	TooLate bool   `json:"too_late,omitempty"` // a cancel had been accepted
}

// Series is what happened when, by intervals of one width from the start of the
// run. I/Os count in the interval in which they ended. Every list has an entry
// for each interval.
type Series struct {
	IntervalNs int64     `json:"interval_ns"`
	Reads      []int64   `json:"reads"`  // completed, as the next two
	Writes     []int64   `json:"writes"` //
	Others     []int64   `json:"others"`
	ReadBytes  []int64   `json:"read_bytes"`
	WriteBytes []int64   `json:"write_bytes"`
	Skipped    []int64   `json:"skipped_at_dispatch"`
	Aborted    []int64   `json:"aborted_in_device"`
	TooLate    []int64   `json:"too_late"`
	Failed     []int64   `json:"failed"`
	P50        []int64   `json:"p50_ns"` // of the completed, within 12 %
	P99        []int64   `json:"p99_ns"`
	Max        []int64   `json:"max_ns"`    // exact
	InFlight   []float64 `json:"in_flight"` // mean number of I/Os submitted and not ended
	InDevice   []float64 `json:"in_device"` // mean number of I/Os that the device had
	Busy       []float64 `json:"busy"`      // share of the interval in which it had any

	// Heat counts the completed ones by latency: for each interval its bands that
	// are not empty, each as the band's number and the count. HeatFromNs is the
	// least latency of each band up to the highest in use.
	Heat       [][]int64 `json:"heat"`
	HeatFromNs []int64   `json:"heat_from_ns"`
}

// Record takes over what the recorder kept.
func (r *Run) Record(slow []replay.IO, s *record.Series) {
	for i := range slow {
		r.Slowest = append(r.Slowest, slowIO(&slow[i]))
	}
	if s != nil {
		r.Series = series(s)
	}
}

func slowIO(io *replay.IO) SlowIO {
	s := SlowIO{Op: io.Op.String(), Offset: io.Off, Bytes: io.Len, Lane: io.Lane, Due: int64(io.Due),
		Latency: int64(io.Ended - io.Due), Slip: int64(io.Submitted - io.Due), TooLate: io.TooLate()}
	if !io.Started() {
		s.Queue = int64(io.Ended - io.Submitted)
		return s
	}
	returned := cmp.Or(max(io.Returned, 0), io.Ended)
	s.Queue = int64(io.Dispatched - io.Submitted)
	s.Device = int64(returned - io.Dispatched)
	s.Finish = int64(io.Ended - returned)
	return s
}

func series(s *record.Series) *Series {
	w := s.Width()
	out := &Series{IntervalNs: w}
	bands := 0
	for i := range s.Intervals() {
		v := &s.Intervals()[i]
		out.Reads = append(out.Reads, v.Completed[record.Reads])
		out.Writes = append(out.Writes, v.Completed[record.Writes])
		out.Others = append(out.Others, v.Completed[record.Others])
		out.ReadBytes = append(out.ReadBytes, v.Bytes[record.Reads])
		out.WriteBytes = append(out.WriteBytes, v.Bytes[record.Writes])
		out.Skipped = append(out.Skipped, v.Skipped)
		out.Aborted = append(out.Aborted, v.Aborted)
		out.TooLate = append(out.TooLate, v.TooLate)
		out.Failed = append(out.Failed, v.Failed)
		out.P50 = append(out.P50, v.Percentile(50))
		out.P99 = append(out.P99, v.Percentile(99))
		out.Max = append(out.Max, v.MaxNs)
		out.InFlight = append(out.InFlight, thousandths(v.InFlight(w)))
		out.InDevice = append(out.InDevice, thousandths(v.InDevice(w)))
		out.Busy = append(out.Busy, thousandths(v.Busy(w)))
		heat := []int64{}
		for band, n := range v.Heat {
			if n > 0 {
				heat = append(heat, int64(band), int64(n))
				bands = max(bands, band+1)
			}
		}
		out.Heat = append(out.Heat, heat)
	}
	for band := range bands {
		out.HeatFromNs = append(out.HeatFromNs, record.BandFrom(band))
	}
	return out
}

// thousandths keeps three decimals: more would be noise in the file.
func thousandths(v float64) float64 { return float64(int64(v*1000+0.5)) / 1000 }
