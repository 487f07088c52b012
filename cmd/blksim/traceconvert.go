package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"blksim/internal/option"
	"blksim/traces"
	"blksim/traces/convert"
)

// converting are the options of trace convert and trace cat.
type converting struct {
	reading
	window     time.Duration
	from, till time.Duration
	volumes    []string
	ops        []traces.Op
	low, high  int64
	limit      uint64

	timeShift   time.Duration
	timeScale   float64
	offsetShift int64
	offsetScale float64

	to     string
	output string
	split  bool
	zstd   bool
}

func newConverting() *converting {
	return &converting{reading: newReading(), timeScale: 1, offsetScale: 1}
}

func (s *converting) table(whole bool) option.Table {
	t := option.Table{
		{Title: "What to keep", Rows: []option.Row{
			{Name: "from", Value: option.Duration(&s.from), Usage: "records from this time of the trace on"},
			{Name: "until", Value: option.Duration(&s.till), Usage: "and before this one"},
			{Name: "keep-volume", Value: option.List(&s.volumes, "volume"), Usage: "these volumes; repeat for more"},
			{Name: "ops", Value: option.Parsed(&s.ops, "ops", parseOps, writeOps), Usage: "these operations: read,write,flush,discard,write-zeroes"},
			{Name: "low", Value: option.Size(&s.low), Usage: "what touches the bytes of the device from here on"},
			{Name: "high", Value: option.Size(&s.high), Usage: "and below here"},
			{Name: "limit", Value: option.Uint(&s.limit), Usage: "so many records at the most (0: all)"},
		}},
		s.reading.rows(),
	}
	if !whole {
		return t
	}
	t[1].Rows = append(t[1].Rows, option.Row{Name: "window", Value: option.Duration(&s.window), Usage: "how far to look ahead to sort (default 1s, and at most 65536 records)"})
	return append(t, option.Group{Title: "How to change it", Rows: []option.Row{
		{Name: "time-shift", Value: option.Parsed(&s.timeShift, "duration", parseSigned, option.FormatDuration), Usage: "add to each time, such as -10s; what falls before 0 is left out and counted"},
		{Name: "time-scale", Value: option.Float(&s.timeScale), Usage: "then multiply each time"},
		{Name: "offset-shift", Value: option.Parsed(&s.offsetShift, "size", parseSignedSize, option.FormatSize), Usage: "add to each offset, such as -1GiB"},
		{Name: "offset-scale", Value: option.Float(&s.offsetScale), Usage: "then multiply each offset, down to whole 512 bytes"},
	}}, option.Group{Title: "The result", Rows: []option.Row{
		{Name: "output", Value: option.String(&s.output), Usage: "file to write; .gz and .zst compress it (default: standard output)"},
		{Name: "to", Value: option.String(&s.to), Usage: "format: " + writeNames() + " (default: by the file's name, else blksim)"},
		{Name: "split", Value: option.Bool(&s.split), Usage: "a file for each volume: --output has to hold " + volumeMark},
		{Name: "zstd", Value: option.Bool(&s.zstd), Usage: "pack the frames of the native format: smaller, slower to read"},
	}})
}

func writeNames() string {
	var names []string
	for _, f := range traces.WriteFormats() {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

func parseOps(s string) (ops []traces.Op, err error) {
	for _, name := range strings.Split(s, ",") {
		op, ok := traces.ParseOp(strings.TrimSpace(name))
		if !ok {
			return nil, fmt.Errorf("op %q: want read, write, flush, discard or write-zeroes", name)
		}
		ops = append(ops, op)
	}
	return ops, nil
}

func writeOps(ops []traces.Op) string {
	var names []string
	for _, op := range ops {
		names = append(names, op.String())
	}
	return strings.Join(names, ",")
}

func parseSigned(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("duration %q: want a number with its unit, such as -10s", s)
	}
	return d, nil
}

func parseSignedSize(s string) (int64, error) {
	digits, minus := strings.CutPrefix(s, "-")
	n, err := option.ParseSize(digits)
	if minus {
		n = -n
	}
	return n, err
}

func newTraceConvert() *cobra.Command {
	s := newConverting()
	cmd := &cobra.Command{
		Use:   "convert TRACE",
		Short: "Write a trace in another format, or a part of it",
		Long: `Read a trace (a file, or - for standard input), keep what the options name,
change it, and write it. What is left out is counted and said. A record that the
format cannot hold ends the conversion, unless --on-error=skip counts it.`,
		Example: `  blksim trace convert --output web.blkt web.csv.gz
  blksim trace convert --from 1h --until 2h --time-shift -1h --to fio3 web.blkt
  blksim trace convert --split --output 'host-{volume}.blkt' host.csv.gz`,
		Args: oneTrace,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.convert(args[0], cmd.OutOrStdout(), cmd.ErrOrStderr(), true)
		},
	}
	bind(cmd, s.table(true))
	return cmd
}

