package stack

import (
	"sync/atomic"

	"blksim/aio"
	"blksim/aio/lane"
)

// port is what one submitting lane has of a volume.
type port struct {
	v       *Volume
	lane    lane.Lane
	free    []*parent
	table   []atomic.Pointer[child] // of the submitted children, by the low half of their IO.Data; read on any lane
	numbers []int                   // free places in table
	current *parent                 // whose child is being submitted
	waiting []*parent               // with children that there was no room for, in order
	active  int                     // parents in use
	idle    func()                  // is called when that is none; see WhenIdle
	turn    int                     // the leg that the next read of a mirror goes to
	hedge   hedger
	stats   Stats
}

// A parent is an I/O of a volume. It belongs to the lane that submitted it, and is
// used again.
type parent struct {
	port     *port
	k        aio.Kiocb
	op       aio.Op
	active   bool
	done     bool // the I/O has completed; children may be left
	children []*child
	count    int // of children in use
	sent     int // of those: submitted
	left     int // of those: not ended
	kickFn   func()
	timer    lane.Timer // for its deadline
	late     lane.Timer // for its hedge
	begun    lane.Time
	at       int64 // where the next piece begins

	started              bool // a device has seen a child
	dispatched, returned lane.Time
}

// A child is a piece of a parent on one disk.
type child struct {
	p     *parent
	id    aio.ID
	place int // in the port's table, while it is submitted
	disk  int
	off   int64 // on the disk
	at    int64 // within the parent's extent
	size  int64
	buf   []byte // the volume's own; nil: the parent's
	ended bool
	hedge bool
	ev    aio.Event
	endFn func()
}

// Open and Whole make a parent the gate of its children.
func (p *parent) Open() bool  { return p.k.StartPart() }
func (p *parent) Whole() bool { return p.op != aio.OpRead }

// Start begins one I/O. See aio.Target.
func (v *Volume) Start(l lane.Lane, k aio.Kiocb) {
	var q *port
	if i := l.Index(); i < len(v.ports) {
		q = v.ports[i]
	}
	if q == nil {
		panic("stack: Start on a lane that is not among the volume's")
	}
	op := k.Op()
	st := v.Check(op, k.Off(), k.Len())
	if st == aio.OK && op.HasData() && int64(len(k.Buf())) != k.Len() {
		st = aio.Invalid
	}
	if st != aio.OK {
		q.stats.Rejected++
		k.Complete(l, st, 0)
		return
	}
	p := q.parent()
	p.k, p.op, p.active, p.done, p.begun = k, op, true, false, l.Now()
	p.started, p.dispatched, p.returned = false, 0, 0
	k.SetPrivate(p)
	q.stats.IOs++
	switch {
	case v.mirror != nil:
		v.mirror.cut(p)
	case op == aio.OpFlush:
		for disk := range v.disks {
			p.child(disk, 0, 0, 0)
		}
	default:
		p.at = 0
		v.layout.cut(k.Off(), k.Len(), p)
	}
	if p.count == 0 {
		p.complete(aio.Gone, 0)
		p.recycle()
		return
	}
	if at := k.Deadline(); at != 0 {
		p.timer.Arm(at.Sub(l.Now()))
	}
	// A cancel that came before has the callback run now.
	_ = k.SetCancelFunc(onCancel)
	p.send()
}

// parent takes one that is not in use.
func (q *port) parent() *parent {
	q.active++
	if n := len(q.free); n > 0 {
		p := q.free[n-1]
		q.free = q.free[:n-1]
		return p
	}
	p := &parent{port: q}
	p.kickFn = p.kicked
	p.timer = q.lane.NewTimer(p.expired)
	p.late = q.lane.NewTimer(p.hedgeDue)
	return p
}

// piece adds the next piece of the extent.
func (p *parent) piece(disk int, off, size int64) {
	p.child(disk, off, p.at, size)
	p.at += size
}

// child adds a child.
func (p *parent) child(disk int, off, at, size int64) *child {
	if p.count == len(p.children) {
		c := &child{p: p}
		c.endFn = c.arrived
		p.children = append(p.children, c)
	}
	c := p.children[p.count]
	p.count++
	p.left++
	c.id, c.disk, c.off, c.at, c.size, c.buf, c.ended, c.hedge = 0, disk, off, at, size, nil, false, false
	return c
}

// send submits the children that were not yet, as far as there is room. They are
// plugged, so that those that meet on a disk go as one request.
func (p *parent) send() {
	q := p.port
	for _, d := range q.v.disks {
		d.Plug(q.lane)
	}
	for p.sent < p.count {
		if len(q.numbers) == 0 {
			q.stall(p)
			break
		}
		c := p.children[p.sent]
		c.place = q.numbers[len(q.numbers)-1]
		io := aio.IO{Op: p.op, Off: c.off, Len: c.size, Flags: p.k.Flags(),
			Data: uint64(q.lane.Index())<<32 | uint64(c.place)}
		if p.op.HasData() {
			if io.Buf = c.buf; c.buf == nil {
				io.Buf = p.k.Buf()[c.at:][:c.size]
			}
		}
		q.current = p
		q.table[c.place].Store(c)
		id, err := q.v.ctx.Submit(q.lane, &q.v.legs[c.disk], io)
		if err != nil {
			q.stall(p)
			break
		}
		c.id = id
		q.numbers = q.numbers[:len(q.numbers)-1]
		p.sent++
		q.stats.Children++
	}
	q.current = nil
	for _, d := range q.v.disks {
		d.Unplug(q.lane)
	}
	if p.sent > 0 && p.k.Cancelled() {
		p.kicked()
	}
}

// stall has p wait for room.
func (q *port) stall(p *parent) {
	q.stats.Waited++
	q.waiting = append(q.waiting, p)
}

// sendWaiting goes on with what there was no room for.
func (q *port) sendWaiting() {
	for len(q.waiting) > 0 && q.v.ctx.InFlight() < q.v.ctx.Capacity() {
		p := q.waiting[0]
		q.waiting = q.waiting[1:]
		before := p.sent
		p.send()
		if p.sent == before && p.sent < p.count {
			return
		}
	}
}

// onCancel is the cancel callback of every parent. It runs anywhere.
func onCancel(k aio.Kiocb) {
	p := k.Private().(*parent)
	p.port.lane.Post(p.kickFn)
}

// kicked cancels the children, if the parent was cancelled and may still be.
func (p *parent) kicked() {
	if !p.active || p.done || !p.k.Cancelled() {
		return
	}
	if p.Whole() && p.k.StartPart() {
		p.port.stats.Kept++
		return
	}
	for _, c := range p.children[:p.sent] {
		if !c.ended {
			p.port.v.ctx.Cancel(c.id)
		}
	}
}

// expired is the deadline.
func (p *parent) expired() {
	if p.active && !p.done {
		p.k.Cancel() // the callback posts the kick
	}
}

// onEvents takes the ends of children, wherever their disks' queues are.
func (v *Volume) onEvents(l lane.Lane, evs []aio.Event) {
	for i := range evs {
		ev := &evs[i]
		q := v.ports[ev.Data>>32]
		c := q.table[uint32(ev.Data)].Load()
		c.ev = *ev
		if q.lane == l {
			c.arrived()
		} else {
			q.lane.Post(c.endFn)
		}
	}
	if i := l.Index(); i < len(v.ports) && v.ports[i] != nil {
		v.ports[i].sendWaiting()
	}
}
