package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"blksim/internal/replay"
	"blksim/internal/stack"
	"blksim/traces"
)

// option is one row of the table that flags, help and documents come from.
type option struct {
	name  string
	value pflag.Value
	usage string
}

// settings are the values of all options of a replay.
type settings struct {
	device    string
	profile   string
	size      sizeValue
	drivers   driversValue
	baseline  bool
	queues    uint
	depth     uint
	timing    enumValue
	timeScale float64
	iodepth   uint
	redirect  enumValue
	realtime  bool

	deadline durationValue
	cancel   string

	format string
	volume string
	action string
	opMap  string
	unit   string
	order  enumValue
	onErr  enumValue

	seed    uint64
	output  string
	outForm enumValue
	quiet   bool
}

// defaults are the settings of a command line without options.
func defaults() *settings {
	return &settings{
		device: "sim", queues: 1, timeScale: 1, cancel: "trace", seed: 1,
		timing:   enumValue{"trace", []string{"trace", "afap", "closed"}},
		redirect: enumValue{"none", []string{"none", "wrap"}},
		order:    enumValue{"sort", []string{"sort", "asis", "reject"}},
		onErr:    enumValue{"stop", []string{"stop", "skip"}},
		outForm:  enumValue{"normal", []string{"normal", "json"}},
	}
}

// table lists the options of a replay, in the order of the help. Values of plain
// Go types borrow pflag's own.
func (s *settings) table() []option {
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	plain := func(name string) pflag.Value { return fs.Lookup(name).Value }
	fs.StringVar(&s.device, "device", s.device, "")
	fs.StringVar(&s.profile, "profile", s.profile, "")
	fs.BoolVar(&s.baseline, "baseline", s.baseline, "")
	fs.UintVar(&s.queues, "queues", s.queues, "")
	fs.UintVar(&s.depth, "queue-depth", s.depth, "")
	fs.Float64Var(&s.timeScale, "time-scale", s.timeScale, "")
	fs.UintVar(&s.iodepth, "iodepth", s.iodepth, "")
	fs.BoolVar(&s.realtime, "realtime", s.realtime, "")
	fs.StringVar(&s.cancel, "cancel", s.cancel, "")
	fs.StringVar(&s.format, "format", s.format, "")
	fs.StringVar(&s.volume, "volume", s.volume, "")
	fs.StringVar(&s.action, "action", s.action, "")
	fs.StringVar(&s.opMap, "op-map", s.opMap, "")
	fs.StringVar(&s.unit, "time-unit", s.unit, "")
	fs.Uint64Var(&s.seed, "seed", s.seed, "")
	fs.StringVar(&s.output, "output", s.output, "")
	fs.BoolVar(&s.quiet, "no-progress", s.quiet, "")
	return []option{
		{"device", plain("device"), "what to run on: sim[:PROFILE], ram or null"},
		{"profile", plain("profile"), "TOML file or preset name of the simulated device; the same as sim:PROFILE"},
		{"size", &s.size, "capacity of the device, such as 64GiB (default: the profile's; ram: 1GiB; null: 8TiB)"},
		{"driver", &s.drivers, "driver: nvme or nvme,callback=off over sim, ram over ram, null over null; repeat to run each and compare"},
		{"baseline", plain("baseline"), "also run without any cancellation, and compare"},
		{"queues", plain("queues"), "hardware queues, each on a lane of its own"},
		{"queue-depth", plain("queue-depth"), "requests that each queue may have with the driver (0: what the driver takes, at most 128)"},
		{"timing", &s.timing, "trace: at the recorded times; afap: as fast as possible; closed: --iodepth in flight"},
		{"time-scale", plain("time-scale"), "multiply the recorded times (2: half as fast)"},
		{"iodepth", plain("iodepth"), "requests in flight at the most (0: 32 for closed, else 65536)"},
		{"redirect", &s.redirect, "what to do with offsets beyond the device: none is an error, wrap is modulo its size"},
		{"realtime", plain("realtime"), "run on the wall clock, in parallel, instead of in virtual time"},
		{"deadline", &s.deadline, "cancel each request that is not complete so long after it was due"},
		{"cancel", plain("cancel"), "what else to cancel: none, trace (when the record says so), random:P[:WITHIN] (a share P of 0 to 1, at a random time within WITHIN, default 1ms)"},
		{"format", plain("format"), "trace format (default: detected from the content): " + formatNames()},
		{"volume", plain("volume"), "replay only this volume of the trace"},
		{"action", plain("action"), "the one blkparse action to replay: Q, D, C, ..."},
		{"op-map", plain("op-map"), "meaning of a numeric operation column, such as 0=write,1=read"},
		{"time-unit", plain("time-unit"), "unit of a whole-number time column, such as 1us"},
		{"order", &s.order, "records out of time order: sort within 1 s, asis, reject"},
		{"on-error", &s.onErr, "bad records, and ones the device cannot take: stop, or skip and count"},
		{"seed", plain("seed"), "seed of everything random"},
		{"output", plain("output"), "write the result to this file instead of standard output"},
		{"output-format", &s.outForm, "normal (a table) or json"},
		{"no-progress", plain("no-progress"), "show no progress on a terminal"},
	}
}

