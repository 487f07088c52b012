package ebpf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const sysfs = "/sys"

// FindDevice finds the block device of a path, or of a name in /dev. Of a partition it
// is its disk and the partition's sectors.
func FindDevice(path string) (Device, error) {
	if !strings.Contains(path, "/") {
		path = "/dev/" + path
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return Device{}, fmt.Errorf("%s: %w", path, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFBLK {
		return Device{}, fmt.Errorf("%s: is no block device", path)
	}
	d, err := deviceIn(sysfs, unix.Major(st.Rdev), unix.Minor(st.Rdev))
	if err != nil {
		return d, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

// deviceIn reads what sysfs has about a device.
func deviceIn(root string, major, minor uint32) (Device, error) {
	dir, err := filepath.EvalSymlinks(filepath.Join(root, "dev/block", fmt.Sprintf("%d:%d", major, minor)))
	if err != nil {
		return Device{}, err
	}
	d := Device{Name: filepath.Base(dir), Dev: MakeDev(major, minor)}
	size, err := number(filepath.Join(dir, "size"))
	if err != nil {
		return d, err
	}
	start, err := number(filepath.Join(dir, "start"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return d, err
	}
	d.First, d.End = start, start+size
	disk := dir
	if err == nil { // a partition has a start, and its disk above it
		disk = filepath.Dir(dir)
		b, err := os.ReadFile(filepath.Join(disk, "dev"))
		if err != nil {
			return d, err
		}
		if _, err := fmt.Sscanf(string(b), "%d:%d", &major, &minor); err != nil {
			return d, fmt.Errorf("%s: %q: want major:minor", filepath.Join(disk, "dev"), b)
		}
		d.Dev = MakeDev(major, minor)
	} else if d.End == 0 {
		d.End = 1 // an empty device, such as a drive without a medium: flushes are all there can be
	}
	_, err = os.Stat(filepath.Join(disk, "mq"))
	d.TakesBios = errors.Is(err, fs.ErrNotExist)
	slaves, _ := os.ReadDir(filepath.Join(disk, "slaves"))
	d.Stacked = len(slaves) > 0
	return d, nil
}

func number(path string) (int64, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return n, nil
}

// ReadStat reads the counters of a device or a partition, by its name.
func ReadStat(name string) (Stat, error) {
	b, err := os.ReadFile(filepath.Join(sysfs, "class/block", strings.ReplaceAll(name, "/", "!"), "stat"))
	if err != nil {
		return Stat{}, err
	}
	return parseStat(string(b))
}
