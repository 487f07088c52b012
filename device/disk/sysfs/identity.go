package sysfs

import (
	"os"
	"path/filepath"
	"strings"
)

// Identity is what tells a disk from another, and how the kernel drives it. A
// partition has that of its disk.
type Identity struct {
	Model      string
	Serial     string
	Mapper     string // name of a device-mapper device, as vg-root
	Scheduler  string // none, mq-deadline, kyber, bfq; "": the device has no queue of requests, as zram
	Rotational bool
	Requests   int // nr_requests: how many the kernel queues before a submit blocks; 0: not told

	LogicalBlock  int // bytes
	PhysicalBlock int
	WriteCache    bool // volatile: a write is safe only after a flush
}

// Identity reads it.
func (t *Tree) Identity(n *Node) Identity { return identity(t.root, n.Disk().dir) }

// IdentityAt is the identity of the whole disk of that folder, such as
// /sys/block/sda.
func IdentityAt(dir string) Identity { return identity("/", dir) }

func identity(root, dir string) Identity {
	queue := filepath.Join(dir, "queue")
	id := Identity{
		Model: printable(word(dir, "device/model")), Serial: printable(serial(root, dir)), Mapper: printable(word(dir, "dm/name")),
		Scheduler: selected(word(queue, "scheduler")), Rotational: number(queue, "rotational") != 0,
		Requests: int(number(queue, "nr_requests")), LogicalBlock: int(number(queue, "logical_block_size")),
		PhysicalBlock: int(number(queue, "physical_block_size")), WriteCache: word(queue, "write_cache") == "write back",
	}
	if vendor := printable(word(dir, "device/vendor")); vendor != "" && id.Model != "" && !strings.HasPrefix(vendor, "0x") {
		id.Model = vendor + " " + id.Model // of SCSI, where the model alone says little
	}
	return id
}

// serial looks where the drivers put it: NVMe and MMC with the device, virtio with the
// disk, SCSI in a page of vital product data; or what udev has found out.
func serial(root, dir string) string {
	for _, file := range []string{"device/serial", "serial"} {
		if s := word(dir, file); s != "" {
			return s
		}
	}
	// SPC-4, table 617: the text of page 0x80 is after a header of 4 bytes.
	if page, err := os.ReadFile(filepath.Join(dir, "device/vpd_pg80")); err == nil && len(page) > 4 && page[1] == 0x80 {
		return string(page[4:])
	}
	db, err := os.ReadFile(filepath.Join(root, "run/udev/data", "b"+word(dir, "dev")))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(db)) {
		if s, is := strings.CutPrefix(strings.TrimSpace(line), "E:ID_SERIAL_SHORT="); is {
			return s
		}
	}
	return ""
}

// printable is a text of a device without what a terminal would act on.
func printable(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s))
}

// selected is the word in brackets of "none [mq-deadline] kyber".
func selected(s string) string {
	if _, after, ok := strings.Cut(s, "["); ok {
		one, _, _ := strings.Cut(after, "]")
		return one
	}
	return s
}
