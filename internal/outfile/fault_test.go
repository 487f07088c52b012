package outfile_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/internal/outfile"
)

// faulty is the operating system, with the n-th call failing.
type faulty struct {
	n     int // from 1; 0: none
	err   error
	calls int
}

func (s *faulty) fails() error {
	if s.calls++; s.calls == s.n {
		return s.err
	}
	return nil
}

func (s *faulty) OpenFile(name string, flag int, perm fs.FileMode) (outfile.File, error) {
	if err := s.fails(); err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	f, err := outfile.OS{}.OpenFile(name, flag, perm)
	return &faultyFile{f, s}, err
}

func (s *faulty) Rename(from, to string) error {
	if err := s.fails(); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return os.Rename(from, to)
}

func (s *faulty) Remove(name string) error { return os.Remove(name) }

type faultyFile struct {
	outfile.File
	s *faulty
}

func (f *faultyFile) Write(b []byte) (int, error) {
	if err := f.s.fails(); err != nil {
		if errors.Is(err, io.ErrShortWrite) {
			return f.File.Write(b[:len(b)/2]) // and no error, as a broken system has it
		}
		n, _ := f.File.Write(b[:len(b)/2])
		return n, err
	}
	return f.File.Write(b)
}

func (f *faultyFile) Sync() error {
	if err := f.s.fails(); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *faultyFile) Close() error {
	err := f.File.Close()
	if e := f.s.fails(); e != nil {
		return e
	}
	return err
}

// TestAFileIsOldOrNewWhateverCallFails: for each call that writing a file makes, and
// each error.
func TestAFileIsOldOrNewWhateverCallFails(t *testing.T) {
	for _, err := range []error{syscall.ENOSPC, syscall.EIO, syscall.EPIPE, io.ErrShortWrite} {
		for _, old := range []bool{false, true} {
			for n := 1; ; n++ {
				dir := t.TempDir()
				path := filepath.Join(dir, "result")
				if old {
					require.NoError(t, os.WriteFile(path, []byte("old"), 0o600))
				}
				s := &faulty{n: n, err: err}
				got := put(s, path)
				if s.calls < n {
					require.NoError(t, got)
					require.Greater(t, n, 5, "it makes some calls")
					break
				}
				content, readErr := os.ReadFile(path)
				if got == nil {
					// The old file, opened to see whether it may be written to, may fail to close.
					require.Equal(t, "new content", string(content))
					continue
				}
				require.ErrorContains(t, got, path+": ")
				require.ErrorIs(t, got, err)
				if old {
					require.Equal(t, "old", string(content), "call %d: %v", n, err)
				} else {
					require.ErrorIs(t, readErr, fs.ErrNotExist, "call %d: %v", n, err)
				}
				left, readErr := os.ReadDir(dir)
				require.NoError(t, readErr)
				require.Len(t, left, map[bool]int{true: 1, false: 0}[old], "a temporary file was left")
			}
		}
	}
}

func put(s outfile.System, path string) error {
	w, err := outfile.Create(s, path)
	if err != nil {
		return err
	}
	defer w.Abort()
	for _, part := range []string{"new ", "content"} {
		if _, err := w.Write([]byte(part)); err != nil {
			return err
		}
	}
	return w.Commit()
}
