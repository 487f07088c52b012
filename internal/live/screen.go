package live

import (
	"fmt"
	"strings"

	"blksim/internal/hist"
	"blksim/internal/report"
	"blksim/traces"
)

// Control sequences of terminals, ECMA-48. The screen is drawn over, not cleared, so
// that it does not flicker.
const (
	home        = "\x1b[H"
	clearLine   = "\x1b[K"
	clearBelow  = "\x1b[J"
	clearScreen = "\x1b[2J"
	hideCursor  = "\x1b[?25l"
	showCursor  = "\x1b[?25h"
)

// The letters of the bars: reads, writes, other ops.
const barLetters = "#+o"

// page is the interval as lines that fit the screen.
func (t *top) page(width, height int, lost int64) []string {
	w, s := t.win, t.win.seconds()
	all := w.all()
	inFlight, inDevice := w.inFlight()
	lines := []string{
		fmt.Sprintf("blksim top  %s  %s IOPS  %s/s  QD %.1f (device %.1f)  lost %s  %.0f s", t.o.Title, report.Rate(float64(all.count)/s),
			report.Amount(float64(all.bytes)/s), inFlight, inDevice, report.Count(lost), float64(w.to-t.start)/1e9), ""}
	lines = append(lines, w.opLines(all)...)
	if len(w.devices) > 1 {
		lines = append(append(lines, ""), w.deviceLines(max((height-len(lines))/4, 2))...)
	}
	// What is left is shared by the histogram and the processes.
	room := height - 1 - len(lines) - 4 // two blank lines and two headings
	processes := w.processLines(t.o.Sort, max(room/3, 3))
	histogram := w.histogramLines(width, room-len(processes)+1)
	lines = append(append(append(append(lines, ""), histogram...), ""), processes...)
	lines = lines[:min(len(lines), max(height-1, 1))]
	for i := range lines {
		if len(lines[i]) > width {
			lines[i] = lines[i][:max(width, 0)]
		}
	}
	return lines
}

// opLines is a table of the operations.
func (w *window) opLines(all *opTally) []string {
	lines := []string{fmt.Sprintf("%-12s %8s %8s %7s %7s %7s %7s %7s %7s", "", "IOPS", "MiB/s", "p50", "p99", "p99.9", "max", "Q p99", "D p99")}
	line := func(name string, o *opTally) {
		errors := ""
		if o.errors > 0 {
			errors = fmt.Sprintf("  %s failed", report.Count(o.errors))
		}
		lines = append(lines, fmt.Sprintf("%-12s %8s %8.1f %7s %7s %7s %7s %7s %7s%s", name, report.Rate(float64(o.count)/w.seconds()), float64(o.bytes)/w.seconds()/(1<<20),
			at(&o.total, 500_000), at(&o.total, 990_000), at(&o.total, 999_000), at(&o.total, hist.PerMillion), at(&o.queue, 990_000), at(&o.device, 990_000), errors))
	}
	kinds := 0
	for i := range w.ops {
		if o := &w.ops[i]; o.count > 0 {
			kinds++
			line(opName(traces.Op(i)), o)
		}
	}
	if kinds != 1 {
		line("all", all)
	}
	return lines
}

// deviceLines is a table of at most so many devices, the busiest.
func (w *window) deviceLines(most int) []string {
	lines := []string{fmt.Sprintf("%-12s %8s %8s %6s %8s %8s %7s %7s %6s", "device", "r/s", "w/s", "oth/s", "rMiB/s", "wMiB/s", "r p99", "w p99", "QD")}
	s := w.seconds()
	left := 0
	for _, d := range w.deviceList() {
		if len(lines) > most {
			left++
			continue
		}
		lines = append(lines, fmt.Sprintf("%-12s %8.0f %8.0f %6.0f %8.1f %8.1f %7s %7s %6.1f", d.name, float64(d.reads.count)/s, float64(d.writes.count)/s, float64(d.others.count)/s,
			float64(d.reads.bytes)/s/(1<<20), float64(d.writes.bytes)/s/(1<<20), at(&d.reads.total, 990_000), at(&d.writes.total, 990_000), float64(d.totalNs)/1e9/s))
	}
	if left > 0 {
		lines = append(lines, fmt.Sprintf("%-12s", fmt.Sprintf("and %d more", left)))
	}
	return lines
}

// processLines is a table of at most so many processes.
func (w *window) processLines(by string, most int) []string {
	lines := []string{fmt.Sprintf("%-15s %8s %10s %9s %9s %9s %7s", "process", "pid", "IOPS", "MiB/s", "mean", "max", "share")}
	list, s, all := w.processList(by), w.seconds(), w.all().count
	for i, p := range list {
		if i == most {
			lines = append(lines, fmt.Sprintf("and %d more", len(list)-most))
			break
		}
		lines = append(lines, fmt.Sprintf("%-15s %8d %10s %9.1f %9s %9s %5.1f %%", printable(p.comm), p.pid, report.Rate(float64(p.count)/s), float64(p.bytes)/s/(1<<20),
			report.Nanos(p.totalNs/max(p.count, 1)), report.Nanos(p.max), 100*float64(p.count)/float64(max(all, 1))))
	}
	return lines
}

// band is the I/Os whose latency has the same highest bit.
type band struct {
	from  int64
	count [len(barLetters)]int64 // by kind
}

func (b *band) all() int64 { return b.count[0] + b.count[1] + b.count[2] }

// bands are the powers of two from the first to the last that has I/Os.
func (w *window) bands() []band {
	var all [64]band
	first, last := len(all), -1
	for i := range w.ops {
		for b := range w.ops[i].total.Buckets() {
			bit := 0
			for v := b.From; v > 1; v >>= 1 {
				bit++
			}
			all[bit].count[min(i, len(barLetters)-1)] += b.Count
			first, last = min(first, bit), max(last, bit)
		}
	}
	for i := range all {
		all[i].from = 1 << i
	}
	if last < 0 {
		return nil
	}
	return all[first : last+1]
}

// histogramLines is the latencies as bars, in at most so many lines; what has no room
// at the slow end is in the last.
func (w *window) histogramLines(width, most int) []string {
	lines := []string{fmt.Sprintf("latency (%c reads, %c writes, %c others)", barLetters[0], barLetters[1], barLetters[2])}
	bands := w.bands()
	if n := len(bands); n > most && most > 1 {
		for _, b := range bands[most:] {
			for k := range b.count {
				bands[most-1].count[k] += b.count[k]
			}
		}
		bands = bands[:most]
	}
	var top, all int64
	for i := range bands {
		top = max(top, bands[i].all())
		all += bands[i].all()
	}
	room := max(width-26, 1)
	for i := range bands {
		b := &bands[i]
		bar := ""
		for k, n := range b.count {
			bar += strings.Repeat(barLetters[k:k+1], int(n*int64(room)/max(top, 1)))
		}
		if bar == "" && b.all() > 0 {
			bar = "."
		}
		lines = append(lines, strings.TrimRight(fmt.Sprintf("%9s %7.3f %% |%s", report.Nanos(b.from), 100*float64(b.all())/float64(all), bar), " "))
	}
	return lines
}
