package signature

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"unsafe"
)

// Kind is what a signature belongs to.
type Kind uint8

// The kinds.
const (
	FileSystem Kind = iota
	RAID            // a member of an array, or of another stacked device
	VolumeGroup
	Encrypted
	Swap
	PartitionTable
)

var kindNames = [...]string{"file system", "RAID member", "LVM physical volume", "encrypted container", "swap area", "partition table"}

func (k Kind) String() string { return kindNames[k] }

// Found is one signature.
type Found struct {
	Name   string // of the format, such as ext2/3/4
	Kind   Kind
	Offset int64  // of the magic, bytes from the begin of the disk
	Detail string // what else it says: a version, a number of partitions; may be empty
}

func (f Found) String() string {
	s := f.Name
	if f.Detail != "" {
		s += " (" + f.Detail + ")"
	}
	return fmt.Sprintf("%s: %s, magic at byte %d", f.Kind, s, f.Offset)
}

const (
	// Window is how much of the begin and of the end is read, bytes.
	Window = 1 << 20

	// grain is what all reads are aligned to: offset and memory; and the length but
	// for the end of a disk that is no multiple of it.
	grain = 4096
)

// Probe tells what is on a disk of so many bytes, by offset. It reads extents that
// start at a multiple of 4,096 into memory that does, so r may be open for direct
// I/O. An error says that the disk could not be read, and that nothing is known.
func Probe(r io.ReaderAt, size int64) ([]Found, error) {
	if size < 0 {
		return nil, fmt.Errorf("signature: size %d: want 0 or more", size)
	}
	v := view{size: size}
	var err error
	if v.head, err = read(r, 0, min(size, Window)); err != nil {
		return nil, err
	}
	// At most a grain more than the window.
	v.tailAt = max(size-Window, 0) / grain * grain
	if v.tail, err = read(r, v.tailAt, size-v.tailAt); err != nil {
		return nil, err
	}
	var found []Found
	for _, m := range magics {
		at := m.at
		if at < 0 {
			at += size
		}
		if !v.has(at, m.bytes) {
			continue
		}
		f := Found{Name: m.name, Kind: m.kind, Offset: at}
		ok := true
		if m.more != nil {
			f.Detail, ok = m.more(v, at)
		}
		if ok {
			found = append(found, f)
		}
	}
	for _, more := range []func(v view) []Found{lvm, mdAtEnd, luksSecond, swap, zfs} {
		found = append(found, more(v)...)
	}
	slices.SortStableFunc(found, func(a, b Found) int { return cmp.Compare(a.Offset, b.Offset) })
	// A small disk has places that are counted from both ends.
	return slices.CompactFunc(found, func(a, b Found) bool { return a.Offset == b.Offset && a.Kind == b.Kind }), nil
}

// read reads an extent whole.
func read(r io.ReaderAt, at, n int64) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	b := aligned(int(n))
	got, err := r.ReadAt(b, at)
	if int64(got) == n {
		return b, nil // also with io.EOF
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return nil, fmt.Errorf("signature: %d bytes at %d: %w", n, at, err)
}

// aligned is memory that begins at a multiple of grain.
func aligned(n int) []byte {
	b := make([]byte, n+grain)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) % grain)
	return b[skip : skip+n : skip+n]
}

// view is what was read: the begin and the end.
type view struct {
	size   int64
	head   []byte
	tail   []byte
	tailAt int64
}

// at is n bytes at an offset, nil where they are not in view.
func (v view) at(off int64, n int) []byte {
	in := func(b []byte, from int64) []byte {
		if off < from || off > from+int64(len(b)-n) {
			return nil
		}
		return b[off-from:][:n:n]
	}
	if b := in(v.head, 0); b != nil {
		return b
	}
	return in(v.tail, v.tailAt)
}

func (v view) has(off int64, bytes string) bool { return string(v.at(off, len(bytes))) == bytes }
