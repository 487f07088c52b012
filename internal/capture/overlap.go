package capture

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"blksim/device/disk/sysfs"
	"blksim/internal/ebpf"
)

// layers is what is known of how disks and files lie over each other.
type layers struct {
	tree   *sysfs.Tree
	mounts string                               // text of /proc/self/mountinfo
	device func(path string) (sysfs.Dev, error) // of the file system that a path is on
	node   func(path string) (sysfs.Dev, bool)  // of a device file
}

// below calls visit for the disks beneath a block device, and itself; false ends it.
func (l *layers) below(n *sysfs.Node, seen map[sysfs.Dev]bool, visit func(disk *sysfs.Node)) (sure bool) {
	n = n.Disk()
	if seen[n.Dev] {
		return true
	}
	seen[n.Dev] = true
	visit(n)
	sure = true
	for _, name := range n.Slaves {
		if s := l.tree.Named(name); s != nil {
			sure = l.below(s, seen, visit) && sure
		}
	}
	if n.Backing != "" {
		if dev, is := l.node(n.Backing); is {
			if b := l.tree.Find(dev); b != nil {
				return l.below(b, seen, visit) && sure
			}
		}
		return l.file(n.Backing, seen, visit) && sure
	}
	return sure
}

// file calls visit for the disks that a file lies on. sure is false if it cannot be told.
func (l *layers) file(path string, seen map[sysfs.Dev]bool, visit func(disk *sysfs.Node)) (sure bool) {
	dev, err := l.device(path)
	if err != nil {
		return false
	}
	if n := l.tree.Find(dev); n != nil {
		return l.below(n, seen, visit)
	}
	// A file system with a number of its own: its mount names its source.
	for _, line := range strings.Split(l.mounts, "\n") {
		before, after, ok := strings.Cut(line, " - ")
		fields, tail := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 3 || len(tail) < 2 || fields[2] != dev.String() {
			continue
		}
		if slices.Contains([]string{"tmpfs", "ramfs", "devtmpfs", "proc", "sysfs"}, tail[0]) {
			return true // in memory
		}
		if source, is := l.node(tail[1]); is {
			if n := l.tree.Find(source); n != nil {
				l.below(n, seen, visit)
			}
		}
		return false // of several disks (btrfs, zfs), of the network, of another file system (overlay)
	}
	return false
}

// Overlap is whether the file at path, or the folder that it will be in, lies on one of
// the devices, however many layers are between; also where that cannot be told, as of
// an overlay file system. why says so in words.
func Overlap(path string, devices []ebpf.Device) (yes bool, why string, err error) {
	tree, err := sysfs.Read("/")
	if err != nil {
		return false, "", err
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return false, "", err
	}
	l := &layers{tree: tree, mounts: string(mounts), device: fileDevice, node: nodeDevice}
	return l.overlap(path, devices)
}

func (l *layers) overlap(path string, devices []ebpf.Device) (yes bool, why string, err error) {
	if _, err := os.Stat(path); err != nil {
		path = filepath.Dir(path)
	}
	sure := l.file(path, map[sysfs.Dev]bool{}, func(disk *sysfs.Node) {
		for _, d := range devices {
			if d.Dev == ebpf.MakeDev(disk.Dev.Major, disk.Dev.Minor) {
				yes, why = true, fmt.Sprintf("it lies on %s", d.Name)
			}
		}
	})
	if !yes && !sure {
		yes, why = true, "which disks it lies on cannot be told"
	}
	return yes, why, nil
}

// Stacked are pairs of the devices of which one lies over the other, in words: their I/O
// is seen twice.
func Stacked(devices []ebpf.Device) (pairs []string, err error) {
	tree, err := sysfs.Read("/")
	if err != nil {
		return nil, err
	}
	l := &layers{tree: tree, device: fileDevice, node: nodeDevice}
	for _, over := range devices {
		n := tree.Find(sysfs.Dev{Major: over.Dev.Major(), Minor: over.Dev.Minor()})
		if n == nil {
			continue
		}
		l.below(n, map[sysfs.Dev]bool{}, func(disk *sysfs.Node) {
			for _, d := range devices {
				if d.Dev != over.Dev && d.Dev == ebpf.MakeDev(disk.Dev.Major, disk.Dev.Minor) {
					pairs = append(pairs, over.Name+" over "+d.Name)
				}
			}
		})
	}
	return pairs, nil
}

// Kernel is the release of the running kernel, "" if it cannot be told.
func Kernel() string {
	b, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
