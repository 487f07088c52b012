package stack

import (
	"errors"
	"fmt"
	"sync/atomic"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/blk"
	"blksim/driver"
)

// Options are what all volumes have.
type Options struct {
	// Lanes are those that may submit; all of them are submitters of every disk.
	Lanes []lane.Lane
	// InFlight is how many children each lane may have submitted at once; I/Os
	// beyond wait. (For all lanes together, a lane that has none under way would
	// have to be told by another that there is room.) 0: 4096.
	InFlight int
}

// layout says which children an I/O has. (A callback in place of p would be an
// allocation for each I/O.)
type layout interface {
	// cut calls p.piece for each piece of an extent, in order.
	cut(off, length int64, p *parent)
}

// Volume is one device made of several disks.
type Volume struct {
	disks  []*blk.Disk
	layout layout
	mirror *mirror // nil: it is none
	limits driver.Limits
	ctx    *aio.Context
	ports  []*port // by lane index
	legs   []leg
}

var _ aio.Target = (*Volume)(nil)

// leg is a disk as the target of children.
type leg struct {
	v    *Volume
	disk *blk.Disk
}

// Start hands a child on, behind the gate of its parent, which the port has at
// hand: a child starts inside the submit.
func (g *leg) Start(l lane.Lane, k aio.Kiocb) {
	g.disk.StartGated(l, k, g.v.ports[l.Index()].current)
}

// open makes what all volumes have; the caller fills in the rest.
func open(disks []*blk.Disk, o Options) (*Volume, error) {
	if len(disks) == 0 {
		return nil, errors.New("stack: no disks: want at least one")
	}
	if o.InFlight < 0 {
		return nil, fmt.Errorf("stack: %d children in flight: want 0 or more", o.InFlight)
	}
	if o.InFlight == 0 {
		o.InFlight = 4096
	}
	v := &Volume{disks: disks, limits: disks[0].Limits()}
	for _, d := range disks {
		lim := d.Limits()
		v.limits.BlockSize = max(v.limits.BlockSize, lim.BlockSize)
		v.limits.Ops &= lim.Ops
		v.limits.WriteCache = v.limits.WriteCache || lim.WriteCache
		v.legs = append(v.legs, leg{v, d})
	}
	var err error
	v.ctx, err = aio.New(aio.Options{Capacity: o.InFlight * len(o.Lanes), Lanes: o.Lanes, OnEvents: v.onEvents})
	if err != nil {
		return nil, fmt.Errorf("stack: %w", err)
	}
	for _, l := range o.Lanes {
		for len(v.ports) <= l.Index() {
			v.ports = append(v.ports, nil)
		}
		q := &port{v: v, lane: l, table: make([]atomic.Pointer[child], o.InFlight)}
		for i := range q.table {
			q.numbers = append(q.numbers, i)
		}
		v.ports[l.Index()] = q
	}
	return v, nil
}

// smallest is the capacity of the smallest disk in whole units.
func (v *Volume) smallest(unit int64) int64 {
	n := v.disks[0].Limits().Capacity
	for _, d := range v.disks {
		n = min(n, d.Limits().Capacity)
	}
	return n / unit * unit
}

// Limits describes the volume. An I/O of any length is cut to the disks' limits.
func (v *Volume) Limits() driver.Limits { return v.limits }

// Check is as blk.Disk.Check.
func (v *Volume) Check(op aio.Op, off, length int64) aio.Status {
	block := int64(v.limits.BlockSize)
	for _, d := range v.disks {
		if st := d.Check(op, 0, block); st != aio.OK && op != aio.OpFlush {
			return st
		}
	}
	switch {
	case op == aio.OpFlush:
		return aio.OK
	case length <= 0, off < 0, off%block != 0, length%block != 0:
		return aio.Invalid
	case length > v.limits.Capacity, off > v.limits.Capacity-length:
		return aio.OutOfRange
	}
	return aio.OK
}

// WhenIdle has f called on l as soon as no child of an I/O of that lane is with the
// disks: perhaps at once, and perhaps later than all I/Os have ended, since a read
// that lost to a hedge ends after its I/O. One f a lane waits at a time. On l.
func (v *Volume) WhenIdle(l lane.Lane, f func()) {
	q := v.ports[l.Index()]
	if q.active == 0 {
		f()
		return
	}
	q.idle = f
}

// Stats adds up the counters of all lanes: call it when all I/O has ended.
func (v *Volume) Stats() Stats {
	t := Stats{StaleCompletes: v.ctx.Stats().StaleCompletes}
	for _, p := range v.ports {
		if p != nil {
			t.add(&p.stats)
		}
	}
	return t
}

// Stats counts what a volume did.
type Stats struct {
	Rejected int64 // refused by Check, and never cut
	IOs      int64 // that were cut
	Children int64
	Waited   int64 // I/Os that had to wait for room for a child
	Kept     int64 // cancels of an I/O that is all or none, and had begun

	ReadRetries int64 // reads that another leg was asked for after an error
	LegsLost    int64 // legs that left a mirror

	HedgesIssued    int64 // reads that a second leg was asked for
	HedgesWon       int64 // and that it answered first
	HedgesDenied    int64 // the budget was used up
	LosersCancelled int64 // reads that lost and were cancelled in time
	LosersLate      int64 // and that were done all the same

	StaleCompletes int64 // second completions of children, refused: a disk's error
}

func (s *Stats) add(o *Stats) {
	s.Rejected += o.Rejected
	s.IOs += o.IOs
	s.Children += o.Children
	s.Waited += o.Waited
	s.Kept += o.Kept
	s.ReadRetries += o.ReadRetries
	s.LegsLost += o.LegsLost
	s.HedgesIssued += o.HedgesIssued
	s.HedgesWon += o.HedgesWon
	s.HedgesDenied += o.HedgesDenied
	s.LosersCancelled += o.LosersCancelled
	s.LosersLate += o.LosersLate
	s.StaleCompletes += o.StaleCompletes
}
