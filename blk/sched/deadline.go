package sched

import (
	"time"

	"blksim/aio"
	"blksim/aio/lane"
)

// deadline is mq-deadline. Requests of a direction go in order of their extents,
// in batches, so that a device that minds gets them sorted. A batch begins with
// the oldest request if that has waited beyond its expiry, else where the last
// one ended. Reads are preferred, but after so many batches of them the writes
// have one.
type deadline struct {
	cfg  Config
	dirs [2]direction

	dir     int // of the batch
	batch   int // requests of it that were sent
	starved int // batches of reads since writes waited
}

const (
	reads = iota
	writes
)

// direction is the reads, or everything else.
type direction struct {
	sorted tree
	queue  fifo
	expire time.Duration
	next   int64 // where the last request ended
}

var _ Scheduler = (*deadline)(nil)

func newDeadline(c Config) *deadline {
	setDefault(&c.ReadExpire, 500*time.Millisecond)
	setDefault(&c.WriteExpire, 5*time.Second)
	setDefault(&c.Batch, 16)
	setDefault(&c.WritesStarved, 2)
	d := &deadline{cfg: c}
	d.dirs[reads].expire, d.dirs[writes].expire = c.ReadExpire, c.WriteExpire
	return d
}

func directionOf(op aio.Op) int {
	if op == aio.OpRead {
		return reads
	}
	return writes
}

func (d *deadline) Add(e *Entry) {
	dir := &d.dirs[directionOf(e.Op)]
	dir.queue.add(e)
	dir.sorted.add(e)
}

func (d *deadline) Remove(e *Entry) {
	dir := &d.dirs[directionOf(e.Op)]
	dir.queue.remove(e)
	dir.sorted.remove(e)
}

func (d *deadline) Next(now lane.Time) *Entry {
	e := d.inBatch()
	if e == nil {
		e = d.newBatch(now)
	}
	if e == nil {
		return nil
	}
	d.Remove(e)
	d.batch++
	d.dirs[d.dir].next = e.Off + e.Len
	return e
}

// inBatch is the next request of the batch that is being sent.
func (d *deadline) inBatch() *Entry {
	if d.batch == 0 || d.batch >= d.cfg.Batch {
		return nil
	}
	dir := &d.dirs[d.dir]
	return dir.sorted.from(dir.next)
}

// newBatch chooses a direction and where to begin in it.
func (d *deadline) newBatch(now lane.Time) *Entry {
	d.batch = 0
	r, w := &d.dirs[reads].queue, &d.dirs[writes].queue
	switch {
	case r.count == 0 && w.count == 0:
		return nil
	case w.count == 0:
		d.dir = reads
	case r.count == 0 || d.starved >= d.cfg.WritesStarved:
		d.dir, d.starved = writes, 0
	default:
		d.dir = reads
		d.starved++
	}
	dir := &d.dirs[d.dir]
	oldest := dir.queue.head
	if now.Sub(oldest.Queued) >= dir.expire {
		return oldest
	}
	if e := dir.sorted.from(dir.next); e != nil {
		return e
	}
	return oldest
}
