package live

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"blksim/internal/ebpf"
	"blksim/internal/hist"
	"blksim/internal/report"
	"blksim/traces"
)

// TopSchema names the form of an interval as JSON.
const TopSchema = "blksim.top/v1"

// TopOptions say how Top shows.
type TopOptions struct {
	Options
	Interval time.Duration // 0: 1 s
	Sort     string        // processes by iops, bandwidth or time
	Title    string        // what is looked at, for the screen's first line

	// Screen gives the size of the terminal that is drawn on; nil: it is none, and gets
	// a line for each device and interval.
	Screen func() (width, height int)
}

// Top shows what has ended in each interval. The last one may be shorter. It ends with
// the totals.
func Top(src Source, w io.Writer, o TopOptions) error {
	if o.Interval == 0 {
		o.Interval = time.Second
	}
	t := &top{w: bufio.NewWriterSize(w, 64<<10), o: &o, src: src, start: src.Now(), win: newWindow()}
	if t.screen() {
		t.w.WriteString(hideCursor + clearScreen)
	}
	err := t.run()
	if t.screen() {
		t.w.WriteString(showCursor)
	}
	account, countErr := total(src, t.start, t.shown, t.left)
	if err == nil {
		err = countErr
	}
	if countErr == nil {
		_ = account.write(t.w, o.JSON) // Flush has its error
	}
	if e := t.w.Flush(); e != nil {
		return &OutputError{e}
	}
	return err
}

type top struct {
	w     *bufio.Writer
	o     *TopOptions
	src   Source
	start int64
	win   *window
	shown int64
	left  int64 // by the reader's filter
	lost  int64 // as of the last interval
	lines int   // since the last heading
}

func (t *top) screen() bool { return t.o.Screen != nil && !t.o.JSON }

func (t *top) run() error {
	events := make([]ebpf.Event, batch)
	t.win.reset(t.start)
	intervals := int64(0)
	stopped := false
	for {
		now := t.src.Now()
		left := t.o.Interval - time.Duration(now-t.win.from)
		if left <= 0 && !stopped {
			intervals++
			if err := t.show(now); err != nil {
				return err
			}
			continue
		}
		if !stopped && t.o.ended(time.Duration(now-t.start), intervals) {
			stopped = true
			if err := t.src.Stop(grace); err != nil {
				return err
			}
		}
		n, err := t.src.Read(events, t.o.wait(time.Duration(now-t.start), left))
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		for i := range events[:n] {
			if !t.o.Filter.passes(&events[i]) {
				t.left++
				continue
			}
			t.shown++
			t.win.add(&events[i])
		}
	}
	if t.win.all().count > 0 {
		return t.show(t.src.Now())
	}
	return nil
}

// show writes the interval that ends now, and begins the next.
func (t *top) show(now int64) error {
	t.win.to = now
	counts, err := t.src.Counts()
	if err != nil {
		return err
	}
	lost := lost(&counts) - t.lost
	t.lost += lost
	switch {
	case t.o.JSON:
		err = t.writeJSON(lost)
	case t.screen():
		width, height := t.o.Screen()
		t.w.WriteString(home)
		for _, line := range t.page(width, height, t.lost) {
			t.w.WriteString(line + clearLine + "\r\n")
		}
		t.w.WriteString(clearBelow)
	default:
		t.writeLines(lost)
	}
	t.win.reset(now)
	if e := t.w.Flush(); e != nil {
		err = &OutputError{e}
	}
	return err
}

// headEvery is after how many lines the heading comes again.
const headEvery = 24

