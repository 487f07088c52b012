package guard

import (
	"os"

	"blksim/device/disk/signature"
	"blksim/device/disk/sysfs"
)

// Target is what a path leads to.
type Target struct {
	Path string // as it was given
	Real string // without symbolic links
	Size int64  // bytes
	Node *sysfs.Node
	Info os.FileInfo
}

// Block says whether it is a block device, and not a regular file.
func (t *Target) Block() bool { return t.Node != nil }

// Options say what a claim may pass over.
type Options struct {
	Overwrite bool // what is on the target is not wanted any more
}

// A Claimed target may be written to until File is closed.
type Claimed struct {
	Target
	File  *os.File          // open for reading and writing, through the page cache
	Found []signature.Found // what will be lost; none, unless Options.Overwrite
	Parts []string          // names of the partitions that the kernel sees on it; likewise
}

// Close gives the claim up.
func (c *Claimed) Close() error { return c.File.Close() }
