package main

import (
	"fmt"
	"strings"
	"time"

	volume "blksim/blk/stack"
	"blksim/internal/load"
	"blksim/internal/option"
	"blksim/internal/outfile"
	"blksim/internal/replay"
	"blksim/internal/report"
	"blksim/internal/stack"
	"blksim/internal/threshold"
	"blksim/internal/timeline"
	"blksim/sim/faultplan"
)

// settings are the values of all options of the commands that run something.
// Each option is a field here and a row in one of the groups below.
type settings struct {
	devices  []string
	profile  string
	size     int64
	drivers  []string
	baseline bool
	layout   stack.Layout
	hedge    volume.Hedge
	queues   uint
	depth    uint
	inDevice uint // I/Os with the device at once
	realtime bool
	grace    time.Duration
	real     realSettings
	faults   string
	plan     *faultplan.Plan // what is in it; nil: nothing
	seed     uint64

	timing    string
	timeScale float64
	iodepth   uint
	redirect  replay.Redirect

	deadline time.Duration
	cancel   string
	block    blockSettings

	reading

	job      load.Job
	readonly bool

	output      string
	outForm     string
	percentiles []int // in millionths
	demands     []string
	maxSlip     threshold.Slip
	limit       time.Duration
	ios         string
	timeline    string
	window      timeline.Window
	hdr         string
	report      string
	intervals   bool           // record what happened when, whatever the form of the result
	sys         outfile.System // what writes files
	noColor     bool
	quiet       bool
}

// defaultGrace is what Linux gives a request of a disk.
const defaultGrace = 30 * time.Second

// defaults are the settings of a command line without options.
func defaults(sys outfile.System) *settings {
	return &settings{
		real: defaultReal(), grace: defaultGrace, queues: 1, timeScale: 1, cancel: "trace", seed: 1,
		block: defaultBlock(), timing: "trace", reading: newReading(), outForm: "normal",
		job: load.DefaultJob(), sys: sys,
	}
}

// replayTable lists the options of a replay.
func (s *settings) replayTable() option.Table {
	return option.Table{s.deviceOptions("size"), s.real.rows(), s.timingOptions(), s.cancelOptions(), s.blockOptions(), s.reading.rows(), s.resultOptions()}
}

// runTable lists the options of a load: those of the run as a whole, and those of
// a job.
func (s *settings) runTable() option.Table {
	return append(s.job.Options(), s.wholeRunTable()...)
}

// wholeRunTable lists the options that only [global] of a job file may have.
func (s *settings) wholeRunTable() option.Table {
	device := s.deviceOptions("capacity")
	device.Rows = append(device.Rows, option.Row{Name: "readonly", Value: option.Bool(&s.readonly), Usage: "refuse jobs that write or trim"})
	return option.Table{device, s.real.rows(), s.blockOptions(), s.resultOptions()}
}

// deviceOptions are those of the stack; capacity is the name of the device's size.
func (s *settings) deviceOptions(capacity string) option.Group {
	return option.Group{Title: "What to run on", Rows: []option.Row{
		{Name: "device", Value: option.List(&s.devices, "device"), Usage: "what to run on: sim[:PROFILE] (the default), ram, null, or the path of a file or block device, in real time; repeat the path for each disk of --stack"},
		{Name: "profile", Value: option.String(&s.profile), Usage: "TOML file or preset name of the simulated device; the same as sim:PROFILE"},
		{Name: capacity, Value: option.Size(&s.size), Usage: "capacity of the device, or of each of --stack, such as 64GiB (default: the profile's; ram: 1GiB; null: 8TiB)"},
		{Name: "driver", Value: option.List(&s.drivers, "driver"), Usage: "driver: nvme, nvme,callback=off or nvme,cancel=cancel over sim, ram over ram, null over null; repeat to run each and compare"},
		{Name: "baseline", Value: option.Bool(&s.baseline), Usage: "also run without any cancellation, and compare"},
		{Name: "stack", Value: option.Parsed(&s.layout, "layout", stack.ParseLayout, stack.Layout.String), Usage: "make one volume of several such devices: linear:N, stripe:N[:CHUNK] (RAID 0, default 512KiB), mirror:N (RAID 1)"},
		{Name: "hedge", Value: option.Parsed(&s.hedge, "when", stack.ParseHedge, stack.FormatHedge), Usage: "on a mirror, ask a second leg for a read that has not answered within a delay (500us) or a quantile of those before (p95), and cancel the loser; :BUDGET% caps them, default 5% of the reads"},
		{Name: "queues", Value: option.Uint(&s.queues), Usage: "hardware queues, each on a lane of its own"},
		{Name: "queue-depth", Value: option.Uint(&s.depth), Usage: "requests that each queue may have with the driver (0: what the driver takes, at most 128)"},
		{Name: "device-depth", Value: option.Uint(&s.inDevice), Usage: "requests that the device may have at once, over all queues; the rest waits where it can be cancelled (0: as --queue-depth says; of a real disk what the kernel's queue holds, at most 128 a queue)"},
		{Name: "realtime", Value: option.Bool(&s.realtime), Usage: "run on the wall clock, in parallel, instead of in virtual time"},
		{Name: "grace", Value: option.Duration(&s.grace), Usage: "in real time: end the run, list what is stuck and exit with 4 when no I/O has come back for so long (0s: wait forever)"},
		{Name: "faults", Value: option.String(&s.faults), Usage: "file with a fault plan (docs/faults.md): what goes wrong in the device"},
		{Name: "seed", Value: option.Uint(&s.seed), Usage: "seed of everything random"},
	}}
}

