package guard

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"blksim/device/disk/sysfs"
)

// System is what the kernel says of who uses which device, at one moment.
type System struct {
	Tree   *sysfs.Tree
	mounts []mount
	swaps  []string          // paths
	btrfs  map[string]string // name of a member: its file system
	look   looker
}

// looker tells what a path leads to: a block device with its number, or a file. The
// tests have their own.
type looker interface {
	device(path string) (sysfs.Dev, bool)
	same(path string, f os.FileInfo) bool
}

// mount is a line of mountinfo.
type mount struct {
	dev                 sysfs.Dev
	dir, fstype, source string
}

// readSystem reads it below root: "/" but in tests. What cannot be read is an error:
// it might be the one that says that a disk is in use.
func readSystem(root string, look looker) (*System, error) {
	s := &System{look: look, btrfs: map[string]string{}}
	var err error
	if s.Tree, err = sysfs.Read(root); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(root, "proc/self/mountinfo"))
	if err != nil {
		return nil, fmt.Errorf("guard: who uses which disk: %w", err)
	}
	s.mounts = parseMounts(string(text))
	// In a container those of the host too, where they may be seen.
	if text, err := os.ReadFile(filepath.Join(root, "proc/1/mountinfo")); err == nil {
		s.mounts = append(s.mounts, parseMounts(string(text))...)
	}
	if text, err := os.ReadFile(filepath.Join(root, "proc/swaps")); err == nil { // none in a kernel without swap
		s.swaps = parseSwaps(string(text))
	}
	fsids, err := filepath.Glob(filepath.Join(root, "sys/fs/btrfs/*/devices/*"))
	if err != nil {
		return nil, fmt.Errorf("guard: %w", err)
	}
	for _, path := range fsids {
		s.btrfs[filepath.Base(path)] = filepath.Base(filepath.Dir(filepath.Dir(path)))
	}
	return s, nil
}

// parseMounts reads lines as of proc_pid_mountinfo(5): the number of the device is
// field 3, the mount point 5; type and source follow a "-".
func parseMounts(text string) (all []mount) {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		dash := slices.Index(f, "-")
		if dash < 5 || len(f) < dash+3 {
			continue
		}
		m := mount{dir: unescape(f[4]), fstype: f[dash+1], source: unescape(f[dash+2])}
		m.dev, _ = sysfs.ParseDev(f[2])
		all = append(all, m)
	}
	return all
}

// parseSwaps reads /proc/swaps: a title, and a line for each area, its path first.
func parseSwaps(text string) (paths []string) {
	first := true
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if !first && len(f) > 0 {
			paths = append(paths, unescape(f[0]))
		}
		first = false
	}
	return paths
}

// unescape turns the kernel's octal escapes, as \040 for a space, into bytes.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			v := 0
			for _, c := range []byte(s[i+1 : i+4]) {
				if c < '0' || c > '7' {
					v = -1
					break
				}
				v = v*8 + int(c-'0')
			}
			if v >= 0 && v < 256 {
				b.WriteByte(byte(v))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// Users says who uses a target: reasons not to write to it, none if it is free as far
// as the kernel tells. The target was resolved before or after the system was read.
func (s *System) Users(t *Target) []string {
	if !t.Block() {
		return s.ofFile(t.Info)
	}
	n := s.Tree.Find(t.Node.Dev)
	if n == nil {
		return []string{"the device is gone"}
	}
	return s.ofDevice(n)
}

// ofDevice says who uses a block device: itself, its partitions, or its disk.
func (s *System) ofDevice(n *sysfs.Node) []string {
	reasons := s.uses(n, nil)
	for _, p := range n.Parts {
		for _, why := range s.uses(p, nil) {
			reasons = append(reasons, fmt.Sprintf("its partition %s is %s", p.Name, why))
		}
	}
	if n.Parent != nil {
		for _, why := range s.uses(n.Parent, nil) {
			reasons = append(reasons, fmt.Sprintf("its disk %s is %s", n.Parent.Name, why))
		}
	}
	return unique(reasons)
}

// ofFile says who uses a regular file: as swap, or behind a loop device.
func (s *System) ofFile(f os.FileInfo) (reasons []string) {
	for _, path := range s.swaps {
		if s.look.same(path, f) {
			reasons = append(reasons, "active swap")
		}
	}
	for _, loop := range s.Tree.Disks {
		if loop.Backing != "" && s.look.same(loop.Backing, f) {
			reasons = append(reasons, s.stacked("behind", loop, nil)...)
		}
	}
	return unique(reasons)
}

// uses says for what a device, and not its partitions, is used. path is the devices
// that led here, against a circle.
func (s *System) uses(n *sysfs.Node, path []*sysfs.Node) (reasons []string) {
	if slices.Contains(path, n) {
		return nil
	}
	path = append(slices.Clip(path), n)
	mounted := false
	for _, m := range s.mounts {
		dev, is := s.look.device(m.source)
		if m.dev == n.Dev || is && dev == n.Dev {
			reasons = append(reasons, fmt.Sprintf("mounted on %s (%s)", m.dir, m.fstype))
			mounted = true
		}
	}
	for _, area := range s.swaps {
		if dev, is := s.look.device(area); is && dev == n.Dev {
			reasons = append(reasons, "active swap")
		}
	}
	if id, is := s.btrfs[n.Name]; is && !mounted {
		reasons = append(reasons, "part of the mounted btrfs "+id)
	}
	for _, name := range n.Holders {
		holder := s.Tree.Named(name)
		if holder == nil {
			reasons = append(reasons, "held by "+name)
			continue
		}
		reasons = append(reasons, s.stacked("held by", holder, path)...)
	}
	for _, loop := range s.Tree.Disks {
		if dev, is := s.look.device(loop.Backing); is && dev == n.Dev {
			reasons = append(reasons, s.stacked("behind", loop, path)...)
		}
	}
	return reasons
}

// stacked says that a device is on top, and what for in its turn.
func (s *System) stacked(how string, top *sysfs.Node, path []*sysfs.Node) (reasons []string) {
	why := s.uses(top, path)
	for _, p := range top.Parts {
		why = append(why, s.uses(p, path)...)
	}
	for _, w := range why {
		reasons = append(reasons, fmt.Sprintf("%s %s, which is %s", how, top.Name, w))
	}
	if len(reasons) == 0 {
		reasons = []string{how + " " + top.Name}
	}
	return reasons
}

// unique is the reasons in their order, each once.
func unique(reasons []string) (list []string) {
	for _, r := range reasons {
		if !slices.Contains(list, r) {
			list = append(list, r)
		}
	}
	return list
}
