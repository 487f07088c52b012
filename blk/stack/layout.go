package stack

import (
	"fmt"

	"blksim/blk"
)

// Linear puts disks one behind the other.
func Linear(disks []*blk.Disk, o Options) (*Volume, error) {
	v, err := open(disks, o)
	if err != nil {
		return nil, err
	}
	l := &linear{}
	for _, d := range disks {
		l.ends = append(l.ends, l.capacity()+d.Limits().Capacity/int64(v.limits.BlockSize)*int64(v.limits.BlockSize))
	}
	v.layout, v.limits.Capacity = l, l.capacity()
	return v, nil
}

type linear struct{ ends []int64 } // of the disks, in the volume

// capacity of the volume, bytes.
func (l *linear) capacity() int64 {
	if len(l.ends) == 0 {
		return 0
	}
	return l.ends[len(l.ends)-1]
}

func (l *linear) cut(off, length int64, p *parent) {
	begin := int64(0)
	for disk, end := range l.ends {
		if n := min(length, end-off); n > 0 {
			p.piece(disk, off-begin, n)
			off += n
			length -= n
		}
		if length == 0 {
			return
		}
		begin = end
	}
}

// Stripe deals chunks of so many bytes to the disks in turn (RAID 0). Each disk
// gives as much as the smallest.
func Stripe(disks []*blk.Disk, chunk int64, o Options) (*Volume, error) {
	v, err := open(disks, o)
	if err != nil {
		return nil, err
	}
	if block := int64(v.limits.BlockSize); chunk <= 0 || chunk%block != 0 {
		return nil, fmt.Errorf("stack: chunk of %d bytes: want a multiple of the block size %d", chunk, block)
	}
	s := &stripe{disks: int64(len(disks)), chunk: chunk}
	size := v.smallest(chunk) * s.disks
	if size == 0 {
		return nil, fmt.Errorf("stack: chunk of %d bytes: the smallest disk has no room for one", chunk)
	}
	v.layout, v.limits.Capacity = s, size
	return v, nil
}

type stripe struct{ disks, chunk int64 }

func (s *stripe) cut(off, length int64, p *parent) {
	for length > 0 {
		number, within := off/s.chunk, off%s.chunk
		n := min(length, s.chunk-within)
		p.piece(int(number%s.disks), number/s.disks*s.chunk+within, n)
		off += n
		length -= n
	}
}
