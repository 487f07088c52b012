package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"blksim/internal/option"
	"blksim/internal/outfile"
	"blksim/traces"
	"blksim/traces/workload"
)

// generating are the options of trace generate. Those that were given change the
// profile.
type generating struct {
	profile  string
	duration time.Duration
	records  uint64
	process  string
	rate     float64
	every    time.Duration
	length   time.Duration
	burst    float64

	pattern    string
	capacity   int64
	sequential float64
	skew       float64
	hotShare   float64
	hotSpace   float64
	bs         int64
	reads      float64

	seed   uint64
	output string
	to     string
	zstd   bool
}

func (s *generating) table() option.Table {
	return option.Table{
		{Title: "The load", Rows: []option.Row{
			{Name: "profile", Value: option.String(&s.profile), Usage: "TOML file of blksim trace fit, or by hand; the options below change it (default: 4 KiB at 1000 a second for 10 s, 70 % reads, uniform over 64 GiB)"},
			{Name: "duration", Value: option.Duration(&s.duration), Usage: "length of the trace"},
			{Name: "records", Value: option.Uint(&s.records), Usage: "so many records at the most, or instead of a duration"},
			{Name: "process", Value: option.Enum(&s.process, workload.Poisson, workload.Steady), Usage: "arrivals: poisson, or steady (evenly spaced)"},
			{Name: "rate", Value: option.Float(&s.rate), Usage: "records a second, between bursts"},
			{Name: "burst-every", Value: option.Duration(&s.every), Usage: "mean distance of bursts (poisson)"},
			{Name: "burst-length", Value: option.Duration(&s.length), Usage: "mean length of a burst (default 20ms)"},
			{Name: "burst-rate", Value: option.Float(&s.burst), Usage: "records a second in a burst (default: 20 times the rate)"},
			{Name: "pattern", Value: option.Enum(&s.pattern, workload.Uniform, workload.Zipf, workload.Hot, "sequential"), Usage: "addresses: uniform, zipf over regions, hot and cold, or sequential"},
			{Name: "capacity", Value: option.Size(&s.capacity), Usage: "of the address range"},
			{Name: "sequential", Value: option.Float(&s.sequential), Usage: "share of 0 to 1 that begins where the one before it ended"},
			{Name: "skew", Value: option.Float(&s.skew), Usage: "zipf: the exponent (default 1)"},
			{Name: "hot-share", Value: option.Float(&s.hotShare), Usage: "hot: this share of the records (default 0.9) goes to"},
			{Name: "hot-space", Value: option.Float(&s.hotSpace), Usage: "hot: this part of the capacity (default 0.1)"},
			{Name: "bs", Value: option.Size(&s.bs), Usage: "size of reads and writes"},
			{Name: "reads", Value: option.Float(&s.reads), Usage: "share of 0 to 1 that reads"},
			{Name: "seed", Value: option.Uint(&s.seed), Usage: "seed of everything random: the same one gives the same trace"},
		}},
		{Title: "The result", Rows: []option.Row{
			{Name: "output", Value: option.String(&s.output), Usage: "file to write; .gz and .zst compress it (default: standard output)"},
			{Name: "to", Value: option.String(&s.to), Usage: "format: " + writeNames() + " (default: by the file's name, else blksim)"},
			{Name: "zstd", Value: option.Bool(&s.zstd), Usage: "pack the frames of the native format: smaller, slower to read"},
		}},
	}
}