func (s *settings) timingOptions() option.Group {
	return option.Group{Title: "When and where", Rows: []option.Row{
		{Name: "timing", Value: option.Enum(&s.timing, "trace", "afap", "closed"), Usage: "trace: at the recorded times; afap: as fast as possible; closed: --iodepth in flight"},
		{Name: "time-scale", Value: option.Float(&s.timeScale), Usage: "multiply the recorded times (2: half as fast)"},
		{Name: "iodepth", Value: option.Uint(&s.iodepth), Usage: "requests in flight at the most (0: 32 for closed, else 65536)"},
		{Name: "redirect", Value: option.Parsed(&s.redirect, "way", replay.ParseRedirect, replay.Redirect.String), Usage: "where offsets go on a device of another size: none (beyond the end is an error), wrap (modulo its size), scale[:SIZE] (in proportion to the trace's furthest offset, or SIZE), offset:BYTES (moved by so much)"},
	}}
}

func (s *settings) cancelOptions() option.Group {
	return option.Group{Title: "Cancellation", Rows: []option.Row{
		{Name: "deadline", Value: option.Duration(&s.deadline), Usage: "cancel each request that is not complete so long after it was due"},
		{Name: "cancel", Value: option.String(&s.cancel), Usage: "what else to cancel: none, trace (when the record says so), random:P[:WITHIN] (a share P of 0 to 1, at a random time within WITHIN, default 1ms)"},
	}}
}

func (s *settings) resultOptions() option.Group {
	return option.Group{Title: "Results", Rows: []option.Row{
		{Name: "output", CommandOnly: true, Value: option.String(&s.output), Usage: "write the result to this file instead of standard output"},
		{Name: "output-format", CommandOnly: true, Value: option.Enum(&s.outForm, "normal", "json", "json+"), Usage: "normal (a table), json, or json+ (in the shape of fio's, for its tools)"},
		{Name: "percentile-list", Value: option.Parsed(&s.percentiles, "p:p:...", report.ParsePercentiles, report.FormatPercentiles), Usage: "percentiles of the table, such as 50:99:99.99"},
		{Name: "time-limit", CommandOnly: true, Value: option.Duration(&s.limit), Usage: "end after so long on the wall clock, with the result so far and exit code 124"},
		{Name: "report", CommandOnly: true, Value: option.String(&s.report), Usage: "write charts of all runs to this HTML file, which opens offline"},
		{Name: "ios", CommandOnly: true, Value: option.String(&s.ios), Usage: "write every I/O with its stages to this Parquet file"},
		{Name: "timeline", CommandOnly: true, Value: option.String(&s.timeline), Usage: "write a timeline to this file, for the Perfetto viewer (ui.perfetto.dev)"},
		{Name: "timeline-window", CommandOnly: true, Value: option.Parsed(&s.window, "window", timeline.ParseWindow, timeline.Window.String), Usage: "part of the run that the timeline has: all (from the start, 200,000 I/Os at most), FROM:TO, around:slowest[:WIDTH]"},
		{Name: "hdr", CommandOnly: true, Value: option.String(&s.hdr), Usage: "write the latencies by operation to this file, as a log of HdrHistogram"},
		{Name: "threshold", CommandOnly: true, Value: option.List(&s.demands, "demand"), Usage: "exit with 99 if a run breaches it, such as p(99.9)<2ms, read.p(50)<100us, iops>1000, cancelled<1%; repeat for more"},
		{Name: "max-slip", CommandOnly: true, Value: option.Parsed(&s.maxSlip, "slip", threshold.ParseSlip, threshold.Slip.String), Usage: "exit with 99 if a run submits a request later than this after it was due, as its trace or rate has it; with :SHARE%, if it does so with more than this share, such as 1ms:0.1%"},
		{Name: "no-color", CommandOnly: true, Value: option.Bool(&s.noColor), Usage: "no colours, also on a terminal (as with NO_COLOR in the environment)"},
		{Name: "no-progress", CommandOnly: true, Value: option.Bool(&s.quiet), Usage: "show no progress on a terminal"},
	}}
}

