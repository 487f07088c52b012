package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/internal/outfile"
)

// brokenSystem is the operating system, with the n-th call that writes failing, and
// all after it on the same file.
type brokenSystem struct {
	n, calls int
	err      error
	failed   string // the file
}

// fails counts a call on a file.
func (s *brokenSystem) fails(name string) error {
	if s.calls++; s.calls == s.n {
		s.failed = name
	}
	if s.failed != "" && s.failed == name {
		return s.err
	}
	return nil
}

func (s *brokenSystem) OpenFile(name string, flag int, perm fs.FileMode) (outfile.File, error) {
	if err := s.fails(name); err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	f, err := outfile.OS{}.OpenFile(name, flag, perm)
	return &brokenFile{f, s}, err
}

func (s *brokenSystem) Rename(from, to string) error {
	if err := s.fails(from); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return os.Rename(from, to)
}

func (s *brokenSystem) Remove(name string) error { return os.Remove(name) }

type brokenFile struct {
	outfile.File
	s *brokenSystem
}

func (f *brokenFile) Write(b []byte) (int, error) {
	if err := f.s.fails(f.Name()); err != nil {
		n, _ := f.File.Write(b[:len(b)/2])
		if errors.Is(err, io.ErrShortWrite) {
			return n, nil
		}
		return n, err
	}
	return f.File.Write(b)
}

func (f *brokenFile) Sync() error {
	if err := f.s.fails(f.Name()); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *brokenFile) Close() error {
	err := f.File.Close()
	if e := f.s.fails(f.Name()); e != nil {
		return e
	}
	return err
}

// TestWhicheverOutputCallFailsTheExitCodeSaysSo: a run that writes every kind of
// file, with each call of its writing failing in turn, in four ways. The exit code
// is 5, the message names a file of the user's, and each file is there whole, or as
// it was.
func TestWhicheverOutputCallFailsTheExitCodeSaysSo(t *testing.T) {
	// -short takes every seventh call.
	step := 1
	faults := []error{syscall.ENOSPC, syscall.EIO, syscall.EPIPE, io.ErrShortWrite}
	if testing.Short() {
		faults, step = faults[:1], 7
	}
	names := []string{"result", "ios", "timeline", "hdr", "report"}
	trace := head(t, sample, 60)
	dir := t.TempDir()
	var args []string
	for _, name := range names {
		args = append(args, map[string]string{"result": "--output"}[name]+map[bool]string{true: "", false: "--" + name}[name == "result"]+"="+filepath.Join(dir, name))
	}
	args = append([]string{"replay", "--output-format=json", trace}, args...)
	whole := map[string]string{}
	read := func(name string) string {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			require.ErrorIs(t, err, fs.ErrNotExist)
		}
		return string(content)
	}
	code, _, errs := blksim(args...)
	require.Zero(t, code, errs)
	for _, name := range names {
		whole[name] = read(name)
		require.NotEmpty(t, whole[name])
	}
	const old = "what was there before"
	for _, fault := range faults {
		for n := 1; ; n += step {
			for _, name := range names {
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(old), 0o600))
			}
			s := &brokenSystem{n: n, err: fault}
			var out, errs bytes.Buffer
			code := runOn(s, args, &out, &errs)
			if s.failed == "" {
				require.Zero(t, code, errs.String())
				require.Greater(t, n, 30, "it makes many calls")
				break
			}
			changed := 0
			for _, name := range names {
				got := read(name)
				require.True(t, got == whole[name] || got == old, "call %d, %v: %s is neither old nor new: %q", n, fault, name, got[:min(len(got), 80)])
				if got == whole[name] {
					changed++
				}
			}
			left, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Len(t, left, len(names), "a temporary file was left")
			if code == exitOK {
				// The old file was opened to see whether it may be written to, and that
				// handle failed to close: nothing is lost.
				require.Equal(t, len(names), changed, "call %d, %v", n, fault)
				continue
			}
			require.Equal(t, exitOutput, code, "call %d, %v: %s", n, fault, errs.String())
			require.True(t, strings.Contains(errs.String(), dir+"/"), errs.String())
			require.NotContains(t, errs.String(), ".blksim-")
			require.Less(t, changed, len(names))
		}
	}
}

// brokenStdout fails from the n-th write on.
type brokenStdout struct {
	n   int
	err error
}

func (w *brokenStdout) Write(b []byte) (int, error) {
	if w.n--; w.n <= 0 {
		return len(b) / 2, w.err
	}
	return len(b), nil
}

func TestStandardOutputThatFailsIsAnOutputError(t *testing.T) {
	result := result(t, "a.json")
	for _, args := range [][]string{{"replay", head(t, sample, 20)}, {"run", "--number_ios=10"}, {"run", "--number_ios=10", "--output-format=json+"},
		{"diff", result, result}, {"merge", result}, {"options"}, {"options", "--output-format=json"}} {
		for _, err := range []error{syscall.ENOSPC, syscall.EIO, syscall.EPIPE} {
			var errs bytes.Buffer
			require.Equal(t, exitOutput, run(args, &brokenStdout{1, err}, &errs), "%v", args)
			require.Contains(t, errs.String(), err.Error(), "%v", args)
		}
	}
}

// TestAFullDeviceIsAnOutputError with the real error of the system.
func TestAFullDeviceIsAnOutputError(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here: ", err)
	}
	for _, option := range []string{"--output", "--ios", "--timeline", "--hdr", "--report"} {
		code, _, errs := blksim("run", "--number_ios=10", option+"=/dev/full")
		require.Equal(t, exitOutput, code, option)
		require.Contains(t, errs, "/dev/full: no space left on device", option)
	}
}
