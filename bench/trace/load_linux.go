package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"blksim/bench/figures"
	"blksim/internal/ebpf"
	"blksim/internal/loopdev"
)

const diskSize = 256 << 20

// disk is what fio reads from.
type disk struct {
	undo   loopdev.Undo
	path   string
	device ebpf.Device
}

// interrupts has a signal take the disk away.
var interrupts sync.Once

func makeDisk() (*disk, error) {
	d := &disk{}
	interrupts.Do(func() { d.undo.OnSignal(os.Exit) })
	fast, err := loopdev.MakeFast(&d.undo, diskSize)
	if err == nil {
		d.path = fast.Loop.Path()
		d.device, err = ebpf.FindDevice(d.path)
		mountTracefs(&d.undo)
	}
	if err != nil {
		err = errors.Join(err, d.undo.Close())
		if errors.Is(err, loopdev.ErrUnavailable) {
			return nil, figures.Skip(err.Error())
		}
		return nil, err
	}
	return d, nil
}

// tracing is where bpftrace looks for the kernel's tracepoints, and tracefs is.
const tracing = "/sys/kernel/tracing"

// mountTracefs has it there; where it cannot be, the rows that want it are skipped.
func mountTracefs(undo *loopdev.Undo) {
	if _, err := os.Stat(filepath.Join(tracing, "instances")); err == nil {
		return
	}
	if unix.Mount("tracefs", tracing, "tracefs", 0, "") == nil {
		undo.Add(func() error { return unix.Unmount(tracing, unix.MNT_DETACH) })
	}
}

func (b *bench) close() error {
	if b.disk == nil {
		return nil
	}
	return b.disk.undo.Close()
}

// completed are the I/Os of the device's own count.
func (d *disk) completed() (int64, error) {
	s, err := ebpf.ReadStat(d.device.Name)
	return int64(s.Completed()), err
}

// turn lets the load run for a while; t is the tracer that looks, or nil. Both counts are
// read in the same order at both ends.
func (d *disk) turn(window time.Duration, t tracer) (turn, error) {
	var w turn
	cpu, err := readProcessors()
	if err != nil {
		return w, err
	}
	from, err := d.completed()
	if err != nil {
		return w, err
	}
	start := time.Now()
	var seen int64
	if t != nil {
		seen, w.counts = t.seen()
	}
	time.Sleep(window)
	to, err := d.completed()
	w.ios, w.took = to-from, time.Since(start)
	if w.counts {
		var now int64
		now, w.counts = t.seen()
		w.seen = now - seen
	}
	end, err2 := readProcessors()
	w.own = end.busy - cpu.busy - (end.others - cpu.others)
	return w, errors.Join(err, err2)
}

// busy waits until a load has all its jobs at work.
func (d *disk) busy(load *fio) error {
	for since := time.Now(); time.Since(since) < 30*time.Second; {
		t, err := d.turn(100*time.Millisecond, nil)
		if err != nil {
			return err
		}
		if t.ios > 1000 {
			time.Sleep(500 * time.Millisecond) // the other jobs
			return nil
		}
	}
	return fmt.Errorf("the load does not begin: %w", load.failed())
}

// fio is a load that runs until it is stopped.
type fio struct {
	cmd    *exec.Cmd
	output strings.Builder
	ended  chan error
	once   sync.Once
}

// fio starts one job a core, of so many IOPS together; 0: as fast as they go.
func (d *disk) fio(rate int) (*fio, error) {
	program, err := exec.LookPath("fio")
	if err != nil {
		return nil, figures.Skip("fio is not installed")
	}
	jobs := runtime.NumCPU()
	const depth = 64
	args := []string{"--name=load", "--filename=" + d.path, "--ioengine=libaio", "--rw=randread", "--bs=4k", "--direct=1", "--norandommap",
		fmt.Sprintf("--iodepth=%d", depth), fmt.Sprintf("--iodepth_batch_submit=%d", depth/4), "--iodepth_batch_complete_min=1",
		fmt.Sprintf("--iodepth_batch_complete_max=%d", depth), fmt.Sprintf("--size=%d", diskSize), "--allow_file_create=0",
		"--thread", "--time_based", "--runtime=10m", fmt.Sprintf("--numjobs=%d", jobs), "--group_reporting", "--output-format=json"}
	if rate > 0 {
		args = append(args, fmt.Sprintf("--rate_iops=%d", rate/jobs))
	}
	f := &fio{cmd: exec.Command(program, args...), ended: make(chan error, 1)}
	f.cmd.Stdout, f.cmd.Stderr = &f.output, &f.output
	// It goes when we do, however that is: its jobs are threads (--thread).
	f.cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	if err := f.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { f.ended <- f.cmd.Wait() }()
	// On a signal, too: a disk that is in use cannot be taken away.
	d.undo.Add(func() error { f.stop(); return nil })
	return f, nil
}