// bind adds the table's options to a command's flags; - and _ are alike.
func bind(fs *pflag.FlagSet, table []option) {
	fs.SortFlags = false
	fs.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		return pflag.NormalizedName(strings.ReplaceAll(name, "_", "-"))
	})
	for _, o := range table {
		f := fs.VarPF(o.value, o.name, "", o.usage)
		if o.value.Type() == "bool" {
			f.NoOptDefVal = "true"
		}
	}
}

// The times of a trace, scaled, must stay times.
const minTimeScale, maxTimeScale = 1e-9, 1e9

// replayConfig turns the settings into the engine's.
func (s *settings) replayConfig() (replay.Config, error) {
	timing, err := replay.ParseTiming(s.timing.value)
	if err != nil {
		return replay.Config{}, err
	}
	c := replay.Config{
		Timing: timing, TimeScale: s.timeScale, Depth: int(s.iodepth), Deadline: time.Duration(s.deadline),
		Wrap: s.redirect.value == "wrap", SkipBad: s.onErr.value == "skip", Seed: s.seed,
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
	return c, c.Validate()
}

func parseCancel(s string, c *replay.Config) error {
	bad := fmt.Errorf("cancel %q: want none, trace or random:P[:WITHIN], such as random:0.1:2ms", s)
	word, rest, _ := strings.Cut(s, ":")
	switch {
	case s == "none":
	case s == "trace":
		c.CancelTrace = true
	case word == "random":
		chance, within, has := strings.Cut(rest, ":")
		p, err := strconv.ParseFloat(chance, 64)
		if err != nil || !(p >= 0 && p <= 1) {
			return bad
		}
		c.CancelChance, c.CancelWithin = int(p*1e6+0.5), time.Millisecond
		if has {
			d, err := time.ParseDuration(within)
			if err != nil || d <= 0 {
				return bad
			}
			c.CancelWithin = d
		}
	default:
		return bad
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
	spec := stack.Spec{
		Device: s.device, Profile: s.profile, Driver: driver, Capacity: int64(s.size),
		Queues: int(s.queues), QueueDepth: int(s.depth), Seed: s.seed, Realtime: s.realtime,
	}
	return spec, spec.Validate()
}

// traceOptions turns the settings into the readers'.
func (s *settings) traceOptions() (traces.Options, error) {
	o := traces.Options{Format: s.format, Volume: s.volume, OpMap: s.opMap}
	switch s.order.value {
	case "asis":
		o.Order = traces.AsIs
	case "reject":
		o.Order = traces.Reject
	}
	if s.onErr.value == "skip" {
		o.OnError = traces.Skip
	}
	if len(s.action) > 1 {
		return o, fmt.Errorf("action %q: want one letter, such as Q or D", s.action)
	}
	if s.action != "" {
		o.Action = s.action[0]
	}
	if s.unit != "" {
		d, err := time.ParseDuration(s.unit)
		if err != nil || d <= 0 {
			return o, fmt.Errorf("time-unit %q: want a duration, such as 1ms, 1us, 1ns", s.unit)
		}
		o.TimeUnit = d
	}
	return o, o.Validate()
}

// formatNames lists the trace formats that are read.
func formatNames() string {
	var names []string
	for _, f := range traces.Formats() {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}
