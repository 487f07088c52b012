package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"blksim/bench/figures"
)

//go:embed cpp/hold.cc
var holdSource []byte

// holdCPP compiles the hold model for std::priority_queue and runs it beside us:
// for each window it is told how long to go on, and waits in between.
func holdCPP(n int) (s side, end func(), err error) {
	compiler := ""
	for _, name := range []string{"c++", "g++", "clang++"} {
		if compiler, err = exec.LookPath(name); err == nil {
			break
		}
	}
	if err != nil {
		return nil, nil, figures.Skip("there is no C++ compiler")
	}
	dir, err := os.MkdirTemp("", "blksim-bench-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir) // the program needs no file once it runs
	source, program := filepath.Join(dir, "hold.cc"), filepath.Join(dir, "hold")
	if err := os.WriteFile(source, holdSource, 0o600); err != nil {
		return nil, nil, err
	}
	if out, err := exec.Command(compiler, "-O2", "-o", program, source).CombinedOutput(); err != nil {
		return nil, nil, fmt.Errorf("%s: %w\n%s", compiler, err, out)
	}
	c := exec.Command(program, fmt.Sprint(n))
	in, errIn := c.StdinPipe()
	out, errOut := c.StdoutPipe()
	if err := errors.Join(errIn, errOut); err != nil {
		return nil, nil, err
	}
	if err := c.Start(); err != nil {
		return nil, nil, err
	}
	end = func() {
		in.Close() // which ends it
		_, _ = io.Copy(io.Discard, out)
		_ = c.Wait() // how it ends does not matter any more
	}
	return func(d time.Duration) (s sample, err error) {
		if _, err = fmt.Fprintln(in, d.Nanoseconds()); err == nil {
			_, err = fmt.Fscanln(out, &s.ops, &s.took)
		}
		return s, err
	}, end, nil
}
