package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"blksim/bench/figures"
	"blksim/internal/loopdev"
)

const (
	deviceSize = 64 << 20
	service    = 4 * time.Millisecond // of one read: 250 a second

	// serveVar tells the process that serves the slow file where to.
	serveVar = "BLKSIM_BENCH_SLOW_FILE"
)

// child is what main does first: whether it was started to serve the slow file.
func child() (is bool, err error) {
	dir := os.Getenv(serveVar)
	if dir == "" {
		return false, nil
	}
	return true, serveSlow(dir, deviceSize, service)
}

// slowDevice makes a loop device over a slow file. undo takes all away again, the
// device first.
func slowDevice(undo *loopdev.Undo) (path string, err error) {
	dir, err := os.MkdirTemp("", "blksim-bench-cancel-")
	if err != nil {
		return "", err
	}
	undo.Add(func() error {
		if err := os.Remove(dir); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil // who served it has done so
	})
	exe, err := os.Executable()
	if err != nil {
		return "", err
	}
	c := exec.Command(exe)
	c.Env = append(os.Environ(), serveVar+"="+dir)
	c.Stderr = os.Stderr
	c.SysProcAttr = &unix.SysProcAttr{Setpgid: true} // an interrupt is for us: it is to serve until all is taken back
	in, err1 := c.StdinPipe()
	out, err2 := c.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		return "", err
	}
	if err := c.Start(); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != slowReady {
		_ = errors.Join(in.Close(), c.Wait()) // it has said why
		return "", figures.Skip("a slow file wants root and FUSE: " + strings.TrimSpace(line))
	}
	undo.Add(func() error { return errors.Join(in.Close(), c.Wait()) })
	loop, err := loopdev.Attach(filepath.Join(dir, fileName), loopdev.Options{ReadOnly: true})
	if err != nil {
		return "", err
	}
	undo.Add(loop.Detach)
	// The scheduler is for the kernel's sake: with it, the block layer has room for all
	// I/Os, and io_submit does not block.
	queue := filepath.Join("/sys/block", filepath.Base(loop.Path()), "queue")
	for _, set := range [][2]string{{"scheduler", "mq-deadline"}, {"nr_requests", "512"}} {
		if err := os.WriteFile(filepath.Join(queue, set[0]), []byte(set[1]), 0); err != nil {
			return "", figures.Skip(fmt.Sprintf("%s of the disk cannot be %s: %v", set[0], set[1], err))
		}
	}
	return loop.Path(), nil
}

// inFlight is how many I/Os a device has.
func inFlight(device string) (int, error) {
	text, err := os.ReadFile(filepath.Join("/sys/block", filepath.Base(device), "inflight"))
	if err != nil {
		return 0, err
	}
	var reads, writes int
	_, err = fmt.Sscan(string(text), &reads, &writes)
	return reads + writes, err
}

// untilIdle waits until the device has no I/Os.
func untilIdle(device string) error {
	for since := time.Now(); time.Since(since) < 10*time.Second; time.Sleep(200 * time.Microsecond) {
		if n, err := inFlight(device); n == 0 || err != nil {
			return err
		}
	}
	return fmt.Errorf("%s has I/Os after 10 s", device)
}
