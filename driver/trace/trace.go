package trace

import (
	"fmt"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/driver"
)

// Options say what is kept.
type Options struct {
	Keep int // events of each queue, the last ones; 0: all
}

// Validate says what is wrong with o.
func (o Options) Validate() error {
	if o.Keep < 0 {
		return fmt.Errorf("trace: keep %d events: expected 0 (all) or more", o.Keep)
	}
	return nil
}

// Recorder is the record of one driver.
type Recorder struct {
	options Options
	logs    []*Log // by the order in which the queues were opened
}

// New makes a recorder.
func New(o Options) (*Recorder, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	return &Recorder{options: o}, nil
}

// Wrap wraps d, which the result then owns. Once.
func (rec *Recorder) Wrap(d driver.Driver) driver.Driver {
	w := &wrapped{d, rec}
	if r, ok := d.(driver.Resetter); ok {
		return struct {
			*wrapped
			driver.Resetter
		}{w, r}
	}
	return w
}

// Events returns what was recorded, in the order of time. Called while no lane
// runs.
func (rec *Recorder) Events() []Event { return Merge(rec.logs...) }

type wrapped struct {
	driver.Driver
	rec *Recorder
}

var _ driver.Driver = (*wrapped)(nil)

// OpenQueue implements [driver.Driver]. Called from outside all lanes, by one
// goroutine at a time.
func (d *wrapped) OpenQueue(l lane.Lane, qid, depth int) (driver.Queue, error) {
	inner, err := d.Driver.OpenQueue(l, qid, depth)
	if err != nil {
		return nil, err
	}
	q := &queue{
		lane: l, id: qid, inner: inner, can: driver.OptionalOf(inner), log: NewLog(d.rec.options.Keep),
		outer: make([]*driver.Request, depth), uses: make([]uint64, depth),
	}
	for tag := range depth {
		q.requests = append(q.requests, driver.NewRequest(q, tag))
	}
	d.rec.logs = append(d.rec.logs, q.log)
	can := driver.Optional{}
	if q.can.Canceler != nil {
		can.Canceler = q
	}
	if q.can.Committer != nil {
		can.Committer = q
	}
	if q.can.Poller != nil {
		can.Poller = q
	}
	return can.With(q), nil
}

// queue records, on its lane, and passes everything on.
type queue struct {
	lane     lane.Lane
	id       int
	inner    driver.Queue
	can      driver.Optional // of inner
	log      *Log
	requests []*driver.Request // ours, for inner, by tag
	outer    []*driver.Request // whose place they take, by tag
	uses     []uint64          // by tag
}

func (q *queue) event(k Kind, r *driver.Request) Event {
	return Event{At: q.lane.Now(), Queue: q.id, Tag: r.Tag, Use: q.uses[r.Tag], Kind: k, Op: r.Op, Off: r.Off, Len: r.Len}
}

// Submit implements [driver.Queue]. A request that completes inside Submit is
// recorded as submitted first: it was taken, whatever comes after.
func (q *queue) Submit(r *driver.Request) aio.Status {
	mine := q.requests[r.Tag]
	mine.Forward(r)
	q.outer[r.Tag] = r
	q.uses[r.Tag]++
	e := q.event(Submit, r)
	at := q.log.Add(e)
	st := q.inner.Submit(mine)
	q.log.Answer(at, e, st)
	return st
}

func (q *queue) Commit() {
	q.log.Add(Event{At: q.lane.Now(), Queue: q.id, Tag: -1, Kind: Commit})
	q.can.Committer.Commit()
}

func (q *queue) Cancel(r *driver.Request) {
	q.log.Add(q.event(Cancel, r))
	q.can.Canceler.Cancel(q.requests[r.Tag])
}

func (q *queue) Poll(budget int) int {
	n := q.can.Poller.Poll(budget)
	q.log.Add(Event{At: q.lane.Now(), Queue: q.id, Tag: -1, Kind: Poll, N: int64(n)})
	return n
}

// CompleteRequest takes a request back from inner. A second completion of it
// goes up as well: a recorder hides nothing.
func (q *queue) CompleteRequest(mine *driver.Request, st aio.Status, n int64) {
	e := q.event(Complete, mine)
	e.Status, e.N = st, n
	q.log.Add(e)
	q.outer[mine.Tag].Complete(st, n)
}
