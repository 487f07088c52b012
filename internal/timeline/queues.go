package timeline

import (
	"fmt"
	"slices"
	"sync"

	"blksim/aio/lane"
)

// maxLevels is how many changes of queues are kept at the most: an I/O makes four,
// two in each of its queues.
const maxLevels = 4 * MaxIOs

// The two sides of a queue pair.
const (
	submission = iota
	completion
	sides
)

// level is how full a queue was at an instant of change. What one batch fills and
// empties without time passing has its most there.
type level struct {
	at     lane.Time // from the epoch
	before int32     // until then
	most   int32     // of the changes at that instant
	after  int32     // from then on
	place
}

// place is one queue of all.
type place struct {
	qid        uint16
	disk, side uint8
}

// filling is a queue as it is now.
type filling struct {
	entries int
	now     int32
	at      lane.Time // of the last change, from the epoch
	initial int32     // when the window began
	last    int       // the index of its last level in kept
}

// Queues records how full the submission and completion queues of controllers are.
// The lanes of controllers and drivers tell it, by the DiskQueues, the Collector's goroutine says what is wanted, and it is read in the end.
type Queues struct {
	mu     sync.Mutex // guards all of it
	epoch  lane.Time
	begun  bool
	window Window // a fixed one; all, where it moves
	moves  bool   // the window is around the slowest: near, so far
	near   Window
	disks  [][sides][]filling // by disk, and by qid
	levels buffer[level]
}

func newQueues(w Window) *Queues {
	q := &Queues{window: w, levels: buffer[level]{most: maxLevels}}
	if w.Slowest {
		q.window, q.moves = Window{}, true
	}
	return q
}

// Begin says from when on the times of the run count, and that it begins.
func (q *Queues) Begin(epoch lane.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.epoch, q.begun = epoch, true
}

// Dropped is how many changes within the window there was no room for.
func (q *Queues) Dropped() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.levels.dropped
}

// DiskQueues takes what becomes of the queues of one disk: it is an observer as
// device/nvme and driver/nvme have them.
type DiskQueues struct {
	to   *Queues
	disk uint8
}

// Disk takes what becomes of the queues of disk i.
func (q *Queues) Disk(i int) *DiskQueues { return &DiskQueues{q, uint8(i)} }

// SubmissionQueue is as a nvme.QueueObserver's.
func (d *DiskQueues) SubmissionQueue(at lane.Time, qid uint16, pending, entries int) {
	d.to.changed(at, place{qid, d.disk, submission}, entries, func(int32) int32 { return int32(pending) })
}

// Posted is as a nvme.QueueObserver's.
func (d *DiskQueues) Posted(at lane.Time, qid uint16, entries int) {
	d.to.changed(at, place{qid, d.disk, completion}, entries, func(now int32) int32 { return now + 1 })
}

// Consumed is as a nvme.CQObserver's.
func (d *DiskQueues) Consumed(at lane.Time, qid uint16) {
	d.to.changed(at, place{qid, d.disk, completion}, 0, func(now int32) int32 { return now - 1 })
}

// filling is a queue, with the lock held.
func (q *Queues) filling(p place) *filling {
	for len(q.disks) <= int(p.disk) {
		q.disks = append(q.disks, [sides][]filling{})
	}
	queues := &q.disks[p.disk][p.side]
	for len(*queues) <= int(p.qid) {
		*queues = append(*queues, filling{})
	}
	return &(*queues)[p.qid]
}

// around says what the window is, so far.
func (q *Queues) around(w Window) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.near = w
}

