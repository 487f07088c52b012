package report

import (
	"fmt"
	"io"
	"strconv"
)

// fioVersion is the version of fio whose json+ is written. fio's tools look at the
// shape alone; it is not that of blksim, which "blksim version" has.
const fioVersion = "fio-3.33"

// The json+ of fio, as far as it has a meaning here. lat_ns counts from when an I/O
// was due, clat_ns from its submit.
type fioOutput struct {
	Version string         `json:"fio version"`
	Global  map[string]any `json:"global options"`
	Jobs    []fioJob       `json:"jobs"`
	Blksim  *Several       `json:"blksim,omitempty"`
}

type fioJob struct {
	Name    string            `json:"jobname"`
	Group   int               `json:"groupid"`
	Error   int               `json:"error"`
	Elapsed int64             `json:"elapsed"` // seconds
	Options map[string]string `json:"job options"`
	Read    fioOp             `json:"read"`
	Write   fioOp             `json:"write"`
	Trim    fioOp             `json:"trim"`
	Sync    fioSync           `json:"sync"`
	Runtime int64             `json:"job_runtime"` // ms
}

type fioSync struct {
	Total int64  `json:"total_ios"`
	Lat   fioLat `json:"lat_ns"`
}

type fioOp struct {
	Bytes   int64   `json:"io_bytes"`
	KBytes  int64   `json:"io_kbytes"`
	BWBytes int64   `json:"bw_bytes"` // a second
	BW      int64   `json:"bw"`       // KiB a second
	IOPS    float64 `json:"iops"`
	Runtime int64   `json:"runtime"` // ms
	Total   int64   `json:"total_ios"`
	Short   int64   `json:"short_ios"`
	Drop    int64   `json:"drop_ios"`
	Slat    fioLat  `json:"slat_ns"`
	Clat    fioLat  `json:"clat_ns"`
	Lat     fioLat  `json:"lat_ns"`
}

type fioLat struct {
	Min        int64       `json:"min"`
	Max        int64       `json:"max"`
	Mean       float64     `json:"mean"`
	StdDev     float64     `json:"stddev"`
	N          int64       `json:"N"`
	Percentile *percentMap `json:"percentile,omitempty"`
	Bins       *Bins       `json:"bins,omitempty"`
}

// percentMap is percentiles with six decimals in the key, in their order.
type percentMap struct {
	d    *Distribution
	list []int
}

// MarshalJSON is as fio writes them.
func (m *percentMap) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, p := range m.list {
		if i > 0 {
			out = append(out, ',')
		}
		out = fmt.Appendf(out, "%q:%d", strconv.FormatFloat(float64(p)/1e4, 'f', 6, 64), m.d.At(p))
	}
	return append(out, '}'), nil
}

// fioPercentiles are those that fio lists by itself, in millionths.
var fioPercentiles = []int{10_000, 50_000, 100_000, 200_000, 300_000, 400_000, 500_000, 600_000, 700_000, 800_000,
	900_000, 950_000, 990_000, 995_000, 999_000, 999_500, 999_900}

// WriteFio writes runs in the shape of fio's json+: a job for each job of a load,
// and one for each replay. What fio has no place for is under "blksim".
func WriteFio(w io.Writer, runs []*Run, percentiles []int) error {
	if len(percentiles) == 0 {
		percentiles = fioPercentiles
	}
	out := fioOutput{Version: fioVersion, Global: map[string]any{}, Blksim: &Several{SeveralSchema, runs}, Jobs: []fioJob{}}
	for _, r := range runs {
		prefix := ""
		if len(runs) > 1 {
			prefix = r.Name + "/"
		}
		for i := range r.Jobs {
			j := &r.Jobs[i]
			job := newFioJob(j.Ops, j.MeasuredNs, percentiles)
			job.Name, job.Group, job.Options = prefix+j.Name, j.Phase, j.Options
			out.Jobs = append(out.Jobs, job)
		}
		if len(r.Jobs) == 0 {
			job := newFioJob(r.Ops, r.ElapsedNs, percentiles)
			job.Name, job.Options = prefix+r.Trace.Name, map[string]string{"name": r.Trace.Name}
			out.Jobs = append(out.Jobs, job)
		}
	}
	return writeJSON(w, out)
}

func newFioJob(ops map[string]OpRun, ns int64, percentiles []int) fioJob {
	j := fioJob{Elapsed: (ns + 999_999_999) / 1_000_000_000, Runtime: ns / 1_000_000}
	op := func(name string) fioOp {
		o := ops[name]
		f := fioOp{Bytes: o.Bytes, KBytes: o.Bytes >> 10, Runtime: ns / 1_000_000, Total: o.Completed,
			Slat: fioLat{}, Clat: newFioLat(o.ServiceNs, percentiles), Lat: newFioLat(o.LatencyNs, percentiles)}
		if ns > 0 {
			f.IOPS = float64(o.Completed) / (float64(ns) / 1e9)
			f.BWBytes = int64(float64(o.Bytes) / (float64(ns) / 1e9))
			f.BW = f.BWBytes >> 10
		}
		return f
	}
	j.Read, j.Write, j.Trim = op("read"), op("write"), op("discard")
	flush := ops["flush"]
	j.Sync = fioSync{flush.Completed, newFioLat(flush.LatencyNs, percentiles)}
	return j
}

func newFioLat(d *Distribution, percentiles []int) fioLat {
	if d == nil {
		return fioLat{}
	}
	f := fioLat{Min: d.Min, Max: d.Max, N: d.Count, Percentile: &percentMap{d, percentiles}, Bins: &d.Bins}
	sum, _ := d.Sum.Float64()
	f.Mean = sum / float64(d.Count)
	// Made of the same figures as the rest, so it cannot fail.
	if h, err := d.Histogram(); err == nil {
		f.StdDev = h.StdDev()
	}
	return f
}
