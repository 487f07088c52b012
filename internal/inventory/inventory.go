package inventory

import (
	"os"
	"path/filepath"

	"blksim/device/disk/guard"
	"blksim/device/disk/signature"
	"blksim/device/disk/sysfs"
)

// Schema names the form of a List as JSON. Fields are only ever added to it.
const Schema = "blksim.disks/v1"

// List is the disks of a machine.
type List struct {
	Schema string `json:"schema"`
	Disks  []Disk `json:"disks"`
	Empty  int    `json:"without_medium"` // devices of size 0, which are left out unless asked for
}

// Disk is one disk, or one partition.
type Disk struct {
	Path      string   `json:"path"`
	Partition bool     `json:"partition"` // and its disk stands before it
	Bytes     int64    `json:"size_bytes"`
	Model     string   `json:"model,omitempty"`
	Serial    string   `json:"serial,omitempty"`
	Backing   string   `json:"backing_file,omitempty"` // of a loop device
	Scheduler string   `json:"scheduler,omitempty"`
	Rotates   bool     `json:"rotational"`
	Requests  int      `json:"nr_requests,omitempty"`
	Logical   int      `json:"logical_block_bytes"`
	Physical  int      `json:"physical_block_bytes"`
	Read      bool     `json:"read"`           // a run may read from it
	Write     Write    `json:"write"`          // whether a run may write to it
	Why       []string `json:"why"`            // why not; none if it may do both
	Contents  []string `json:"contents"`       // the signatures on it
	Mapper    string   `json:"name,omitempty"` // of a device-mapper device, as of a logical volume
}

// Write is what writing to a disk takes.
type Write string

// What it takes.
const (
	WriteNo    Write = "no"    // it is in use, or read-only, or this user may not
	WriteForce Write = "force" // that what is on it is given up: --force-overwrite
	WriteYes   Write = "yes"   // --allow-write, and nothing else
)

// Read lists the disks; all also has those without a medium.
func Read(all bool) (*List, error) {
	s, err := guard.Read()
	if err != nil {
		return nil, err
	}
	list := &List{Schema: Schema, Disks: []Disk{}}
	for _, n := range s.Tree.Disks {
		if n.Size == 0 && !all {
			list.Empty++
			continue
		}
		list.Disks = append(list.Disks, describe(s, n))
		for _, p := range n.Parts {
			list.Disks = append(list.Disks, describe(s, p))
		}
	}
	return list, nil
}

// describe looks at one device.
func describe(s *guard.System, n *sysfs.Node) Disk {
	id := s.Tree.Identity(n)
	d := Disk{Path: filepath.Join("/dev", n.Name), Partition: n.Parent != nil, Bytes: n.Size, Model: id.Model, Serial: id.Serial,
		Backing: n.Backing, Scheduler: id.Scheduler, Rotates: id.Rotational, Requests: id.Requests,
		Logical: id.LogicalBlock, Physical: id.PhysicalBlock, Mapper: id.Mapper, Write: WriteNo, Why: []string{}, Contents: []string{}}
	if n.Size == 0 {
		d.Why = append(d.Why, "no medium")
		return d
	}
	t, err := guard.Resolve(d.Path)
	if err == nil && t.Node.Dev != n.Dev {
		d.Why = append(d.Why, d.Path+" is another device")
		return d
	}
	d.Why = append(d.Why, s.Users(&guard.Target{Path: d.Path, Node: n})...)
	if n.ReadOnly {
		d.Why = append(d.Why, "read-only")
	}
	var found []signature.Found
	if err == nil {
		found, err = contents(t)
	}
	if err != nil {
		d.Why = append(d.Why, "cannot be read: "+err.Error())
		return d
	}
	d.Read = true
	for _, f := range found {
		d.Contents = append(d.Contents, f.String())
	}
	switch {
	case len(d.Why) > 0:
	case len(found) > 0 || len(n.Parts) > 0:
		d.Write = WriteForce
		d.Why = append(d.Why, d.Contents...)
		for _, p := range n.Parts {
			d.Why = append(d.Why, "partition "+p.Name)
		}
	default:
		d.Write = WriteYes
	}
	return d
}

// contents reads what is on a disk.
func contents(t *guard.Target) ([]signature.Found, error) {
	f, err := os.Open(t.Real)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return signature.Probe(f, t.Size)
}
