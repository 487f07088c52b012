package flash

import (
	"time"

	"blksim/aio/lane"
)

// operation is one access of an array.
type operation struct {
	node    node[operation] // in a die's or a channel's list
	request *request        // who waits for it; nil: nobody
	sibling *operation      // the next one of the request, or of the free ones
	die     *die
	row     rowID
	bytes   int64 // that cross the channel
	unit    int64 // a program of a write without buffer: its first unit
	kind    opKind
	state   opState
	slc     bool // a program with one bit a cell
}

type opKind uint8

const (
	opRead     opKind = iota
	opProgram         // a row
	opReadBack        // a read of old data that nobody waits for
	opMove            // a program of what garbage collection has moved
)

// programs says whether o writes to the array.
func (o *operation) programs() bool { return o.kind == opProgram || o.kind == opMove }

type opState uint8

const (
	opBacklog  opState = iota // program: waits for its turn among the die's programs
	opQueued                  // in the die's list: not begun
	opErasing                 // program: the die erases a block first
	opArray                   // in the array
	opWaiting                 // in the channel's list
	opTransfer                // on the channel
	opDone
)

// die does one operation at a time.
type die struct {
	f       *Flash
	channel *channel
	timer   lane.Timer
	due     lane.Time
	current *operation
	queue   list[operation]
	backlog list[operation] // programs: one at a time is in queue or current
	program bool            // one is
	filled  int             // rows of the open block that are taken
}

func (d *die) init(f *Flash, c *channel) {
	d.f, d.channel = f, c
	d.timer = f.lane.NewTimer(d.fire)
}

// enqueue adds o to what the die has to do.
func (d *die) enqueue(o *operation, t lane.Time) {
	if o.programs() {
		if d.program {
			o.state = opBacklog
			d.backlog.push(&o.node)
			return
		}
		d.program = true
	}
	o.state = opQueued
	d.queue.push(&o.node)
	if d.current == nil {
		d.begin(t)
	}
}

// begin starts the next operation; the die is free.
func (d *die) begin(t lane.Time) {
	o := d.queue.pop()
	if o == nil {
		return
	}
	f := d.f
	d.current = o
	f.stats.Started++
	if !o.programs() {
		f.stats.Reads++
		o.state = opArray
		d.after(t, f.read.draw(f.readTime(o)))
		return
	}
	f.stats.Programs++
	if o.request != nil {
		o.request.begun = true
	}
	if d.filled == f.cfg.PagesPerBlock && f.cfg.EraseTime > 0 {
		d.filled = 0
		f.stats.Erases++
		o.state = opErasing
		d.after(t, f.erase.draw(f.cfg.EraseTime))
		return
	}
	d.channel.enqueue(o, t)
}

// fire: the array has finished.
func (d *die) fire() {
	f, o, t := d.f, d.current, d.due
	switch {
	case o.state == opErasing:
		d.channel.enqueue(o, t)
	case o.programs():
		d.filled++
		d.release(t)
		if o.kind == opMove {
			f.freeOp(o)
			return
		}
		f.programmed(o, t)
	case o.kind == opRead && o.request == nil: // aborted meanwhile
		d.release(t)
		f.freeOp(o)
	default:
		d.channel.enqueue(o, t)
	}
}

// transferred: the channel has moved o's data.
func (d *die) transferred(o *operation, t lane.Time) {
	if o.programs() {
		o.state = opArray
		d.after(t, d.f.program.draw(d.f.programTime(o)))
		return
	}
	d.release(t)
	if o.request == nil {
		d.f.freeOp(o)
		return
	}
	d.f.ended(o, t)
}

// release frees the die for its next operation.
func (d *die) release(t lane.Time) {
	if d.current.programs() {
		d.nextProgram()
	}
	d.current = nil
	d.begin(t)
}

// nextProgram lets the next program of the backlog join the queue.
func (d *die) nextProgram() {
	o := d.backlog.pop()
	if d.program = o != nil; d.program {
		o.state = opQueued
		d.queue.push(&o.node)
	}
}

// cancel takes o back if the die has not begun it, and says so.
func (d *die) cancel(o *operation) bool {
	switch o.state {
	case opBacklog:
		d.backlog.remove(&o.node)
	case opQueued:
		d.queue.remove(&o.node)
		if o.kind == opProgram {
			d.nextProgram()
		}
	default:
		return false
	}
	return true
}

func (d *die) after(t lane.Time, arrayTime time.Duration) {
	d.due = t.Add(arrayTime)
	d.timer.Arm(d.due.Sub(d.f.lane.Now()))
}

// readTime is that of the page that a row is of each plane: the pages of a block
// take turns.
func (f *Flash) readTime(o *operation) time.Duration {
	if f.pageTypes == 0 {
		return f.cfg.ReadTime
	}
	page := o.row.number() / int64(len(f.dies)) % f.perBlock
	return f.cfg.ReadPages[page%f.pageTypes]
}

func (f *Flash) programTime(o *operation) time.Duration {
	if o.slc {
		return f.cfg.SLCProgramTime
	}
	return f.cfg.ProgramTime
}

// newOp takes an operation on a row from the pool.
func (f *Flash) newOp(kind opKind, row rowID) *operation {
	if f.ops == nil {
		slab := make([]operation, 64)
		for i := range slab {
			o := &slab[i]
			o.node.owner = o
			o.sibling, f.ops = f.ops, o
		}
	}
	o := f.ops
	f.ops = o.sibling
	f.live++
	o.kind, o.row, o.request, o.slc = kind, row, nil, false
	o.die = &f.dies[row.number()%int64(len(f.dies))]
	return o
}

func (f *Flash) freeOp(o *operation) {
	f.live--
	o.request = nil
	o.sibling, f.ops = f.ops, o
}