// The times of a trace, scaled, must stay times.
const minTimeScale, maxTimeScale = 1e-9, 1e9

// replayConfig turns the settings into the engine's.
func (s *settings) replayConfig() (replay.Config, error) {
	timing, err := replay.ParseTiming(s.timing)
	if err != nil {
		return replay.Config{}, err
	}
	c := replay.Config{
		Timing: timing, TimeScale: s.timeScale, Depth: int(s.iodepth), Deadline: s.deadline, LateAfter: s.maxSlip.After,
		Grace: s.grace, Redirect: s.redirect, SkipBad: s.onErr == "skip", Seed: s.seed,
	}
	if !(s.timeScale >= minTimeScale && s.timeScale <= maxTimeScale) { // NaN fails too
		return c, fmt.Errorf("time-scale %g: want %g to %g", s.timeScale, minTimeScale, maxTimeScale)
	}
	if s.iodepth > replay.DefaultLimit {
		return c, fmt.Errorf("iodepth %d: want at most %d", s.iodepth, replay.DefaultLimit)
	}
	for _, part := range strings.Split(s.cancel, ",") {
		if err := parseCancel(part, &c); err != nil {
			return c, err
		}
	}
	if timing != replay.TraceTiming && s.maxSlip.After > 0 {
		return c, fmt.Errorf("max-slip %s: with timing=%s no record has a time: want timing=trace", s.maxSlip, s.timing)
	}
	return c, nil
}

func parseCancel(s string, c *replay.Config) error {
	if s == "trace" {
		c.CancelTrace = true
		return nil
	}
	random, err := load.ParseCancel(s)
	if err != nil {
		return fmt.Errorf("cancel %q: want none, trace or random:P[:WITHIN], such as random:0.1:2ms", s)
	}
	if random.Chance > 0 {
		c.CancelChance, c.CancelWithin = random.Chance, random.Within
	}
	return nil
}

// stackSpec turns the settings into the stack's, for one driver.
func (s *settings) stackSpec(driver string) (stack.Spec, error) {
	// Before they become ints, which may be too short for them.
	if s.queues < 1 || s.queues > stack.MaxQueues {
		return stack.Spec{}, fmt.Errorf("queues %d: want 1 to %d", s.queues, stack.MaxQueues)
	}
	if s.depth > stack.MaxDepth {
		return stack.Spec{}, fmt.Errorf("queue-depth %d: want at most %d", s.depth, stack.MaxDepth)
	}
	if s.inDevice > stack.MaxDepth {
		return stack.Spec{}, fmt.Errorf("device-depth %d: want at most %d", s.inDevice, stack.MaxDepth)
	}
	device := "sim"
	if len(s.devices) > 0 {
		device = s.devices[0]
	}
	spec := stack.Spec{
		Device: device, DeviceDepth: int(s.inDevice), Profile: s.profile, Driver: driver, Capacity: s.size,
		Queues: int(s.queues), QueueDepth: int(s.depth), Seed: s.seed, Realtime: s.realtime,
		Block: s.block.options(), Faults: s.plan, Layout: s.layout, Hedge: s.hedge,
	}
	return spec, spec.Validate()
}
