package flash

import (
	"blksim/aio/lane"
	"blksim/device/nvme"
	"blksim/device/nvme/spec"
)

// Rand is a source of random numbers.
type Rand interface{ Uint64() uint64 }

// Flash is the medium. See the package comment for the model.
type Flash struct {
	lane lane.Lane
	cfg  Config
	host nvme.MediumHost

	requests []request // by slot
	front    *line
	in       *line // host to device
	out      *line // device to host, and the latency of reads
	ack      *line // the latency of everything else

	dies     []die
	channels []channel
	ops      *operation // free ones
	live     uint64     // array operations that are not free; tests look at it

	units   mapping
	buffer  buffer
	slc     slc
	blocks  *blocks // nil: no garbage collection
	nextRow int64   // the log's next row

	read, program, erase sampler // of array times

	rowUnits  int64
	rowBytes  int64
	pageTypes int64
	perBlock  int64 // pages of a block of a plane, as the log uses it
	finished  bool  // Done was called since the last Settle

	stats nvme.MediumStats
}

var _ nvme.Medium = (*Flash)(nil)

// request is a command with the medium.
type request struct {
	node    node[request] // in the list of its stage
	op      *nvme.Op
	stage   stage
	at      lane.Time  // when it leaves its line
	ops     *operation // its array operations, until all have ended
	pending int        // those that have not
	begun   bool       // a write: something of it is on its way into a die or the buffer
	unit    int64      // a write: next unit to be given a place in the buffer
	mark    int64      // what it waits for: all rows below are programmed
}

// stage is where a request is.
type stage uint8

const (
	idle     stage = iota // not with the medium
	inFront               // in f.front
	inLink                // in f.in
	inDies                // its operations are
	inOut                 // in f.out
	inAck                 // in f.ack
	inBuffer              // waits for room, or for the room of its last units
	inFlush               // waits for rows to be programmed
)

// New makes a drive that runs on l. r is not used when no time varies, and
// may then be nil.
func New(l lane.Lane, r Rand, cfg Config) (*Flash, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	f := &Flash{
		lane: l, cfg: cfg,
		rowBytes: int64(cfg.Row()), rowUnits: int64(cfg.Row()) / Unit,
		units:     newMapping((cfg.Capacity + Unit - 1) / Unit),
		read:      newSampler(cfg.ReadSpread, cfg.Jitter, r),
		program:   newSampler(cfg.ProgramSpread, cfg.Jitter, r),
		erase:     newSampler(cfg.EraseSpread, cfg.Jitter, r),
		pageTypes: int64(cfg.PageTypes()), perBlock: int64(cfg.PagesPerBlock),
	}
	f.buffer.init(cfg)
	f.slc.init(cfg)
	if f.blocks = newBlocks(f); f.blocks != nil {
		f.perBlock = f.blocks.rows / int64(cfg.Dies())
	}
	f.front = f.newLine(f.issue)
	f.in = f.newLine(f.arrive)
	f.out = f.newLine(f.done)
	f.ack = f.newLine(f.done)
	f.channels = make([]channel, cfg.Channels)
	for i := range f.channels {
		f.channels[i].init(f)
	}
	f.dies = make([]die, cfg.Dies())
	for i := range f.dies {
		f.dies[i].init(f, &f.channels[i%cfg.Channels])
	}
	return f, nil
}

// Attach is part of nvme.Medium.
func (f *Flash) Attach(h nvme.MediumHost, slots int) {
	f.host = h
	f.requests = make([]request, slots)
	for i := range f.requests {
		f.requests[i].node.owner = &f.requests[i]
	}
}

// Volatile is part of nvme.Medium.
func (f *Flash) Volatile() bool { return f.cfg.Volatile }

// Stats is part of nvme.Medium.
func (f *Flash) Stats() nvme.MediumStats { return f.stats }

// Begin is part of nvme.Medium. Nothing ends at once here.
func (f *Flash) Begin(op *nvme.Op) (spec.Status, bool) {
	r := &f.requests[op.Slot]
	r.op, r.begun, r.pending = op, false, 0
	now := f.lane.Now()
	if f.cfg.CommandTime == 0 {
		f.issue(r, now)
	} else {
		r.stage = inFront
		f.front.push(r, now, f.cfg.CommandTime, 0)
	}
	return spec.Success, false
}

