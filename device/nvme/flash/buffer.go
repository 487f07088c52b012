package flash

import "blksim/aio/lane"

// buffer is the write buffer: rows of the log that are being filled or
// programmed. Its size is counted in rows, since a row that a flush closes early
// takes as much room as a full one.
type buffer struct {
	rows    int           // 0: there is no buffer
	free    int           // rows that are not in use
	open    bool          // the last row of the log is being filled
	row     int64         // its place on the drive
	fill    int64         // units in it
	waiting list[request] // writes that wait for room
	marks   list[request] // flushes and forced writes, in the order of their marks

	oldest int64  // all rows of the log below this one are programmed
	ended  []bool // by row number modulo its length: programmed, oldest and above
}

func (b *buffer) init(cfg Config) {
	if b.rows = int(cfg.Buffer / int64(cfg.Row())); b.rows == 0 {
		return
	}
	b.free = b.rows
	// Rows end in any order, so the log may be longer than the buffer, but not
	// without bound: a die that lags this far behind holds the others up.
	n := 4
	for n < 4*b.rows || n < 4*cfg.Dies() {
		n *= 2
	}
	b.ended = make([]bool, n)
}

// holds says whether a row of the log is still in the buffer.
func (b *buffer) holds(row int64) bool {
	return b.rows > 0 && row >= b.oldest && !b.ended[row&int64(len(b.ended)-1)]
}

// arrive follows the link: the data of a write is in the device.
func (f *Flash) arrive(r *request, t lane.Time) {
	r.unit = r.op.Off / Unit
	if f.buffer.rows == 0 {
		f.writeThrough(r, t)
		return
	}
	r.stage = inBuffer
	f.buffer.waiting.push(&r.node)
	f.admit(t)
}

// writeThrough makes programs of r's own rows.
func (f *Flash) writeThrough(r *request, t lane.Time) {
	r.stage = inDies
	f.readBack(r, t)
	end := (r.op.Off + r.op.Len + Unit - 1) / Unit
	for u := r.unit; u < end; {
		n := min(end-u, f.rowUnits)
		row := f.newRow(t) // there is no collection without a buffer
		o := f.newOp(opProgram, logRow(row))
		o.unit, o.bytes = u, n*Unit
		f.stats.PaddedBytes += uint64(f.rowBytes - o.bytes)
		f.join(r, o)
		u += n
	}
	for o := r.ops; o != nil; o = o.sibling {
		o.die.enqueue(o, t)
	}
}

// admit gives the units of waiting writes places in the buffer, in their order,
// for as long as there are any.
func (f *Flash) admit(t lane.Time) {
	b := &f.buffer
	for {
		r := b.waiting.head()
		if r == nil {
			return
		}
		end := (r.op.Off + r.op.Len + Unit - 1) / Unit
		for ; r.unit < end; r.unit++ {
			if !b.open && !f.openRow(t) {
				return
			}
			if !r.begun {
				r.begun = true
				f.readBack(r, t)
			}
			f.place(r.unit, b.row, b.fill)
			if b.fill++; b.fill == f.rowUnits {
				f.closeRow(t)
			}
		}
		b.waiting.pop()
		if r.op.ForceUnit && f.cfg.Volatile {
			f.awaitRows(r, t)
		} else {
			f.acknowledge(r, t)
		}
	}
}

// newRow takes the log's next row and says where on the drive it lies; -1 if there
// is no room.
func (f *Flash) newRow(t lane.Time) int64 {
	row := f.nextRow
	if f.blocks != nil {
		if row = f.blocks.hostRow(f.nextRow, t); row < 0 {
			return row
		}
	}
	f.nextRow++
	return row
}

// place says that unit u is now in that slot of a row of the drive.
func (f *Flash) place(u, row, slot int64) {
	if f.blocks != nil {
		f.blocks.put(u, row, slot)
		return
	}
	f.units.set(u, placeOf(row))
}

// openRow begins a row of the log, if there is room.
func (f *Flash) openRow(t lane.Time) bool {
	b := &f.buffer
	if b.free == 0 || f.nextRow-b.oldest >= int64(len(b.ended)) {
		return false
	}
	if b.row = f.newRow(t); b.row < 0 {
		return false
	}
	b.free--
	b.open, b.fill = true, 0
	return true
}

// closeRow has the open row programmed.
func (f *Flash) closeRow(t lane.Time) {
	b := &f.buffer
	b.open = false
	o := f.newOp(opProgram, logRow(f.nextRow-1))
	o.bytes, o.slc = f.rowBytes, f.takeSLC(t)
	f.stats.PaddedBytes += uint64(f.rowBytes - b.fill*Unit)
	o.die.enqueue(o, t)
}

// programmed follows the end of a program.
func (f *Flash) programmed(o *operation, t lane.Time) {
	b := &f.buffer
	row := o.row.number()
	if b.rows == 0 {
		if o.request == nil {
			f.freeOp(o) // a reset has dropped the write
			return
		}
		for i := range o.bytes / Unit {
			f.units.set(o.unit+i, placeOf(row))
		}
		f.ended(o, t)
		return
	}
	f.freeOp(o)
	b.free++
	mask := int64(len(b.ended) - 1)
	b.ended[row&mask] = true
	f.settleSLC(t)
	for ; b.ended[b.oldest&mask]; b.oldest++ {
		b.ended[b.oldest&mask] = false
	}
	for r := b.marks.head(); r != nil && r.mark <= b.oldest; r = b.marks.head() {
		b.marks.pop()
		f.acknowledge(r, t)
	}
	f.admit(t)
}

// flush waits until what was acknowledged before is on the medium.
func (f *Flash) flush(r *request, t lane.Time) {
	if f.cfg.Volatile {
		f.awaitRows(r, t)
	} else {
		f.acknowledge(r, t)
	}
}

// awaitRows has r wait for all rows begun so far; the open one is closed.
func (f *Flash) awaitRows(r *request, t lane.Time) {
	b := &f.buffer
	if b.open {
		f.closeRow(t)
	}
	if b.oldest >= f.nextRow {
		f.acknowledge(r, t)
		return
	}
	r.stage, r.mark = inFlush, f.nextRow
	b.marks.push(&r.node)
}

// readBack reads the old data of the units that r covers only in part, in the
// background.
func (f *Flash) readBack(r *request, t lane.Time) {
	off, end := r.op.Off, r.op.Off+r.op.Len
	first, last := off/Unit, (end-1)/Unit
	if off%Unit != 0 || (first == last && end%Unit != 0) {
		f.readBackUnit(first, t)
	}
	if first != last && end%Unit != 0 {
		f.readBackUnit(last, t)
	}
}

func (f *Flash) readBackUnit(u int64, t lane.Time) {
	var row rowID
	switch v := f.units.get(u); {
	case v == unwritten:
		row = f.staticRowOf(u)
	case v == trimmed || f.inBuffer(v):
		return
	default:
		row = logRow(v.row())
	}
	f.stats.PartialWrites++
	o := f.newOp(opReadBack, row)
	o.bytes = Unit
	o.die.enqueue(o, t)
}