func newTraceCat() *cobra.Command {
	s := newConverting()
	cmd := &cobra.Command{
		Use:   "cat TRACE",
		Short: "Print a trace as blksim's text",
		Args:  oneTrace,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.convert(args[0], cmd.OutOrStdout(), cmd.ErrOrStderr(), false)
		},
	}
	bind(cmd, s.table(false))
	return cmd
}

func oneTrace(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usagef("%s: %d traces: want one file, or - for standard input", cmd.CommandPath(), len(args))
	}
	return nil
}

// config turns the settings into the converter's.
func (s *converting) config() (convert.Config, error) {
	c := convert.Config{From: s.from, To: s.till, Volumes: s.volumes, Ops: s.ops, Low: s.low, High: s.high,
		TimeShift: s.timeShift, TimeScale: s.timeScale, OffsetShift: s.offsetShift, OffsetScale: s.offsetScale, Limit: int64(s.limit)}
	if s.timeScale == 0 || s.offsetScale == 0 {
		return c, errors.New("a scale of 0: want 1e-9 to 1e9")
	}
	if s.limit > 1<<62 {
		return c, fmt.Errorf("limit %d: want less", s.limit)
	}
	if s.split != strings.Contains(s.output, volumeMark) {
		return c, fmt.Errorf("--split and %s in --output belong together", volumeMark)
	}
	return c, c.Validate()
}

// conversion is one run of convert or cat.
type conversion struct {
	s      *converting
	rd     *traces.Reader
	kind   outKind
	stdout io.Writer
	outs   map[uint32]*traceOut // by volume; 0 alone if not split
	order  []*traceOut          // as they came
	paths  []string
	split  convert.Split
	passed int64 // records before --from, by the index of a native trace
	held   int64 // records that the format could not hold
	first  error // the first of them
}

// maxSplit bounds the files that are open at once.
const maxSplit = 512

// convert runs the command; said: with a summary on stderr.
func (s *converting) convert(path string, stdout, stderr io.Writer, said bool) error {
	cfg, err := s.config()
	if err != nil {
		return failed(exitUsage, err)
	}
	topt, err := s.traceOptions()
	if err != nil {
		return failed(exitUsage, err)
	}
	topt.Window = s.window
	format, err := formatOf(s.to, s.output)
	if err != nil {
		return failed(exitUsage, err)
	}
	rd, err := openTrace(path, topt)
	if err != nil {
		return failed(exitInput, err)
	}
	defer rd.Close()
	passed, err := rd.SeekTime(int64(s.from))
	if err != nil {
		return failed(exitInput, err)
	}
	c := &conversion{s: s, rd: rd, passed: passed, stdout: stdout, outs: map[uint32]*traceOut{},
		kind: outKind{format: format, ordered: s.order != "asis", zstd: s.zstd}}
	cv := convert.New(cfg)
	intr := catchInterrupts(os.Exit)
	defer intr.release()
	var stop atomic.Bool
	defer intr.stops(stopFunc(func() { stop.Store(true) }))()

	err = c.run(cv, &stop)
	if err == nil && intr.code() != 0 {
		err = failed(intr.code(), errors.New("interrupted: nothing was written"))
	}
	cut := errors.Is(err, traces.ErrTruncated)
	if err != nil && !cut {
		c.discard()
		return err
	}
	if err := c.commit(); err != nil {
		return failed(exitOutput, err)
	}
	if said {
		c.say(stderr, cv)
	}
	switch stats := rd.Stats(); {
	case cut:
		return failed(exitPartial, err)
	case stats.Rejected > 0:
		return failed(exitPartial, fmt.Errorf("%s: %d bad records were left out (--on-error=skip), the first: %w", traceName(path), stats.Rejected, stats.FirstErrors[0]))
	case c.held > 0:
		return failed(exitPartial, fmt.Errorf("%d records were left out (--on-error=skip), the first: %w", c.held, c.first))
	}
	return failed(exitInput, s.noSuchVolume(traceName(path), rd))
}

