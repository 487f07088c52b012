package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"blksim/internal/live"
	"blksim/internal/option"
	"blksim/internal/outfile"
	"blksim/traces"
)

// viewing is the settings of the commands that show what disks do.
type viewing struct {
	devices  []string
	ops      []traces.Op
	pids     []string
	comm     string
	least    time.Duration
	requests bool
	queue    bool
	each     bool
	duration time.Duration
	count    uint64
	interval time.Duration
	sort     string
	form     string
}

func newViewing() viewing { return viewing{form: "normal", sort: "iops"} }

// whatRows are what is looked at.
func (v *viewing) whatRows() []option.Row {
	return []option.Row{
		{Name: "device", Value: option.List(&v.devices, "device"), Usage: "only this disk or partition, such as nvme0n1 or /dev/sda2; repeat for up to 8 (default: all)"},
		{Name: "op", Alias: []string{"ops"}, Value: option.Parsed(&v.ops, "op,op,...", parseOps, writeOps), Usage: "only these operations: read, write, flush, discard, write-zeroes"},
		{Name: "pid", Value: option.List(&v.pids, "pid"), Usage: "only I/O that this process asked for; repeat for up to 16"},
		{Name: "min-latency", Value: option.Duration(&v.least), Usage: "only I/O that took so long or longer; the rest is counted"},
	}
}

// eventRows are of views that have each I/O.
func (v *viewing) eventRows() []option.Row {
	return []option.Row{
		{Name: "comm", Value: option.String(&v.comm), Usage: "only I/O of threads whose name matches this pattern, such as 'sqlite*'"},
		{Name: "requests", Value: option.Bool(&v.requests), Usage: "the requests that drivers got, after merges and splits, instead of the I/Os that were asked for"},
	}
}

// endRows are when it ends, and in what form.
func (v *viewing) endRows(what string) option.Group {
	return option.Group{Title: "The view", Rows: []option.Row{
		{Name: "duration", Value: option.Duration(&v.duration), Usage: "end after so long (default: on Ctrl-C)"},
		{Name: "count", Value: option.Uint(&v.count), Usage: "end after so many " + what + " (0: no limit)"},
		{Name: "output-format", Value: option.Enum(&v.form, "normal", "json"), Usage: "normal or json (an object a line)"},
	}}
}

// config turns the settings into the source's.
func (v *viewing) config() (live.Config, error) {
	c := live.Config{Devices: v.devices, Ops: v.ops, MinLatency: v.least, Requests: v.requests, AppIDs: !v.requests, Queue: v.queue, PerDevice: v.each}
	for _, s := range v.pids {
		pid, err := strconv.ParseUint(s, 10, 32)
		if err != nil || pid == 0 {
			return c, fmt.Errorf("pid %q: want the number of a process", s)
		}
		c.PIDs = append(c.PIDs, uint32(pid))
	}
	return c, nil
}

// options turns the settings into the view's; stop is when a signal came.
func (v *viewing) options(stop func() bool) (live.Options, error) {
	o := live.Options{JSON: v.form == "json", Filter: live.Filter{Comm: v.comm}, Duration: v.duration, Count: int64(v.count), Stop: stop}
	if v.count > math.MaxInt64 {
		return o, fmt.Errorf("count %d: want at most %d", v.count, int64(math.MaxInt64))
	}
	if err := o.Filter.Validate(); err != nil {
		return o, fmt.Errorf("comm %q: want a shell pattern, with *, ? and [a-z]: %w", v.comm, err)
	}
	return o, nil
}

// view runs a view over a source that open opens. It ends well by Ctrl-C: that is how
// such a view is ended.
func view[S io.Closer](v *viewing, open func(c live.Config) (S, error), show func(src S, o live.Options) error) error {
	c, err := v.config()
	if err != nil {
		return failed(exitUsage, err)
	}
	var stop atomic.Bool
	o, err := v.options(stop.Load)
	if err != nil {
		return failed(exitUsage, err)
	}
	src, err := open(c)
	if err != nil {
		return failed(exitDevice, err)
	}
	intr := catchInterrupts(os.Exit)
	defer intr.release()
	defer intr.stops(stopFunc(func() { stop.Store(true) }))()
	err = errors.Join(show(src, o), src.Close())
	var out *live.OutputError
	if errors.As(err, &out) {
		return failed(exitOutput, fmt.Errorf("standard output: %w", outfile.WithoutPath(out.Err)))
	}
	return failed(exitDevice, err)
}

// rights is what the help of each view says.
const rights = `

It is counted in the kernel by eBPF on tracepoints, and wants root, or CAP_BPF and
CAP_PERFMON; blksim trace doctor says what is missing. What is lost is counted and
told at the end; what this process does is left out.`

