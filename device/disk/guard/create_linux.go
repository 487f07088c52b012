package guard

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// blockSize is what the size of a new file is a multiple of: direct I/O goes by
// blocks.
const blockSize = 4096

// Create makes a new file of size bytes to run on, and fails if there is something at
// path. It is filled with data that does not compress: reads of a hole, or of what was
// only allocated, never reach a disk. What is there after a failure is taken away.
func Create(path string, size int64) (err error) {
	if size <= 0 || size%blockSize != 0 {
		return fmt.Errorf("%s: a new file of %d bytes: want a multiple of %d", path, size, blockSize)
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err == nil {
		dir, err = filepath.Abs(dir)
	}
	if err != nil {
		return err
	}
	for _, no := range []string{"/dev", "/proc", "/sys"} {
		if dir == no || strings.HasPrefix(dir, no+"/") {
			return fmt.Errorf("%s: no file is created below %s", path, no)
		}
	}
	f, err := os.OpenFile(filepath.Join(dir, filepath.Base(path)), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), os.Remove(f.Name()))
			return
		}
		err = f.Close()
	}()
	// The place first, so that a disk that is too small is not filled for nothing.
	if err := unix.Fallocate(int(f.Fd()), 0, 0, size); err != nil && !errors.Is(err, unix.EOPNOTSUPP) {
		return fmt.Errorf("%s: room for %d bytes: %w", path, size, err)
	}
	random := rand.NewChaCha8([32]byte{})
	chunk := make([]byte, 1<<20)
	for at := int64(0); at < size; at += int64(len(chunk)) {
		chunk = chunk[:min(int64(len(chunk)), size-at)]
		_, _ = random.Read(chunk) // never fails
		if _, err := f.WriteAt(chunk, at); err != nil {
			return err
		}
	}
	return f.Sync()
}
