package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"blksim/internal/capture"
	"blksim/internal/ebpf"
	"blksim/internal/option"
	"blksim/traces"
)

// tracing are the options of all commands that look at the kernel by eBPF.
type tracing struct {
	devices    []string
	ops        []traces.Op
	pids       []string
	minLatency time.Duration
	buffer     int64
}

func (s *tracing) rows() []option.Row {
	return []option.Row{
		{Name: "device", Value: option.List(&s.devices, "device"), Usage: "disks or partitions to look at, such as /dev/sdb or loop0; of stacked ones, that which is named"},
		{Name: "op", Alias: []string{"ops"}, Value: option.Parsed(&s.ops, "op,op,...", parseOps, writeOps), Usage: "only these operations: read, write, flush, discard, write-zeroes"},
		{Name: "pid", Value: option.List(&s.pids, "pid"), Usage: "only what these processes ask for; buffered writes are asked for by the kernel (default: all)"},
		{Name: "min-latency", Value: option.Duration(&s.minLatency), Usage: "only I/Os that take at least so long"},
		{Name: "buffer", Value: option.Size(&s.buffer), Usage: "of each CPU, for events on their way from the kernel: a power of two (default: 4m, less on more than 8 CPUs)"},
	}
}

// options are those of the tracer.
func (s *tracing) options() (o ebpf.Options, err error) {
	o = ebpf.Options{Ops: s.ops, MinLatency: s.minLatency, Buffer: int(s.buffer)}
	for _, text := range s.pids {
		pid, err := strconv.ParseUint(text, 10, 32)
		if err != nil || pid == 0 {
			return o, usagef("--pid: %q: want the number of a process", text)
		}
		o.PIDs = append(o.PIDs, uint32(pid))
	}
	for _, path := range s.devices {
		d, err := ebpf.FindDevice(path)
		if err != nil {
			return o, failed(exitDevice, err)
		}
		o.Devices = append(o.Devices, d)
	}
	if err := o.Validate(); err != nil {
		return o, failed(exitUsage, err)
	}
	return o, nil
}

// tracingError gives what stands in the way of tracing its exit code.
func tracingError(err error) error {
	if errors.Is(err, ebpf.ErrUnavailable) {
		err = fmt.Errorf("%w (blksim trace doctor looks at all of it)", err)
	}
	return failed(exitDevice, err)
}

// recordingTrace are the options of trace record.
type recordingTrace struct {
	tracing
	outForm  string
	file     string
	format   string
	duration time.Duration
	zstd     bool
	memory   int64
}

