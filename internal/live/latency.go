package live

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/bits"
	"strings"
	"time"

	"blksim/internal/hist"
	"blksim/internal/report"
	"blksim/traces"
)

// LatencySchema names the form of a distribution as JSON.
const LatencySchema = "blksim.biolatency/v1"

// Distribution is the latencies of one kind of I/O.
type Distribution struct {
	Device string // "": of all that are looked at
	Op     traces.Op
	Stage  string // total, queue or device
	Hist   *hist.Histogram
}

// LatencyOptions say how Latency shows. Count counts intervals.
type LatencyOptions struct {
	Options
	Interval time.Duration // show what was in each; 0: once, at the end
}

// Latency writes distributions that the kernel has counted, at the end or of each
// interval. It ends with the totals.
func Latency(src HistogramSource, w io.Writer, o LatencyOptions) error {
	l := &latency{w: bufio.NewWriterSize(w, 64<<10), o: &o, src: src, start: src.Now(), before: map[string]*hist.Histogram{}}
	err := l.run()
	account, countErr := total(src, l.start, l.shown, 0)
	if err == nil {
		err = countErr
	}
	if countErr == nil {
		_ = account.write(l.w, o.JSON) // Flush has its error
	}
	if e := l.w.Flush(); e != nil {
		return &OutputError{e}
	}
	return err
}

type latency struct {
	w      *bufio.Writer
	o      *LatencyOptions
	src    HistogramSource
	start  int64
	before map[string]*hist.Histogram // as of the last interval
	shown  int64
}

func (l *latency) run() error {
	from, intervals := l.start, int64(0)
	for {
		now := l.src.Now()
		since := time.Duration(now - l.start)
		end := l.o.ended(since, intervals)
		due := l.o.Interval > 0 && now-from >= int64(l.o.Interval)
		switch {
		case end:
			if err := l.src.Stop(grace); err != nil {
				return err
			}
			if l.o.Count > 0 && intervals >= l.o.Count {
				return nil
			}
			return l.show(from, l.src.Now())
		case due:
			if err := l.show(from, now); err != nil {
				return err
			}
			intervals++
			from = now
			continue
		}
		wait := glance
		if l.o.Interval > 0 {
			wait = l.o.Interval - time.Duration(now-from)
		}
		time.Sleep(l.o.wait(since, wait))
	}
}

// show writes what has come since the last time.
func (l *latency) show(from, to int64) error {
	all, err := l.src.Distributions()
	if err != nil {
		return err
	}
	if !l.o.JSON {
		if from != l.start {
			l.w.WriteByte('\n')
		}
		fmt.Fprintf(l.w, "%.1f s to %.1f s\n", float64(from-l.start)/1e9, float64(to-l.start)/1e9)
	}
	some := false
	for _, d := range all {
		key := d.Device + "/" + d.Op.String() + "/" + d.Stage
		new, err := since(l.before[key], d.Hist)
		if err != nil {
			return fmt.Errorf("live: %s: %w", key, err)
		}
		l.before[key] = d.Hist
		if new.Count() == 0 {
			continue
		}
		some = true
		if d.Stage == "device" || d.Stage == "total" && !hasDevice(all) {
			l.shown += new.Count()
		}
		if err := l.write(d, new, from, to); err != nil {
			return err
		}
	}
	if !some && !l.o.JSON {
		l.w.WriteString("no I/O\n")
	}
	if err := l.w.Flush(); err != nil {
		return &OutputError{err}
	}
	return nil
}

// hasDevice says whether there are distributions of the device's part, which has each
// I/O once.
func hasDevice(all []Distribution) bool {
	for _, d := range all {
		if d.Stage == "device" {
			return true
		}
	}
	return false
}

// since is what a histogram has counted since before; nil stands for the start. The
// least and the greatest value of an interval are known only to their bucket.
func since(before, now *hist.Histogram) (*hist.Histogram, error) {
	if before == nil || before.Count() == 0 {
		return now, nil
	}
	old := map[int64]int64{}
	for b := range before.Buckets() {
		old[b.From] = b.Count
	}
	var bins []hist.Bucket
	for b := range now.Buckets() {
		if b.Count -= old[b.From]; b.Count != 0 {
			bins = append(bins, b)
		}
	}
	if len(bins) == 0 {
		return &hist.Histogram{}, nil
	}
	least, most := max(bins[0].From, now.Min()), min(bins[len(bins)-1].To, now.Max())
	nowHigh, nowLow := now.Sum()
	oldHigh, oldLow := before.Sum()
	low, borrow := bits.Sub64(nowLow, oldLow, 0)
	high, _ := bits.Sub64(nowHigh, oldHigh, borrow)
	return hist.Restore(bins, least, most, now.Beyond()-before.Beyond(), high, low)
}

// write writes one distribution.
func (l *latency) write(d Distribution, h *hist.Histogram, from, to int64) error {
	sum := report.Sum(h)
	if l.o.JSON {
		text, err := json.Marshal(struct {
			Schema  string               `json:"schema"`
			Time    int64                `json:"time_ns"` // of the end of the interval, from the start
			Length  int64                `json:"interval_ns"`
			Device  string               `json:"device,omitempty"`
			Op      string               `json:"op"`
			Stage   string               `json:"stage"`
			Latency *report.Distribution `json:"latency_ns"`
		}{LatencySchema, to - l.start, to - from, d.Device, opName(d.Op), d.Stage, sum})
		if err == nil {
			_, err = l.w.Write(append(text, '\n'))
		}
		return err
	}
	name := opName(d.Op)
	if d.Device != "" {
		name = d.Device + ", " + name
	}
	if d.Stage != "total" {
		name += ", in " + d.Stage
	}
	fmt.Fprintf(l.w, "\n%s: %s; mean %s, p50 %s, p99 %s, p99.9 %s, max %s\n", name, report.Count(sum.Count),
		report.Nanos(sum.Mean), report.Nanos(sum.P50), report.Nanos(sum.P99), report.Nanos(sum.P999), report.Nanos(sum.Max))
	bars(l.w, h)
	return nil
}

// barWidth is how long the longest bar is.
const barWidth = 40

// bars draws the counts of each power of two, from the first to the last that has any.
func bars(w io.Writer, h *hist.Histogram) {
	var counts [64]int64
	first, last, most := len(counts), 0, int64(0)
	for b := range h.Buckets() {
		bit := max(bits.Len64(uint64(b.From))-1, 0)
		counts[bit] += b.Count
		first, last, most = min(first, bit), max(last, bit), max(most, counts[bit])
	}
	for bit := first; bit <= last; bit++ {
		n := counts[bit]
		bar := strings.Repeat("#", int((n*barWidth+most-1)/most))
		fmt.Fprintf(w, "  %9s .. %-9s %13s %6.2f %% |%-*s|\n", report.Nanos(1<<bit), report.Nanos(1<<(bit+1)), report.Count(n),
			100*float64(n)/float64(h.Count()), barWidth, bar)
	}
}