func newSnoop() *cobra.Command {
	v := newViewing()
	cmd := &cobra.Command{
		Use:   "snoop",
		Short: "Show each I/O of the machine's disks as it ends",
		Long: `Show a line for each I/O of the machine's disks, in the order in which they end:
when (from the start), which process asked for it, device, operation with its
flags as blkparse writes them, first sector of 512 bytes, size, how long it was
queued and how long the device had it. Where a driver takes I/Os without requests
(zram, RAID), all of the time is the device's.` + rights,
		Example: `  blksim snoop --device nvme0n1 --min-latency 10ms
  blksim snoop --comm 'postgres*' --op write,flush --duration 10s
  blksim snoop --output-format json --count 1000 > ios.jsonl`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return view(&v, live.Open, func(src *live.Tracer, o live.Options) error {
				return live.Snoop(src, cmd.OutOrStdout(), o)
			})
		},
	}
	bind(cmd, option.Table{{Title: "What to look at", Rows: append(v.whatRows(), v.eventRows()...)}, v.endRows("I/Os")})
	return cmd
}

func newTop() *cobra.Command {
	v := newViewing()
	v.interval = time.Second
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Show live what the machine's disks do, and for whom",
		Long: `Show rates, latencies, queue depth (QD: the mean number of I/Os underway), a
histogram of the latencies and the busiest processes, once a second. On a terminal
it draws a screen; elsewhere it writes a line for each device and interval.` + rights,
		Example: `  blksim top
  blksim top --device nvme0n1 --sort bandwidth --interval 2s
  blksim top --duration 1m --output-format json > top.jsonl`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if v.interval < time.Millisecond {
				return usagef("top: interval %v: want 1ms or more", v.interval)
			}
			return view(&v, live.Open, func(src *live.Tracer, o live.Options) error {
				c, _ := v.config() // was checked
				out := cmd.OutOrStdout()
				return live.Top(src, out, live.TopOptions{Options: o, Interval: v.interval, Sort: v.sort, Title: c.Title(), Screen: screen(out)})
			})
		},
	}
	table := option.Table{{Title: "What to look at", Rows: append(v.whatRows(), v.eventRows()...)}, v.endRows("intervals")}
	table[1].Rows = append(table[1].Rows,
		option.Row{Name: "interval", Value: option.Duration(&v.interval), Usage: "how long an interval is"},
		option.Row{Name: "sort", Value: option.Enum(&v.sort, "iops", "bandwidth", "time"), Usage: "processes by I/Os, bytes, or the time their I/Os took"})
	bind(cmd, table)
	return cmd
}

// screen gives the size of the terminal that w is, nil if it is none.
func screen(w io.Writer) func() (width, height int) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return func() (int, int) {
		width, height, err := term.GetSize(int(f.Fd()))
		if err != nil || width <= 0 || height <= 0 {
			return 80, 24
		}
		return width, height
	}
}

func newBiolatency() *cobra.Command {
	v := newViewing()
	cmd := &cobra.Command{
		Use:   "biolatency",
		Short: "Show distributions of latencies of the machine's disks",
		Long: `Show the latencies of each operation as a histogram, at the end or of each
interval. They are counted in the kernel, with no event for each I/O, at less than
a tenth of the cost, and in buckets so narrow that percentiles are within 1 %; a
bar is a power of two in nanoseconds. Without --queue it is the time with the
device alone.` + rights,
		Example: `  blksim biolatency --device nvme0n1 --duration 10s
  blksim biolatency --queue --interval 1s
  blksim biolatency --device sda --device sdb --per-device --output-format json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if v.interval != 0 && v.interval < time.Millisecond {
				return usagef("biolatency: interval %v: want 1ms or more", v.interval)
			}
			if v.each && len(v.devices) == 0 {
				return usagef("biolatency: --per-device: want the devices by --device")
			}
			return view(&v, live.OpenHistograms, func(src *live.Histograms, o live.Options) error {
				return live.Latency(src, cmd.OutOrStdout(), live.LatencyOptions{Options: o, Interval: v.interval})
			})
		},
	}
	table := option.Table{{Title: "What to look at", Rows: v.whatRows()}, v.endRows("intervals")}
	table[0].Rows = append(table[0].Rows,
		option.Row{Name: "queue", Value: option.Bool(&v.queue), Usage: "also the time in the queue, and the whole"},
		option.Row{Name: "per-device", Value: option.Bool(&v.each), Usage: "each --device by itself"})
	table[1].Rows = append(table[1].Rows, option.Row{Name: "interval", Value: option.Duration(&v.interval), Usage: "show what was in each interval of this length (default: once, at the end)"})
	bind(cmd, table)
	return cmd
}