func newTraceRecord() *cobra.Command {
	s := &recordingTrace{memory: 1 << 30, outForm: "normal"}
	cmd := &cobra.Command{
		Use:   "record --device DEVICE [-- COMMAND...]",
		Short: "Record the I/O of a disk as a trace that can be replayed",
		Long: `Record what is asked of a disk, as the kernel's block layer sees it, by eBPF: each
I/O before it is merged or split, with the times at which it was queued, issued to
the driver and completed, its process, and the id that its application gave it.

Recording ends with the command behind --, after --duration, or with Ctrl-C; then
the trace is put in its place. What was seen is compared to what the disk itself has
counted, and every I/O that was not recorded is told. The trace's own file is not in
the trace: if it lies on a disk that is recorded, it waits in memory until the end.
A command that fails is told of, and the trace is saved all the same.

It takes root, or CAP_BPF and CAP_PERFMON: see blksim trace doctor.`,
		Example: `  blksim trace record --device /dev/loop0 -o sqlite.blkt -- ./benchmark.sh
  blksim trace record --device sdb --duration 1m -o sdb.blkt
  blksim replay sdb.blkt`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if n := cmd.ArgsLenAtDash(); len(args) > 0 && n != 0 {
				return usagef("trace record: %q: the command comes behind --", args[0])
			}
			return s.record(args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	bind(cmd, option.Table{
		{Title: "What to record", Rows: append(s.rows(),
			option.Row{Name: "duration", Value: option.Duration(&s.duration), Usage: "end after so long (default: with the command, or with Ctrl-C)"})},
		{Title: "The trace", Rows: []option.Row{
			{Name: "output", Short: "o", Value: option.String(&s.file), Usage: "file to write (default: DEVICE-DATE-TIME.blkt)"},
			{Name: "to", Value: option.String(&s.format), Usage: "format: " + writeNames() + " (default: by the file's name, else native)"},
			{Name: "zstd", Value: option.Bool(&s.zstd), Usage: "pack the frames of the native format: smaller, slower to read"},
			{Name: "memory", Value: option.Size(&s.memory), Usage: "for a trace that must wait in memory; recording ends when it is full"},
			{Name: "output-format", Value: option.Enum(&s.outForm, "normal", "json"), Usage: "of the account on standard output"},
		}},
	})
	return cmd
}

// prepare says how to write, and where the recording waits.
func (s *recordingTrace) prepare(o *ebpf.Options, stderr io.Writer) (kind outKind, memory int64, err error) {
	if len(o.Devices) == 0 {
		return kind, 0, usagef("trace record: --device: want the disk to record (blksim list has all)")
	}
	o.AppIDs, o.SkipPID = true, uint32(os.Getpid())
	if s.memory < capture.LeastMemory {
		return kind, 0, usagef("--memory: %s: want at least %s", option.FormatSize(s.memory), option.FormatSize(capture.LeastMemory))
	}
	if s.file == "" {
		s.file = fmt.Sprintf("%s-%s.blkt", strings.ReplaceAll(o.Devices[0].Name, "/", "-"), time.Now().Format("20060102-150405"))
	}
	kind = outKind{format: s.format, ordered: true, zstd: s.zstd}
	if f, ok := traces.WriteFormatOf(s.file); kind.format == "" && ok {
		kind.format = f.Name
	} else if kind.format == "" {
		kind.format = "native"
	} else if kind.format, err = formatOf(kind.format, s.file); err != nil {
		return kind, 0, failed(exitUsage, err)
	}
	if err := kind.check(); err != nil {
		return kind, 0, err
	}
	pairs, err := capture.Stacked(o.Devices)
	if err != nil {
		return kind, 0, failed(exitDevice, err)
	}
	for _, p := range pairs {
		fmt.Fprintf(stderr, "blksim: %s: the trace will have the I/O of both\n", p)
	}
	if s.file == stdin {
		return kind, s.memory, nil
	}
	if info, err := os.Stat(filepath.Dir(s.file)); err != nil || !info.IsDir() {
		return kind, 0, failed(exitOutput, fmt.Errorf("%s: no folder %s to write to", s.file, filepath.Dir(s.file)))
	}
	overlap, why, err := capture.Overlap(s.file, o.Devices)
	if err != nil {
		return kind, 0, failed(exitDevice, err)
	}
	if overlap {
		fmt.Fprintf(stderr, "blksim: %s waits in memory (--memory) until the recording ends, so that it is not in it: %s\n", s.file, why)
		memory = s.memory
	}
	return kind, memory, nil
}

func (s *recordingTrace) record(command []string, stdout, stderr io.Writer) error {
	o, err := s.options()
	if err != nil {
		return err
	}
	kind, memory, err := s.prepare(&o, stderr)
	if err != nil {
		return err
	}
	e := newEnding()
	intr := catchInterrupts(os.Exit)
	defer intr.release()
	defer intr.stops(stopFunc(func() { e.end("interrupted") }))()
	session, err := capture.Start(o)
	if err != nil {
		return tracingError(err)
	}
	spool, err := capture.NewSpool(s.file, memory)
	if err != nil {
		session.Close()
		return failed(exitOutput, err)
	}
	defer spool.Discard()
	if s.duration > 0 {
		timer := time.AfterFunc(s.duration, func() { e.end("the duration is over") })
		defer timer.Stop()
	}
	tellCommand, err := e.run(command, stderr)
	if err != nil {
		session.Close()
		return failed(exitUsage, err)
	}
	shown := showRecording(s.file, session, stderr)
	sum, err := session.Record(&roomy{spool, e}, e.done)
	shown.end()
	if err == nil {
		err = s.save(spool, &sum, kind, stdout)
	}
	if err != nil {
		return recordingError(err)
	}
	tellCommand()
	if err := s.tell(&sum, e.why, stdout, stderr); err != nil {
		return failed(exitOutput, err)
	}
	if err := sum.Check(); err != nil {
		return failed(exitInternal, err)
	}
	if code := intr.code(); code != 0 && (s.duration > 0 || len(command) > 0) {
		return failed(code, errors.New("interrupted: the trace was saved as far as it came"))
	}
	return nil
}

// save makes the trace of what was recorded.
func (s *recordingTrace) save(spool *capture.Spool, sum *capture.Summary, kind outKind, stdout io.Writer) error {
	out, err := createTrace(s.file, kind, stdout)
	if err != nil {
		return err
	}
	err = spool.Copy(out, sum.Late)
	if n, is := out.Writer.(*traces.NativeWriter); is && err == nil {
		err = n.Note(sum.Note())
	}
	if err != nil {
		out.discard()
		return err
	}
	return out.commit()
}

// tell writes the account: a trace on standard output leaves it to standard error.
func (s *recordingTrace) tell(sum *capture.Summary, ended string, stdout, stderr io.Writer) error {
	if s.file == stdin {
		stdout = stderr
	}
	if s.outForm == "json" {
		return sum.WriteJSON(stdout, s.file, ended)
	}
	return sum.WriteText(stdout, s.file, ended)
}

// recordingError tells an output that cannot be written from a tracer that fails.
func recordingError(err error) error {
	if errors.Is(err, ebpf.ErrUnavailable) {
		return tracingError(err)
	}
	return failed(exitOutput, err)
}

// roomy ends a recording before there is no room left for it.
type roomy struct {
	*capture.Spool
	ending *ending
}

func (r *roomy) Write(recs []traces.Record, names traces.Names) error {
	if r.Low() {
		r.ending.end("the memory for it is full")
	}
	return r.Spool.Write(recs, names)
}

// ending is why a recording ends.
type ending struct {
	once sync.Once
	done chan struct{}
	why  string // once done is closed
}

func newEnding() *ending { return &ending{done: make(chan struct{})} }

func (e *ending) end(why string) {
	e.once.Do(func() {
		e.why = why
		close(e.done)
	})
}

// run starts the command, if there is one, whose end is that of the recording. Its
// output goes to standard error: standard output is for the account, or for the trace. The
// returned function tells how it ended; a command that still runs is left alone.
func (e *ending) run(command []string, stderr io.Writer) (result func(), err error) {
	if len(command) == 0 {
		return func() {}, nil
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, stderr, stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	go func() {
		ended <- cmd.Wait()
		e.end("the command has ended")
	}()
	return func() {
		select {
		case err := <-ended:
			if err != nil {
				fmt.Fprintf(stderr, "blksim: %s: %v\n", command[0], err)
			}
		default:
			fmt.Fprintf(stderr, "blksim: %s still runs, as process %d\n", command[0], cmd.Process.Pid)
		}
	}, nil
}

// showRecording shows how far a recording is, where stderr is a terminal.
func showRecording(file string, session *capture.Session, stderr io.Writer) *progress {
	f, ok := stderr.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	p := &progress{make(chan struct{}), make(chan struct{})}
	go p.show(f, file, func() state {
		return state{ended: session.Live.Seen.Load(), at: fmt.Sprintf("lost %d, Ctrl-C ends it", session.Live.Lost.Load())}
	})
	return p
}
