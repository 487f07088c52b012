// Command replay measures how exactly a trace is replayed in real time: blksim beside
// fio and btreplay, each reading a loop device that this program makes, each measured
// in the same way from outside: by when the kernel's block layer got the I/Os
// (tracepoint block_bio_queue, in a tracefs instance of our own).
//
//	go run ./bench/replay           measure, write bench/replay/results.json; as root
//	go run ./bench/replay -table    put the results into docs/performance.md
//
// A deviation is by how much an I/O was issued earlier or later than its time in the
// trace, apart from what the I/Os of the run are late by in the median: that is a
// matter of when a run is said to begin. The rows are of the I/Os for which no thread of the tool had to wait for a
// processor, for 50 us or more, since their time in the trace: what the load of others
// does to a tool is not the tool's. The scheduler's own tracepoints tell.
// The grid has these and all, and how large a part they are.
package main

import (
	"os"
	"time"

	"blksim/bench/figures"
	"blksim/internal/loopdev"
)

func main() {
	var undo loopdev.Undo
	stop := undo.OnSignal(os.Exit)
	p := figures.Program{
		Name: "bench/replay", Total: 4 * time.Minute, Last: 5 * time.Minute, Cleanup: undo.Close,
		Rows: func(root string, short bool) []figures.Row { return rows(&lab{root: root, short: short, undo: &undo}) },
	}
	code := p.Main(os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// rows are all rows. Those of one rate come from the same runs.
func rows(l *lab) (all []figures.Row) {
	for _, r := range []struct {
		name string
		iops int
	}{{"2k", 2000}, {"10k", 10_000}} {
		e := &experiment{lab: l, iops: r.iops}
		add := func(name, unit string, bar figures.Bar, value func(ours, fio *fidelity) float64) {
			all = append(all, figures.Row{Name: "replay-" + r.name + "-" + name, Unit: unit, Bar: bar,
				Run: func() (*figures.Reading, error) { return e.reading(value) }})
		}
		add("deviation-p50", "us", figures.AtMost(1, 0.5), func(ours, _ *fidelity) float64 { return ours.calm.at(0.50) })
		add("deviation-p99", "us", figures.AtMost(50, 20), func(ours, _ *fidelity) float64 { return ours.calm.at(0.99) })
		add("deviation-p50-vs-fio", "of fio's", figures.AtMost(0.1, 0.01), func(ours, fio *fidelity) float64 { return ours.all.at(0.50) / fio.all.at(0.50) })
		add("drift", "% of the time", figures.AtMost(0.01, 0.001), func(ours, _ *fidelity) float64 { return max(ours.drift, -ours.drift) })
		add("in-order", "part of the I/Os that overtook none before it in the trace", figures.AtLeast(1, 1), func(ours, _ *fidelity) float64 { return ours.inOrder })
		add("apart", "us from one I/O to the next that is due at the same time", figures.Bar{}, func(ours, _ *fidelity) float64 { return ours.apart })
		bar := figures.Bar{}
		if r.iops == 2000 {
			bar = figures.AtMost(15, 10)
		}
		add("cpu", "% of a core", bar, func(ours, _ *fidelity) float64 { return ours.cpu })
	}
	return all
}
