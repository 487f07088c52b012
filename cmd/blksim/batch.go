package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"blksim/internal/profile"
	"blksim/internal/replay"
	"blksim/internal/report"
	"blksim/internal/stack"
	"blksim/internal/threshold"
)

// variant is one of the runs that are compared.
type variant struct {
	name     string
	driver   string
	baseline bool
}

// variants lists the runs of each input.
func (s *settings) variants() []variant {
	drivers := s.drivers
	if len(drivers) == 0 {
		drivers = []string{""}
	}
	var vs []variant
	if s.baseline {
		vs = append(vs, variant{name: "no cancels", driver: drivers[0], baseline: true})
	}
	for _, d := range drivers {
		vs = append(vs, variant{name: d, driver: d})
	}
	return vs
}

// batch is the runs of one command: each input (a trace, or a load) in each
// variant.
type batch struct {
	*settings
	intr  *interrupts
	disks *stack.Real // nil: simulated ones
	told  []string    // of what is about to be written

	surveys map[string]replay.Survey // of traces, by path; where there is a need
	want    []threshold.Threshold
	log     errorLog
	stop    bool // what is wrong is wrong with all runs

	all    [][]*report.Run // by input
	notRun []string
}

// newBatch begins so many runs; writes is what would write to a real disk, in words.
// From here on signals are caught, until finish.
func newBatch(s *settings, runs int, writes string, stderr io.Writer) (*batch, error) {
	if err := s.checkDevices(); err != nil {
		return nil, err
	}
	if _, err := s.stackSpec(""); err != nil {
		return nil, failed(exitUsage, err)
	}
	var err error
	if s.plan, err = readFaults(s.faults); err != nil {
		return nil, err
	}
	want, err := parseThresholds(s.demands, false)
	if err != nil {
		return nil, err
	}
	for _, f := range []struct{ option, path string }{{"ios", s.ios}, {"timeline", s.timeline}} {
		if f.path != "" && runs > 1 {
			return nil, usagef("--%s: the file has one run, and there are %d: want one trace, one driver and no baseline", f.option, runs)
		}
	}
	b := &batch{settings: s, want: want, log: errorLog{stderr: stderr}}
	if err := b.openReal(writes); err != nil {
		return nil, err
	}
	b.intr = catchInterrupts(exit)
	if s.limit > 0 {
		b.intr.after(s.limit)
	}
	return b, nil
}

// input runs one input in every variant; do is one run, and returns nil if there
// is nothing to report.
func (b *batch) input(name string, variants []variant, do func(v variant) (*report.Run, error)) {
	var runs []*report.Run
	for i, v := range variants {
		if b.stop || b.intr.code() != 0 {
			b.skip(name, variants[i:], len(runs) == 0)
			break
		}
		r, err := do(v)
		b.log.add(err)
		if r == nil {
			// The input or the device could not be opened: nor can it next time.
			b.stop = codeOf(err) == exitUsage
			b.skip(name, variants[i:], len(runs) == 0)
			break
		}
		runs = append(runs, r)
		for _, t := range b.want {
			b.log.add(failed(exitThreshold, t.Check(r)))
		}
		b.log.add(failed(exitThreshold, b.maxSlip.Check(r)))
	}
	if len(runs) > 0 {
		b.all = append(b.all, runs)
	}
}

// skip remembers variants of an input that are not run; whole if none of it was.
func (b *batch) skip(name string, vs []variant, whole bool) {
	if whole {
		b.notRun = append(b.notRun, name)
		return
	}
	for _, v := range vs {
		b.notRun = append(b.notRun, fmt.Sprintf("%s (%s)", name, cmp.Or(v.name, "the device's driver")))
	}
}

// finish writes the results, also of runs that failed.
func (b *batch) finish(stdout io.Writer) error {
	return b.end(func() {
		b.log.decide(failed(exitOutput, b.writeHDR(b.all)))
		b.log.decide(failed(exitOutput, b.writeReport(b.runs())))
		b.log.decide(failed(exitOutput, b.write(b.all, stdout)))
		if b.disks != nil {
			b.log.add(failed(exitDevice, b.disks.Close()))
		}
	})
}