// stop ends it, once.
func (f *fio) stop() {
	f.once.Do(func() {
		f.cmd.Process.Signal(unix.SIGTERM) // it may have ended by itself
		select {
		case <-f.ended:
		case <-time.After(10 * time.Second):
			f.cmd.Process.Kill()
			<-f.ended
		}
	})
}

// failed is what it said when it ended too early.
func (f *fio) failed() error {
	select {
	case err := <-f.ended:
		f.ended <- err
		return fmt.Errorf("fio ended (%v): %s", err, strings.TrimSpace(f.output.String()))
	default:
		return errors.New("fio runs, and does nothing")
	}
}

// openHistogram is our tracer that counts in the kernel.
func openHistogram(queue bool) func(d *disk) (tracer, error) {
	return func(d *disk) (tracer, error) {
		t, err := open(ebpf.Options{Mode: ebpf.Histogram, Devices: []ebpf.Device{d.device}, QueueTime: queue})
		if err != nil {
			return nil, err
		}
		return &histogram{t}, nil
	}
}

func open(o ebpf.Options) (*ebpf.Tracer, error) {
	t, err := ebpf.Open(o)
	if errors.Is(err, ebpf.ErrUnavailable) {
		return nil, figures.Skip(err.Error())
	}
	return t, err
}

type histogram struct{ t *ebpf.Tracer }

func (h *histogram) seen() (int64, bool) { return requests(h.t) }

func (h *histogram) stop() (*ebpf.Counts, error) {
	err := h.t.Stop(time.Second)
	c, err2 := h.t.Counts()
	return &c, errors.Join(err, err2, c.Check(), h.t.Close())
}

// requests are those that a tracer of ours has seen complete.
func requests(t *ebpf.Tracer) (int64, bool) {
	c, err := t.Counts()
	return int64(c.Requests), err == nil
}

// openEvents is our tracer with a reader.
func openEvents(d *disk) (tracer, error) {
	t, err := open(ebpf.Options{Devices: []ebpf.Device{d.device}})
	if err != nil {
		return nil, err
	}
	e := &events{t: t, stopping: make(chan struct{}), done: make(chan error, 1)}
	go e.read()
	return e, nil
}

type events struct {
	t        *ebpf.Tracer
	stopping chan struct{}
	done     chan error
	taken    int64
}

// read takes events, on a goroutine that alone has the tracer until it ends.
func (e *events) read() {
	evs := make([]ebpf.Event, 4096)
	for {
		select {
		case <-e.stopping:
			e.done <- nil
			return
		default:
		}
		n, err := e.t.Read(evs, 20*time.Millisecond)
		e.taken += int64(n)
		if err != nil {
			e.done <- err
			return
		}
	}
}

func (e *events) seen() (int64, bool) { return requests(e.t) }

func (e *events) stop() (*ebpf.Counts, error) {
	close(e.stopping)
	err := errors.Join(<-e.done, e.t.Stop(time.Second))
	evs := make([]ebpf.Event, 4096)
	for err == nil {
		n, end := e.t.Read(evs, 0)
		e.taken += int64(n)
		if end != nil {
			break // io.EOF: that was all
		}
	}
	c, err2 := e.t.Counts()
	if err == nil && uint64(e.taken) != c.Done {
		err = fmt.Errorf("%d events read, %d counted as done", e.taken, c.Done)
	}
	return &c, errors.Join(err, err2, c.Check(), e.t.Close())
}

// script is what histogram does, in bpftrace's language: from issue to completion.
const script = `
BEGIN { printf("ready\n"); }
tracepoint:block:block_rq_issue /args->dev == %d/ { @start[args->sector] = nsecs; }
tracepoint:block:block_rq_complete /args->dev == %d && @start[args->sector]/ {
	@ns = hist(nsecs - @start[args->sector]); delete(@start[args->sector]); }
`