// writeLines writes a line for each device.
func (t *top) writeLines(lost int64) {
	s := t.win.seconds()
	for _, d := range t.win.deviceList() {
		if t.lines%headEvery == 0 {
			fmt.Fprintf(t.w, "%7s %-8s %8s %8s %6s %7s %7s %7s %7s %7s %7s %6s\n", "TIME s", "DEVICE", "r/s", "w/s", "oth/s",
				"rMiB/s", "wMiB/s", "r p50", "r p99", "w p50", "w p99", "QD")
		}
		t.lines++
		fmt.Fprintf(t.w, "%7.1f %-8s %8.0f %8.0f %6.0f %7.1f %7.1f %7s %7s %7s %7s %6.1f\n", float64(t.win.to-t.start)/1e9, d.name,
			float64(d.reads.count)/s, float64(d.writes.count)/s, float64(d.others.count)/s,
			float64(d.reads.bytes)/s/(1<<20), float64(d.writes.bytes)/s/(1<<20),
			at(&d.reads.total, 500_000), at(&d.reads.total, 990_000), at(&d.writes.total, 500_000), at(&d.writes.total, 990_000),
			float64(d.totalNs)/1e9/s)
	}
	if lost > 0 {
		fmt.Fprintf(t.w, "%7.1f lost %s I/Os: rates are too low\n", float64(t.win.to-t.start)/1e9, report.Count(lost))
	}
}

// at is a percentile, short; "-" of nothing.
func at(h *hist.Histogram, perMillion int) string {
	if h.Count() == 0 {
		return "-"
	}
	return strings.Replace(report.Nanos(h.Percentile(perMillion)), " ", "", 1)
}

// interval is an interval as JSON.
type interval struct {
	Schema   string        `json:"schema"`
	Time     int64         `json:"time_ns"` // of its end, from the start
	Length   int64         `json:"interval_ns"`
	InFlight float64       `json:"in_flight"` // mean
	InDevice float64       `json:"in_device"`
	Lost     int64         `json:"lost"` // in this interval
	Ops      []opJSON      `json:"ops"`
	Devices  []deviceJSON  `json:"devices"`
	Process  []processJSON `json:"processes"`
}

type opJSON struct {
	Op      string               `json:"op"`
	IOPS    float64              `json:"iops"`
	Rate    float64              `json:"bytes_per_second"`
	Errors  int64                `json:"errors"`
	Latency *report.Distribution `json:"latency_ns"`
	Queue   *report.Distribution `json:"queue_ns,omitempty"`
	Device  *report.Distribution `json:"device_ns,omitempty"`
}

type deviceJSON struct {
	Device   string  `json:"device"`
	Reads    float64 `json:"reads_per_second"`
	Writes   float64 `json:"writes_per_second"`
	Others   float64 `json:"others_per_second"`
	ReadBps  float64 `json:"read_bytes_per_second"`
	WriteBps float64 `json:"write_bytes_per_second"`
	InFlight float64 `json:"in_flight"`
}

type processJSON struct {
	Process string  `json:"process"`
	PID     uint32  `json:"pid"`
	IOPS    float64 `json:"iops"`
	Rate    float64 `json:"bytes_per_second"`
	Mean    int64   `json:"latency_mean_ns"`
	Max     int64   `json:"latency_max_ns"`
}

func (t *top) writeJSON(lost int64) error {
	w, s := t.win, t.win.seconds()
	v := interval{Schema: TopSchema, Time: w.to - t.start, Length: w.to - w.from, Lost: lost,
		Ops: []opJSON{}, Devices: []deviceJSON{}, Process: []processJSON{}}
	v.InFlight, v.InDevice = w.inFlight()
	for i := range w.ops {
		if o := &w.ops[i]; o.count > 0 {
			v.Ops = append(v.Ops, opJSON{Op: opName(traces.Op(i)), IOPS: float64(o.count) / s, Rate: float64(o.bytes) / s, Errors: o.errors,
				Latency: report.Sum(&o.total), Queue: report.Sum(&o.queue), Device: report.Sum(&o.device)})
		}
	}
	for _, d := range w.deviceList() {
		v.Devices = append(v.Devices, deviceJSON{d.name, float64(d.reads.count) / s, float64(d.writes.count) / s, float64(d.others.count) / s,
			float64(d.reads.bytes) / s, float64(d.writes.bytes) / s, float64(d.totalNs) / 1e9 / s})
	}
	for _, p := range w.processList(t.o.Sort) {
		v.Process = append(v.Process, processJSON{p.comm, p.pid, float64(p.count) / s, float64(p.bytes) / s, p.totalNs / max(p.count, 1), p.max})
	}
	text, err := json.Marshal(&v)
	if err == nil {
		_, err = t.w.Write(append(text, '\n'))
	}
	if err != nil {
		return &OutputError{err}
	}
	return nil
}