func newTraceGenerate() *cobra.Command {
	s := &generating{seed: 1, process: workload.Poisson, pattern: workload.Uniform}
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Make a trace from a profile and a seed",
		Long: `Make a synthetic trace: arrivals as a Poisson process, evenly spaced or in bursts,
addresses that are uniform, zipf, hot and cold or sequential, sizes and operations
by their shares. The load is that of a profile, as blksim trace fit takes it from a
real trace, and of the options. The same profile, options and seed give the same
trace on every machine.`,
		Example: `  blksim trace generate --pattern zipf --rate 20000 --duration 1m --output zipf.blkt
  blksim trace fit --output web.toml web.csv.gz
  blksim trace generate --profile web.toml --duration 24h --seed 7 --output web24.blkt`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("trace generate: %q: takes options only", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.generate(cmd.Flags().Changed, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	bind(cmd, s.table())
	return cmd
}

// load is the profile with the options that were given.
func (s *generating) load(given func(name string) bool) (workload.Profile, error) {
	p := workload.Default()
	if s.profile != "" {
		b, err := os.ReadFile(s.profile)
		if err != nil {
			return p, failed(exitInput, err)
		}
		if p, err = workload.Parse(b, s.profile); err != nil {
			return p, failed(exitInput, err)
		}
	}
	a, ad := &p.Arrivals, &p.Addresses
	for name, set := range map[string]func(){
		"duration":     func() { p.Duration = workload.Duration(s.duration) },
		"process":      func() { a.Process = s.process },
		"rate":         func() { a.Rate = s.rate },
		"burst-every":  func() { a.BurstEvery = workload.Duration(s.every) },
		"burst-length": func() { a.BurstLength = workload.Duration(s.length) },
		"burst-rate":   func() { a.BurstRate = s.burst },
		"capacity":     func() { ad.Capacity = s.capacity },
		"sequential":   func() { ad.Sequential = s.sequential },
		"skew":         func() { ad.Skew = s.skew },
		"hot-share":    func() { ad.HotShare = s.hotShare },
		"hot-space":    func() { ad.HotSpace = s.hotSpace },
		"reads":        func() { p.Ops.Read = s.reads },
		"bs":           func() { p.Sizes = workload.Sizes{Read: []workload.Size{{Bytes: s.bs, Share: 1}}} },
		"records":      func() { p.Records = int64(min(s.records, 1<<62)) },
	} {
		if given(name) {
			set() // each sets a field of its own: the order does not matter
		}
	}
	if given("records") && !given("duration") {
		p.Duration = 0
	}
	if given("pattern") {
		ad.Pattern = s.pattern
		if s.pattern == "sequential" {
			ad.Pattern, ad.Sequential = workload.Uniform, 1
		}
	}
	if ad.Pattern == workload.Hot && ad.HotShare == 0 {
		ad.HotShare = 0.9
	}
	if ad.Pattern == workload.Hot && ad.HotSpace == 0 {
		ad.HotSpace = 0.1
	}
	if a.BurstEvery != 0 && a.BurstLength == 0 {
		a.BurstLength = workload.Duration(20 * time.Millisecond)
	}
	if a.BurstEvery != 0 && a.BurstRate == 0 {
		a.BurstRate = min(20*a.Rate, 1e9)
	}
	for _, z := range p.Sizes.Read {
		if z.Bytes%ad.Align != 0 && z.Bytes%512 == 0 {
			ad.Align = 512
		}
	}
	if err := p.Validate(); err != nil {
		return p, failed(exitUsage, err)
	}
	return p, nil
}

func (s *generating) generate(given func(string) bool, stdout, stderr io.Writer) error {
	p, err := s.load(given)
	if err != nil {
		return err
	}
	o, err := p.Options()
	if err != nil {
		return failed(exitUsage, err)
	}
	format, err := formatOf(s.to, s.output)
	if err != nil {
		return failed(exitUsage, err)
	}
	out, err := createTrace(s.output, outKind{format: format, ordered: true, zstd: s.zstd}, stdout)
	if err != nil {
		return err
	}
	intr := catchInterrupts(os.Exit)
	defer intr.release()
	var stop atomic.Bool
	defer intr.stops(stopFunc(func() { stop.Store(true) }))()
	n, err := writeAll(out, traces.Generate(o, s.seed), &stop)
	if code := intr.code(); err == nil && code != 0 {
		err = failed(code, errors.New("interrupted: nothing was written"))
	}
	if err != nil {
		out.discard()
		return err
	}
	if err := out.commit(); err != nil {
		return failed(exitOutput, err)
	}
	if s.output != "" {
		fmt.Fprintf(stderr, "%s: %d records written as %s\n", s.output, n, format)
	}
	return nil
}

// writeAll writes records in batches.
func writeAll(out *traceOut, records func(yield func(traces.Record) bool), stop *atomic.Bool) (n int64, err error) {
	batch := make([]traces.Record, 0, 4096)
	write := func() bool {
		n += int64(len(batch))
		err = out.Write(batch, traces.Names{})
		batch = batch[:0]
		return err == nil && !stop.Load()
	}
	going := true
	for r := range records {
		batch = append(batch, r)
		if len(batch) == cap(batch) {
			if going = write(); !going {
				break
			}
		}
	}
	if going {
		write()
	}
	var no *traces.HoldError
	if errors.As(err, &no) {
		return n, failed(exitInput, err)
	}
	return n, failed(exitOutput, err)
}

// fitting are the options of trace fit.
type fitting struct {
	reading
	output string
}

func newTraceFit() *cobra.Command {
	s := &fitting{reading: newReading()}
	cmd := &cobra.Command{
		Use:   "fit TRACE",
		Short: "Take the profile of a real trace, to generate others like it",
		Long: `Fit a profile to a trace (a file, or - for standard input): rates of calm and of
bursts, mix, sizes, sequential share, and how unevenly the addresses are touched.
It is a TOML file that can be changed by hand, for blksim trace generate.`,
		Args: oneTrace,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.fit(args[0], cmd.OutOrStdout())
		},
	}
	bind(cmd, option.Table{s.rows(), {Title: "The result", Rows: []option.Row{
		{Name: "output", Value: option.String(&s.output), Usage: "file to write (default: standard output)"},
	}}})
	return cmd
}

func (s *fitting) fit(path string, stdout io.Writer) error {
	topt, err := s.traceOptions()
	if err != nil {
		return failed(exitUsage, err)
	}
	rd, err := openTrace(path, topt)
	if err != nil {
		return failed(exitInput, err)
	}
	defer rd.Close()
	f := workload.NewFitter()
	recs := make([]traces.Record, 4096)
	for err == nil {
		var n int
		n, err = rd.Read(recs)
		f.Add(recs[:n])
	}
	cut := errors.Is(err, traces.ErrTruncated)
	if err != io.EOF && !cut {
		return failed(exitInput, err)
	}
	p, ok := f.Profile()
	if !ok {
		if err := s.noSuchVolume(traceName(path), rd); err != nil {
			return failed(exitInput, err)
		}
		return failed(exitInput, fmt.Errorf("%s: fewer than two records: nothing to fit", rd.Name()))
	}
	p.Source = rd.Name()
	if werr := s.write(p, stdout); werr != nil {
		return failed(exitOutput, werr)
	}
	if cut {
		return failed(exitPartial, err)
	}
	if n := rd.Stats().Rejected; n > 0 {
		return failed(exitPartial, fmt.Errorf("%s: %d bad records were left out (--on-error=skip)", rd.Name(), n))
	}
	return nil
}

func (s *fitting) write(p workload.Profile, stdout io.Writer) error {
	if s.output == "" {
		return p.Write(stdoutNamed{stdout})
	}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		return err
	}
	return outfile.Put(outfile.OS{}, s.output, b.Bytes())
}