// run reads, changes and writes until the end. A trace that breaks off is written
// up to there, and its error returned.
func (c *conversion) run(cv *convert.Converter, stop *atomic.Bool) error {
	if !c.s.split {
		if _, err := c.out(0, c.s.output); err != nil {
			return err
		}
	}
	recs := make([]traces.Record, 4096)
	for !stop.Load() && !cv.Done() {
		n, err := c.rd.Read(recs)
		names := c.rd.Names()
		if kept := cv.Apply(recs[:n], names); len(kept) > 0 {
			if err := c.write(kept, names); err != nil {
				return err
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case errors.Is(err, traces.ErrTruncated):
			return err
		case err != nil:
			return failed(exitInput, err)
		}
	}
	return nil
}

func (c *conversion) write(recs []traces.Record, names traces.Names) error {
	if !c.s.split {
		return c.into(c.outs[0], recs, names)
	}
	return c.split.Each(recs, names, func(v uint32, recs []traces.Record, names traces.Names) error {
		o, err := c.out(v, volumePath(c.s.output, names.Volumes[0]))
		if err != nil {
			return err
		}
		return c.into(o, recs, names)
	})
}

// into writes recs, but those that the format cannot hold if they are to be skipped.
func (c *conversion) into(o *traceOut, recs []traces.Record, names traces.Names) error {
	for {
		err := o.Write(recs, names)
		var no *traces.HoldError
		switch {
		case err == nil:
			return nil
		case !errors.As(err, &no):
			return failed(exitOutput, err)
		case c.s.onErr != "skip":
			return failed(exitInput, fmt.Errorf("%s: %w; try --on-error=skip, --ops or another format", c.rd.Name(), err))
		}
		c.held++
		if c.first == nil {
			c.first = err
		}
		recs = recs[no.Index+1:]
	}
}

// out is the trace that the records of a volume go to.
func (c *conversion) out(volume uint32, path string) (*traceOut, error) {
	if o := c.outs[volume]; o != nil {
		return o, nil
	}
	if len(c.outs) == maxSplit {
		return nil, failed(exitUsage, fmt.Errorf("more than %d volumes to split into: name some with --keep-volume", maxSplit))
	}
	for _, p := range c.paths {
		if p == path {
			return nil, failed(exitUsage, fmt.Errorf("%s: two volumes would be written to it", path))
		}
	}
	o, err := createTrace(path, c.kind, c.stdout)
	if err == nil {
		c.outs[volume] = o
		c.order, c.paths = append(c.order, o), append(c.paths, path)
	}
	return o, err
}

// commit ends every trace; none is put in its place behind an error.
func (c *conversion) commit() error {
	var err error
	for _, o := range c.order {
		if err != nil {
			o.discard()
		} else {
			err = o.commit()
		}
	}
	return err
}

func (c *conversion) discard() {
	for _, o := range c.order {
		o.discard()
	}
}

// say sums up what became of the records.
func (c *conversion) say(w io.Writer, cv *convert.Converter) {
	stats := c.rd.Stats()
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %d records; %d written as %s", c.rd.Name(), c.rd.Format(), stats.In, cv.Kept()-c.held, c.kind.format)
	if c.s.split {
		fmt.Fprintf(&b, " in %d files", len(c.outs))
	}
	b.WriteByte('\n')
	line := func(n int64, why string) {
		if n > 0 {
			fmt.Fprintf(&b, "  %d left out: %s\n", n, why)
		}
	}
	for _, k := range stats.Skipped {
		line(k.Count, k.Reason)
	}
	line(c.passed, "before --from, passed over by the index")
	line(stats.Rejected, "bad records")
	for _, k := range cv.Left() {
		line(k.Count, k.Reason)
	}
	line(c.held, "what the format cannot hold")
	if cv.Done() {
		fmt.Fprintf(&b, "  not read on: --limit\n")
	}
	for _, f := range traces.WriteFormats() {
		if f.Name == c.kind.format && f.Loses != "" {
			fmt.Fprintf(&b, "  the format %s does not hold %s\n", f.Name, f.Loses)
		}
	}
	for _, n := range stats.Notes {
		fmt.Fprintf(&b, "  %s\n", n)
	}
	io.WriteString(w, b.String())
}