// runs are all runs.
func (b *batch) runs() []*report.Run { return slices.Concat(b.all...) }

// end has write write the results. Each failure was told as it came; the first decides
// the exit code, unless the results cannot be written or the runs were interrupted.
func (b *batch) end(write func()) error {
	defer b.intr.release()
	if len(b.all) > 0 && len(b.notRun) > 0 {
		runs := b.all[len(b.all)-1]
		last := runs[len(runs)-1]
		last.Odd = append(last.Odd, "not run: "+strings.Join(b.notRun, ", "))
	}
	if code := b.intr.code(); code != 0 {
		what := "interrupted"
		if code == exitTimeLimit {
			what = errTimeLimit.Error()
		}
		b.log.decide(failed(code, errors.New(what+": the result is partial")))
	}
	write()
	return b.log.result()
}

// errTimeLimit is why a run was stopped by --time-limit.
var errTimeLimit = errors.New("the time limit is over")

// endedBy says in a run's result what ended it early, if anything did.
func (b *batch) endedBy(r *report.Run, err error, stopped bool) {
	if err == nil && stopped && b.intr.code() == exitTimeLimit {
		err = errTimeLimit
	}
	r.EndedBy(err, stopped)
}

// build builds the stack of a variant; data says whether it must keep what is
// written. rec is what the run is recorded with.
func (b *batch) build(v variant, data bool, rec *recording) (*stack.Stack, error) {
	spec, err := b.stackSpec(v.driver)
	if err != nil {
		return nil, failed(exitUsage, err)
	}
	spec.KeepData = data
	if b.disks != nil {
		spec.Device, spec.Real = "", b.disks
		defer b.intr.opens(strings.Join(b.devices, ", "))()
	}
	if rec.window != nil {
		spec.Observe = func(disk int) stack.QueueObserver { return rec.window.Queues().Disk(disk) }
	}
	st, err := stack.Build(spec)
	if err != nil {
		return nil, failed(buildCode(err), err)
	}
	if rec.kernel != nil {
		if err := rec.kernel.Begin(st.RealDisks()[0].Target.Real, st.Group.Lane(0).Now); err != nil {
			return nil, failed(exitDevice, errors.Join(fmt.Errorf("--ebpf: %w", err), st.Close()))
		}
	}
	return st, nil
}

// leave closes a stack, unless its device has I/Os that do not end.
func leave(st *stack.Stack, abandoned bool) error {
	if abandoned {
		return st.Leave()
	}
	return st.Close()
}

// buildCode is the exit code for a stack that could not be built.
func buildCode(err error) int {
	var mistake *stack.SpecError
	var inside *profile.Error
	switch {
	case errors.As(err, &mistake):
		return exitUsage
	case errors.As(err, &inside):
		return exitInput
	}
	return exitDevice
}

// setup describes a run, but for what only replays or only loads have.
func (s *settings) setup(st *stack.Stack, v variant) report.Setup {
	lim := st.Disk.Limits()
	u := report.Setup{
		Device: st.Device, Driver: st.Driver, Capacity: lim.Capacity, BlockSize: lim.BlockSize,
		Queues: len(st.Lanes), QueueDepth: st.Disks[0].Depth(), Stack: s.layout.String(), Hedge: stack.FormatHedge(s.hedge), Clock: "virtual", Cancel: s.cancel, Seed: s.seed, TimeScale: 1,
		MaxSlip: s.maxSlip.String(), DeviceDepth: int(s.inDevice),
	}
	if s.realtime || s.isReal() {
		u.Clock = "real"
	}
	if v.baseline {
		u.Cancel = "none"
	}
	return u
}

// settle completes a run that was filled.
func (b *batch) settle(r *report.Run, rec *recording, st *stack.Stack, stale int64) {
	r.Name = cmp.Or(r.Name, st.Driver)
	r.Record(rec.Finish())
	b.log.decide(failed(exitOutput, rec.close(r)))
	r.Account(st.Counts(), stale)
	r.Balance()
}