// openBpftrace starts bpftrace, and waits until its programs are there.
func openBpftrace(d *disk) (tracer, error) {
	program, err := exec.LookPath("bpftrace")
	if err != nil {
		return nil, figures.Skip("bpftrace is not installed")
	}
	if _, err := os.Stat(filepath.Join(tracing, "events/block")); err != nil {
		return nil, figures.Skip("no tracefs, which bpftrace wants: " + err.Error())
	}
	b := &bpftrace{cmd: exec.Command(program, "-q", "-e", fmt.Sprintf(script, d.device.Dev, d.device.Dev)), ready: make(chan struct{})}
	b.cmd.Stdout, b.cmd.Stderr = b, b
	b.cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	if err := b.cmd.Start(); err != nil {
		return nil, err
	}
	select {
	case <-b.ready:
		// BEGIN comes before the programs are attached.
		time.Sleep(500 * time.Millisecond)
		return b, nil
	case <-time.After(20 * time.Second):
		b.cmd.Process.Kill()
		b.cmd.Wait()
		return nil, fmt.Errorf("bpftrace did not begin: %s", b.text())
	}
}

type bpftrace struct {
	cmd   *exec.Cmd
	ready chan struct{}
	mu    sync.Mutex // guards output
	out   strings.Builder
	begun bool
}

func (b *bpftrace) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.out.Write(p)
	if !b.begun && strings.Contains(b.out.String(), "ready") {
		b.begun = true
		close(b.ready)
	}
	return len(p), nil
}

func (b *bpftrace) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.TrimSpace(b.out.String())
}

func (b *bpftrace) seen() (int64, bool) { return 0, false }

func (b *bpftrace) stop() (*ebpf.Counts, error) {
	b.cmd.Process.Signal(unix.SIGINT)
	if err := b.cmd.Wait(); err != nil {
		return nil, fmt.Errorf("bpftrace: %w: %s", err, b.text())
	}
	if !strings.Contains(b.text(), "@ns") {
		return nil, fmt.Errorf("bpftrace saw nothing: %s", b.text())
	}
	return nil, nil
}

var tracefsEvents = []string{"block_rq_issue", "block_rq_complete"}

// openTracefs has the kernel's own events in an instance of our own.
func openTracefs(d *disk) (tracer, error) {
	dir, err := os.MkdirTemp(filepath.Join(tracing, "instances"), "blksim-bench-")
	if err != nil {
		return nil, figures.Skip("no instance of tracefs: " + err.Error())
	}
	t := &tracefs{dir: dir, stopping: make(chan struct{})}
	filter := fmt.Sprintf("dev == %d", d.device.Dev)
	for _, e := range tracefsEvents {
		folder := filepath.Join(dir, "events/block", e)
		if err := errors.Join(os.WriteFile(filepath.Join(folder, "filter"), []byte(filter), 0), os.WriteFile(filepath.Join(folder, "enable"), []byte("1"), 0)); err != nil {
			_, err2 := t.stop()
			return nil, errors.Join(err, err2)
		}
	}
	cpus, err := filepath.Glob(filepath.Join(dir, "per_cpu/cpu*/trace_pipe_raw"))
	if err != nil {
		return nil, err
	}
	for _, path := range cpus {
		t.readers.Go(func() { t.read(path) })
	}
	return t, nil
}

type tracefs struct {
	dir      string
	stopping chan struct{}
	readers  sync.WaitGroup
}

// read throws away what one CPU has.
func (t *tracefs) read(path string) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	buf := make([]byte, 64<<10)
	for {
		select {
		case <-t.stopping:
			return
		default:
		}
		if n, err := unix.Read(fd, buf); n <= 0 || err != nil {
			time.Sleep(2 * time.Millisecond)
		}
	}
}

func (t *tracefs) seen() (int64, bool) { return 0, false }

func (t *tracefs) stop() (*ebpf.Counts, error) {
	var err error
	for _, e := range tracefsEvents {
		err = errors.Join(err, os.WriteFile(filepath.Join(t.dir, "events/block", e, "enable"), []byte("0"), 0))
	}
	close(t.stopping)
	t.readers.Wait()
	// An instance is a folder that the kernel empties when it goes.
	return nil, errors.Join(err, unix.Rmdir(t.dir))
}
