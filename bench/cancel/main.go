// Command cancel measures what a cancelled I/O costs on a slow disk: 256 O_DIRECT
// reads are submitted at once to a disk that takes 4 ms for each, and after 100 ms
// every second one of them is cancelled.
//
//   - all in the kernel: by Linux AIO and io_cancel(2); by io_uring and
//     ASYNC_CANCEL; by io_uring where each of these reads has a LINK_TIMEOUT
//   - blksim, which lets the device have 4 (or 16) at a time, and keeps the others
//     where they can be cancelled
//
// For each it tells how many were truly cancelled, when the cancelled ones ended, when
// the others did, and, from a second run, how long it takes to tear all down in the
// middle of it, until the disk has nothing any more.
//
//	go run ./bench/cancel           measure, write bench/cancel/results.json; as root
//	go run ./bench/cancel -table    put the results into docs/performance.md
//
// The disk is a loop device over a file that this program serves by FUSE. All of it is
// taken away at the end, also after a signal.
package main

import (
	"fmt"
	"os"
	"time"

	"blksim/bench/figures"
	"blksim/internal/loopdev"
)

func main() {
	if is, err := child(); is {
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	var undo loopdev.Undo
	stop := undo.OnSignal(os.Exit)
	p := figures.Program{
		Name: "bench/cancel", Total: 2 * time.Minute, Last: 3 * time.Minute, Cleanup: undo.Close,
		Rows: func(_ string, short bool) []figures.Row { return rows(&lab{short: short, undo: &undo}) },
	}
	code := p.Main(os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// rows are all rows; they come from the same runs.
func rows(l *lab) (all []figures.Row) {
	add := func(name, unit string, bar figures.Bar, value func(ours, kernel *outcome) float64) {
		all = append(all, figures.Row{Name: "cancel-" + name, Unit: unit, Bar: bar,
			Run: func() (*figures.Reading, error) { return l.reading(value) }})
	}
	ms := func(d time.Duration) float64 { return d.Seconds() * 1e3 }
	add("ended-p50", "ms from the cancel to the end of a cancelled read, device depth 4", figures.AtMost(1, 0.1), func(ours, _ *outcome) float64 { return ms(ours.ends.at(0.5)) })
	// The device depth, and the one that may be under way.
	add("ended-max", "service times of the disk, likewise", figures.AtMost(ourDepth+1, ourDepth), func(ours, _ *outcome) float64 { return float64(ours.ends.at(1)) / float64(service) })
	add("total", "of the time until all has ended, all in the kernel", figures.AtMost(0.65, 0.6), func(ours, kernel *outcome) float64 { return float64(ours.total) / float64(kernel.total) })
	add("others", "of the time until the reads that were not cancelled have ended, all in the kernel", figures.Bar{}, func(ours, kernel *outcome) float64 { return float64(ours.others) / float64(kernel.others) })
	add("teardown", "of the time to tear down, all in the kernel", figures.Bar{}, func(ours, kernel *outcome) float64 { return float64(ours.teardown) / float64(kernel.teardown) })
	return all
}
