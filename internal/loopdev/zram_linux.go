package loopdev

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const zramControl = "/sys/class/zram-control"

// AddZram makes a disk of size bytes in memory. What is not written occupies none.
func AddZram(size int64) (*Zram, error) {
	text, err := os.ReadFile(filepath.Join(zramControl, "hot_add"))
	if err != nil {
		return nil, unavailable("zram devices (%v)", err)
	}
	number, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, fmt.Errorf("loopdev: %s/hot_add says %q: want a number", zramControl, text)
	}
	z := &Zram{path: fmt.Sprintf("/dev/zram%d", number), number: number}
	if err := z.set("disksize", strconv.FormatInt(size, 10)); err != nil {
		return nil, errors.Join(err, z.Remove())
	}
	for range attachTries {
		if _, err = os.Stat(z.path); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		time.Sleep(tryAgain)
	}
	if err != nil {
		return nil, errors.Join(err, z.Remove())
	}
	return z, nil
}

// Remove takes the device away, with what is on it. It fails if somebody else keeps
// it open.
func (z *Zram) Remove() error {
	if z.number < 0 {
		return nil
	}
	var err error
	for since := time.Now(); time.Since(since) < detachWait; time.Sleep(tryAgain) {
		if err = z.set("reset", "1"); err == nil {
			err = os.WriteFile(filepath.Join(zramControl, "hot_remove"), []byte(strconv.Itoa(z.number)), 0)
		}
		if !errors.Is(err, unix.EBUSY) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("loopdev: remove %s: %w", z.path, err)
	}
	z.number = -1
	return nil
}

// set writes one attribute of the device.
func (z *Zram) set(name, value string) error {
	return os.WriteFile(filepath.Join("/sys/block", filepath.Base(z.path), name), []byte(value), 0)
}
