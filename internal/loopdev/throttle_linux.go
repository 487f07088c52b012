package loopdev

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

// Throttle limits how fast a device is, which the caller must have made, for the
// processes of this one's control group. undo takes the limits back: what waits
// because of them goes on at once.
//
// The kernel keeps a limit by letting I/Os through as many at a time as have become
// due in some milliseconds, so a single I/O may take no time at all or several times
// its share.
func Throttle(device string, l Limits) (undo func() error, err error) {
	if err := setLimits(device, l); err != nil {
		return nil, err
	}
	return func() error { return setLimits(device, Limits{}) }, nil
}

// setLimits tells the kernel, by cgroup v1's blkio or v2's io, what there is.
func setLimits(device string, l Limits) error {
	var st unix.Stat_t
	if err := unix.Stat(device, &st); err != nil {
		return &fs.PathError{Op: "stat", Path: device, Err: err}
	}
	number := fmt.Sprintf("%d:%d", unix.Major(st.Rdev), unix.Minor(st.Rdev))
	v1, v2, err := controlGroups()
	if err != nil {
		return err
	}
	if v1 != "" {
		return setLimitsV1(v1, number, l)
	}
	return setLimitsV2(v2, number, l)
}

func setLimitsV1(group, number string, l Limits) error {
	for _, f := range []struct {
		name  string
		value int64
	}{
		{"read_iops", int64(l.ReadIOPS)}, {"write_iops", int64(l.WriteIOPS)},
		{"read_bps", l.ReadBPS}, {"write_bps", l.WriteBPS},
	} {
		file := filepath.Join(group, "blkio.throttle."+f.name+"_device")
		if err := writeLimit(file, fmt.Sprintf("%s %d", number, f.value)); err != nil {
			return err
		}
	}
	return nil
}

func setLimitsV2(group, number string, l Limits) error {
	word := func(v int64) string {
		if v == 0 {
			return "max"
		}
		return strconv.FormatInt(v, 10)
	}
	return writeLimit(filepath.Join(group, "io.max"), fmt.Sprintf("%s rbps=%s wbps=%s riops=%s wiops=%s", number,
		word(l.ReadBPS), word(l.WriteBPS), word(int64(l.ReadIOPS)), word(int64(l.WriteIOPS))))
}

// writeLimit writes to a file that the kernel must have: none is made.
func writeLimit(file, text string) error {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return unavailable("limits on block devices (%v)", err)
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// controlGroups finds this process's control group for block I/O, as a folder: of
// v1 if it is mounted, else of v2.
func controlGroups() (v1, v2 string, err error) {
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", "", unavailable("control groups (%v)", err)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", "", unavailable("control groups (%v)", err)
	}
	for line := range strings.Lines(string(groups)) { // 7:blkio:/some/group
		part := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(part) != 3 {
			continue
		}
		if hasWord(part[1], "blkio") {
			if dir := cgroupMount(string(mounts), "cgroup", "blkio"); dir != "" {
				return filepath.Join(dir, part[2]), "", nil
			}
		}
		if part[0] == "0" && part[1] == "" {
			if dir := cgroupMount(string(mounts), "cgroup2", ""); dir != "" {
				v2 = filepath.Join(dir, part[2])
			}
		}
	}
	if v2 == "" {
		return "", "", unavailable("control groups for block I/O")
	}
	return "", v2, nil
}

// cgroupMount is where a hierarchy is mounted; of v1, the one with the controller.
// Lines are as in proc(5): "36 35 98:0 /root /dir options - fstype source super".
func cgroupMount(mounts, fstype, controller string) string {
	for line := range strings.Lines(mounts) {
		before, after, ok := strings.Cut(line, " - ")
		fields, super := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 5 || len(super) < 3 || super[0] != fstype {
			continue
		}
		if controller == "" || hasWord(super[2], controller) {
			return fields[4]
		}
	}
	return ""
}

// hasWord says whether a list with commas has the word.
func hasWord(list, word string) bool {
	for w := range strings.SplitSeq(list, ",") {
		if w == word {
			return true
		}
	}
	return false
}
