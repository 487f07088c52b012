package sysfs

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Node is a block device: a whole disk or a partition.
type Node struct {
	Name   string // the kernel's, as sda1; its device file is by default /dev/Name
	Dev    Dev
	Size   int64 // bytes
	Parent *Node // of a partition: its disk
	Parts  []*Node

	Holders []string // names of the devices that are stacked on it
	Slaves  []string // names of the devices that it is stacked on
	Backing string   // of a loop device: path of the file or device behind it; "": none

	ReadOnly  bool
	Removable bool
	dir       string // in sysfs
}

// Dev is the number of a device.
type Dev struct{ Major, Minor uint32 }

func (d Dev) String() string { return fmt.Sprintf("%d:%d", d.Major, d.Minor) }

// ParseDev reads MAJOR:MINOR.
func ParseDev(s string) (d Dev, ok bool) {
	major, minor, both := strings.Cut(s, ":")
	a, err1 := strconv.ParseUint(major, 10, 32)
	b, err2 := strconv.ParseUint(minor, 10, 32)
	return Dev{uint32(a), uint32(b)}, both && err1 == nil && err2 == nil
}

// Tree is all block devices of the system, at one moment.
type Tree struct {
	Disks []*Node // without the partitions, by name
	nodes []*Node // with them
	root  string
}

// Read reads the tree below root: "/" but in tests.
func Read(root string) (*Tree, error) {
	t := &Tree{root: root}
	block := filepath.Join(root, "sys/block")
	entries, err := os.ReadDir(block)
	if err != nil {
		return nil, fmt.Errorf("sysfs: %w", err)
	}
	for _, e := range entries {
		disk := readNode(filepath.Join(block, e.Name()), nil)
		if disk == nil {
			continue // gone meanwhile
		}
		t.Disks = append(t.Disks, disk)
		t.nodes = append(append(t.nodes, disk), disk.Parts...)
	}
	return t, nil
}

// readNode reads a device and its partitions, nil if it is none.
func readNode(dir string, parent *Node) *Node {
	dev, ok := ParseDev(word(dir, "dev"))
	if !ok {
		return nil
	}
	const sector = 512 // of all sizes in sysfs, whatever the device's block
	n := &Node{Name: filepath.Base(dir), Dev: dev, Size: number(dir, "size") * sector, Parent: parent, dir: dir,
		Holders: names(filepath.Join(dir, "holders")), Slaves: names(filepath.Join(dir, "slaves")),
		Backing: word(dir, "loop/backing_file"), ReadOnly: number(dir, "ro") != 0, Removable: number(dir, "removable") != 0}
	n.Name = strings.ReplaceAll(n.Name, "!", "/") // as cciss!c0d0
	if parent != nil {
		return n
	}
	for _, name := range names(dir) {
		if part := filepath.Join(dir, name); word(part, "partition") != "" {
			if p := readNode(part, n); p != nil {
				n.Parts = append(n.Parts, p)
			}
		}
	}
	return n
}

// Find is the device of that number, nil if there is none.
func (t *Tree) Find(d Dev) *Node {
	return t.first(func(n *Node) bool { return n.Dev == d })
}

// Named is the device of the kernel's name, nil if there is none.
func (t *Tree) Named(name string) *Node {
	return t.first(func(n *Node) bool { return n.Name == name })
}

func (t *Tree) first(is func(n *Node) bool) *Node {
	if i := slices.IndexFunc(t.nodes, is); i >= 0 {
		return t.nodes[i]
	}
	return nil
}

// Disk is the whole disk of a device: itself, or a partition's parent.
func (n *Node) Disk() *Node {
	if n.Parent != nil {
		return n.Parent
	}
	return n
}

// word is the text of a file without space around it; "" if there is none.
func word(dir, file string) string {
	b, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// number is the number in a file; 0 if there is none.
func number(dir, file string) int64 {
	n, err := strconv.ParseInt(word(dir, file), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// names lists a folder; nothing if there is none.
func names(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}