// issue follows the front.
func (f *Flash) issue(r *request, t lane.Time) {
	switch r.op.Kind {
	case nvme.OpRead:
		f.issueRead(r, t)
	case nvme.OpWrite:
		if f.cfg.LinkRate == 0 {
			f.arrive(r, t)
			return
		}
		r.stage = inLink
		f.in.push(r, t, transfer(r.op.Len, f.cfg.LinkRate), 0)
	case nvme.OpFlush:
		f.flush(r, t)
	default: // the mapping changes when it is done
		f.acknowledge(r, t)
	}
}

// issueRead makes one array read for each row that r touches.
func (f *Flash) issueRead(r *request, t lane.Time) {
	r.stage = inDies
	first, last := r.op.Off/Unit, (r.op.Off+r.op.Len-1)/Unit
	for u := first; u <= last; {
		leaf, end := f.units.leaf(u)
		end = min(end, last+1)
		if leaf == nil && (f.blocks == nil || f.cfg.Filled != Random) { // never written: by rows
			for u < end {
				row := u / f.rowUnits
				n := min(end, (row+1)*f.rowUnits) - u
				f.addRead(r, staticRow(row), n)
				u += n
			}
			continue
		}
		for ; u < end; u++ {
			v := unwritten
			if leaf != nil {
				v = leaf[u&leafMask]
			}
			switch {
			case v == unwritten:
				f.addRead(r, f.staticRowOf(u), 1)
			case v == trimmed || f.inBuffer(v):
			default:
				f.addRead(r, logRow(v.row()), 1)
			}
		}
	}
	// Only now: an operation that begins must not find its request half made.
	for o := r.ops; o != nil; o = o.sibling {
		o.die.enqueue(o, t)
	}
	if r.pending == 0 {
		f.send(r, t)
	}
}

// staticRowOf is the row of a unit that was never written.
func (f *Flash) staticRowOf(u int64) rowID {
	if f.blocks == nil || f.cfg.Filled != Random {
		return staticRow(u / f.rowUnits)
	}
	block, slot := f.blocks.before.find(u)
	return staticRow(block*f.blocks.rows + slot/f.rowUnits)
}

// inBuffer says whether what lies at v has yet to be programmed.
func (f *Flash) inBuffer(v place) bool {
	row := v.row()
	if f.blocks != nil {
		if row = f.blocks.logRowOf(row); row < 0 {
			return false
		}
	}
	return f.buffer.holds(row)
}

// unitCount is the number of mapping units.
func (f *Flash) unitCount() int64 { return (f.cfg.Capacity + Unit - 1) / Unit }

// addRead adds n units of a row to what r reads. A row that the command touches
// more than once is read once, if it was touched lately.
func (f *Flash) addRead(r *request, row rowID, n int64) {
	o := r.ops
	for i := 0; o != nil && i < 8; i++ {
		if o.row == row {
			o.bytes += n * Unit
			return
		}
		o = o.sibling
	}
	o = f.newOp(opRead, row)
	o.bytes = n * Unit
	f.join(r, o)
}

// join makes o an operation of r.
func (f *Flash) join(r *request, o *operation) {
	o.request = r
	o.sibling, r.ops = r.ops, o
	r.pending++
}

// ended is one of r's operations less.
func (f *Flash) ended(o *operation, t lane.Time) {
	r := o.request
	o.state = opDone
	if r.pending--; r.pending > 0 {
		return
	}
	for o := r.ops; o != nil; {
		next := o.sibling
		f.freeOp(o)
		o = next
	}
	r.ops = nil
	if r.op.Kind == nvme.OpRead {
		f.send(r, t)
	} else {
		f.acknowledge(r, t)
	}
}

// send moves a read's data to the host.
func (f *Flash) send(r *request, t lane.Time) {
	r.stage = inOut
	f.out.push(r, t, transfer(r.op.Len, f.cfg.LinkRate), f.cfg.Latency)
}

// acknowledge ends everything else.
func (f *Flash) acknowledge(r *request, t lane.Time) {
	r.stage = inAck
	f.ack.push(r, t, 0, f.cfg.Latency)
}

// done gives r back.
func (f *Flash) done(r *request, _ lane.Time) {
	op := r.op
	r.stage, r.op = idle, nil
	if op.Kind == nvme.OpTrim {
		for _, e := range op.Ranges {
			if f.blocks != nil {
				f.blocks.trim(e.Off, e.Len)
			}
			f.units.trim(e.Off, e.Len)
		}
	}
	f.finished = true
	f.host.Done(op, spec.Success)
}

// settle ends an event.
func (f *Flash) settle() {
	if f.finished {
		f.finished = false
		f.host.Settle()
	}
}