// changed takes a change of a queue of so many entries, 0 for as many as before, to
// what next makes of it. Two lanes tell of a completion queue: what came second was
// not before.
func (q *Queues) changed(at lane.Time, p place, entries int, next func(now int32) int32) {
	q.mu.Lock()
	defer q.mu.Unlock()
	f := q.filling(p)
	before := f.now
	at = max(at-q.epoch, f.at, 0)
	f.now, f.at = next(before), at
	if entries > 0 {
		f.entries = entries
	}
	switch {
	case !q.begun:
		f.initial, f.at = f.now, 0
		return
	case at < q.window.From:
		f.initial = f.now
		return
	case q.window.To != 0 && at >= q.window.To:
		return
	}
	if f.last < len(q.levels.kept) {
		if l := &q.levels.kept[f.last]; l.at == at && l.place == p {
			l.most, l.after = max(l.most, f.now), f.now
			return
		}
	}
	l := level{at: at, before: before, most: f.now, after: f.now, place: p}
	switch {
	case q.moves:
		f.last = q.levels.last(l, func(l *level) bool { return q.near.has(l.at) })
	case q.levels.first(l):
		f.last = len(q.levels.kept) - 1
	}
}

// has says whether a time is in the window.
func (w Window) has(at lane.Time) bool { return at >= w.From && (w.To == 0 || at < w.To) }

// drawnQueue is the two counters of a queue pair, each from the window's beginning
// on; empty where it is not known.
type drawnQueue struct {
	counters [sides][]level
	entries  [sides]int
	any      bool // it changed within the window
}

// draw gives what is to be drawn, by disk and qid.
func (q *Queues) draw() [][]drawnQueue {
	q.mu.Lock()
	defer q.mu.Unlock()
	w := q.window
	if q.moves {
		w = q.near
	}
	disks := make([][]drawnQueue, len(q.disks))
	for disk := range q.disks {
		of := &q.disks[disk]
		disks[disk] = make([]drawnQueue, max(len(of[submission]), len(of[completion])))
		for side := range of {
			for qid, f := range of[side] {
				if f.entries > 0 { // it is known
					d := &disks[disk][qid]
					d.counters[side] = []level{{at: w.From, most: f.initial, after: f.initial}}
					d.entries[side] = f.entries
				}
			}
		}
	}
	for _, l := range q.levels.all() {
		disks[l.disk][l.qid].add(&l, w)
	}
	if !q.moves || !q.levels.partial {
		return disks
	}
	for _, queues := range disks {
		for i := range queues {
			queues[i].onlyKnown()
		}
	}
	return disks
}

// add adds a later level of one of the two queues.
func (d *drawnQueue) add(l *level, w Window) {
	c := &d.counters[l.side]
	switch {
	case l.at < w.From:
		(*c)[0].most, (*c)[0].after = l.after, l.after
	case w.has(l.at):
		d.any = true
		if len(*c) == 1 {
			(*c)[0].most, (*c)[0].after = l.before, l.before
		}
		*c = append(*c, *l)
	}
}

// onlyKnown leaves out a counter without a change in the window, where not all
// changes were kept: the last one before may be among those.
func (d *drawnQueue) onlyKnown() {
	for side := range d.counters {
		if len(d.counters[side]) == 1 {
			d.counters[side] = nil
		}
	}
}

// queueCounters writes the counters of queue pair qid of each disk below group: at
// an instant first its most, then what it was from there on.
func (w *writer) queueCounters(disks [][]drawnQueue, qid int, group uint64) {
	names := [sides]string{"SQ entries not fetched", "CQ entries not consumed"}
	for disk, queues := range disks {
		if qid >= len(queues) {
			continue
		}
		d, of := &queues[qid], ""
		if len(disks) > 1 {
			of = fmt.Sprintf("disk %d: ", disk)
		}
		for side, levels := range d.counters {
			if len(levels) == 0 {
				continue
			}
			track := w.counterTrack(group, fmt.Sprintf("%s%s, of %d", of, names[side], d.entries[side]-1))
			for _, l := range levels {
				if l.most != l.after {
					w.count(l.at, track, uint64(l.most))
				}
				w.count(l.at, track, uint64(l.after))
			}
		}
	}
}

// changing says whether queue pair qid of any disk changed within the window.
func changing(disks [][]drawnQueue, qid int) bool {
	return slices.ContainsFunc(disks, func(queues []drawnQueue) bool { return qid < len(queues) && queues[qid].any })
}
