package capture

import (
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"

	"blksim/traces"
)

// Spool is where a recording waits until it is whole, in the native format: in a file
// beside the trace's, or in memory.
type Spool struct {
	traces.Writer
	file *os.File
	path string // "": in memory
	room int64  // bytes that it may yet have
}

// NewSpool makes a spool for the trace at path: in memory if that is how many bytes it may
// have at the most, else (0) in the folder of the trace. A process that is killed leaves
// the file there, as NAME.*.part, which is a trace as far as it goes.
func NewSpool(path string, memory int64) (s *Spool, err error) {
	s = &Spool{room: memory}
	if memory > 0 {
		s.file, err = memoryFile(filepath.Base(path))
	} else {
		s.room = math.MaxInt64
		if s.file, err = os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part"); err == nil {
			s.path = s.file.Name()
		}
	}
	if err != nil {
		return nil, err
	}
	s.Writer = traces.NewNativeWriter(spoolFile{s}, traces.NativeOptions{})
	return s, nil
}

// errFull is what a spool in memory ends with if nobody looks whether it is [Spool.Low].
var errFull = errors.New("capture: the memory for the recording is full")

type spoolFile struct{ s *Spool }

func (f spoolFile) Write(p []byte) (int, error) {
	if f.s.room < int64(len(p)) {
		return 0, errFull
	}
	f.s.room -= int64(len(p))
	return f.s.file.Write(p)
}

// LeastMemory is the least that a spool in memory makes sense with: what a recorder holds
// back may come at once when it ends.
const LeastMemory = 256 << 20

// Low is whether a recording should end, because there is little room left.
func (s *Spool) Low() bool {
	const record = 80 // bytes at the most, with its share of a frame
	return s.room < 2*Held*record
}

// Copy ends the spool and writes all of it, and the late records, which are in order.
func (s *Spool) Copy(to traces.Writer, late []traces.Record) error {
	if err := s.Writer.Close(); err != nil {
		return err
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	r, err := traces.NewReader(s.file, "the recording", traces.Options{Order: traces.AsIs, Format: "native"})
	if err != nil {
		return err
	}
	defer r.Close()
	return Merge(to, r, late)
}

// Discard takes the spool away.
func (s *Spool) Discard() {
	s.file.Close()
	if s.path != "" {
		os.Remove(s.path)
	}
}
