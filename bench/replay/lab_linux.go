package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"blksim/bench/figures"
	"blksim/internal/loopdev"
)

const (
	deviceSize = 256 << 20

	// runLimit is what a tool may take beyond the schedule before it is ended.
	runLimit = 30 * time.Second

	// calmLeast is which part of a run's I/Os must not have had to wait for a processor:
	// a twentieth, or the run says nothing.
	calmLeast = 20
)

// setUp makes the device and the tracer, and builds blksim, once.
func (l *lab) setUp() error {
	l.once.Do(func() {
		if l.err = l.make(); errors.Is(l.err, loopdev.ErrUnavailable) {
			l.err = figures.Skip(l.err.Error())
		}
	})
	return l.err
}

func (l *lab) make() error {
	dir, err := os.MkdirTemp("", "blksim-bench-replay-")
	if err != nil {
		return err
	}
	l.dir = dir
	l.undo.Add(func() error { return os.RemoveAll(dir) })
	file := filepath.Join(dir, "disk")
	if err := loopdev.Filled(file, deviceSize); err != nil {
		return err
	}
	loop, err := loopdev.Attach(file, loopdev.Options{})
	if err != nil {
		return err
	}
	l.undo.Add(loop.Detach)
	l.device = loop.Path()
	tracing := filepath.Join(dir, "tracing")
	if err := os.Mkdir(tracing, 0o700); err != nil {
		return err
	}
	if l.trace, err = newFtrace(tracing, l.undo); err != nil {
		return err
	}
	program := filepath.Join(dir, "blksim")
	build := exec.Command("go", "build", "-o", program, "./cmd/blksim")
	build.Dir = l.root
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	l.tools = []tool{l.blksim(program), l.withFio(), l.withBtreplay()}
	return nil
}

func (l *lab) blksim(program string) tool {
	return tool{name: "blksim", args: func(s *schedule) ([]string, error) {
		path := filepath.Join(l.dir, "trace.blk")
		return []string{program, "replay", "--device=" + l.device, "--nomerges", "--no-progress", "--output-format=json", path},
			os.WriteFile(path, s.native(), 0o600)
	}}
}

func (l *lab) withFio() tool {
	t := tool{name: "fio", args: func(s *schedule) ([]string, error) {
		path := filepath.Join(l.dir, "trace.fio")
		return []string{"fio", "--name=replay", "--read_iolog=" + path, "--ioengine=io_uring", "--direct=1", "--iodepth=256",
			"--thread", "--output=/dev/null"}, os.WriteFile(path, s.iolog(l.device), 0o600)
	}}
	if _, err := exec.LookPath("fio"); err != nil {
		t.skip = "fio is not installed"
	}
	return t
}

func (l *lab) withBtreplay() tool {
	t := tool{name: "btreplay", args: func(s *schedule) ([]string, error) {
		// Files are named after the device that was recorded, and the processor.
		path := filepath.Join(l.dir, filepath.Base(l.device)+".replay.0")
		return []string{"btreplay", "-d", l.dir, filepath.Base(l.device)}, os.WriteFile(path, s.btrecord(), 0o600)
	}}
	if _, err := exec.LookPath("btreplay"); err != nil {
		t.skip = "btreplay is not installed"
	}
	return t
}

// run runs all tools in turn.
func (e *experiment) run() error {
	if err := e.lab.setUp(); err != nil {
		return err
	}
	n, rounds := 30_000, 3
	if e.lab.short {
		n, rounds = 1000, 1
	}
	rate := fmt.Sprintf("%d/s", e.iops)
	e.grid = &figures.Grid{Header: header, Title: fmt.Sprintf("Replay of %d reads of 4 KiB with bursts, %s in the mean, over a loop device, by when the block layer got them;"+
		" the run of each tool that has the median p50. The last columns are of the I/Os for which the tool did not have to wait for a processor.", n, rate)}
	for _, t := range e.lab.tools {
		if t.skip != "" {
			e.grid.Lines = append(e.grid.Lines, skipped(rate, t))
			continue
		}
		var runs []*fidelity
		for round := range rounds {
			f, err := e.lab.replay(t, bursts(n, e.iops, deviceSize, uint64(round)))
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			runs = append(runs, f)
			if t.name == "btreplay" {
				break // it is here to be seen, and takes its time
			}
		}
		switch t.name {
		case "blksim":
			e.ours = slices.DeleteFunc(slices.Clone(runs), func(f *fidelity) bool { return len(f.calm) < len(f.all)/calmLeast })
		case "fio":
			e.fio = runs
		}
		e.grid.Lines = append(e.grid.Lines, middle(runs).cells(rate, t.name))
	}
	switch {
	case len(e.fio) == 0:
		return figures.Skip("fio is not installed")
	case len(e.ours) == 0:
		return figures.Skip("the machine is too busy: in every run, nearly all I/Os had to wait for a processor")
	}
	return nil
}

// skipped is the line of a tool that was not run.
func skipped(rate string, t tool) []string {
	line := make([]string, len(header))
	line[0], line[1], line[2] = rate, t.name, t.skip
	return line
}

// replay has one tool replay a schedule.
func (l *lab) replay(t tool, s *schedule) (*fidelity, error) {
	args, err := t.args(s)
	if err != nil {
		return nil, err
	}
	var errs bytes.Buffer
	c := exec.Command(args[0], args[1:]...)
	c.Stderr = &errs
	if err := l.trace.start(l.device, filepath.Base(args[0])); err != nil {
		return nil, err
	}
	begun := time.Now()
	if err := c.Start(); err != nil {
		return nil, err
	}
	limit := time.AfterFunc(s.due[len(s.due)-1]+runLimit, func() { _ = c.Process.Kill() })
	threads, seen := map[int32]bool{}, make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(seen)
		for {
			threadsOf(c.Process.Pid, threads)
			select {
			case <-ended:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	err = c.Wait()
	close(ended)
	<-seen
	took := time.Since(begun)
	limit.Stop()
	got, traceErr := l.trace.stop()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, bytes.TrimSpace(errs.Bytes()))
	}
	if traceErr != nil {
		return nil, traceErr
	}
	got.issues = slices.DeleteFunc(got.issues, func(g issue) bool {
		return g.block < margin/blockSize || g.block >= (deviceSize-margin)/blockSize
	})
	got.turns = slices.DeleteFunc(got.turns, func(t turn) bool { return !threads[t.thread] })
	f, err := judge(s, got)
	if err != nil {
		return nil, err
	}
	f.cpu = 100 * (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds() / took.Seconds()
	return f, nil
}

// threadsOf adds the threads of a process and of those that it has started, while it
// runs: other processes may have the same name.
func threadsOf(pid int, all map[int32]bool) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid)) // the pattern is good
	for _, t := range tasks {
		if tid, err := strconv.Atoi(filepath.Base(t)); err == nil {
			all[int32(tid)] = true
		}
		children, _ := os.ReadFile(filepath.Join(t, "children")) // of one that has ended there are none
		for _, c := range strings.Fields(string(children)) {
			if child, err := strconv.Atoi(c); err == nil {
				threadsOf(child, all)
			}
		}
	}
}
