package broken

import (
	"blksim/aio"
	"blksim/aio/lane"
	"blksim/driver"
	"blksim/driver/drivertest"
)

// mistake is what a broken driver does in place of Good. What is nil is done
// right. All run where the method that they replace does.
type mistake struct {
	noCache  bool // Good without a cache
	limits   func(l driver.Limits) driver.Limits
	submit   func(q *queue, r *driver.Request) aio.Status
	commit   func(q *queue)
	complete func(q *queue, r *driver.Request, st aio.Status, n int64)
	cancel   func(q *queue, r *driver.Request)
	poll     func(q *queue, budget int) int
	close    func(d *disk)
	reset    func(d *disk, done func(error))
	cut      func(g *Good) // just before the power is cut
}

// disk is a broken driver.
type disk struct {
	*Good
	mistake
	env    drivertest.Env
	calls  int // of Limits
	queues []*queue
	note   any // the mistake's own
}

func open(m mistake) drivertest.Open {
	return func(e drivertest.Env) (driver.Driver, error) {
		return &disk{Good: NewGood(e.Seed, !m.noCache), mistake: m, env: e}, nil
	}
}

func (d *disk) Limits() driver.Limits {
	l := d.Good.Limits()
	if d.limits != nil {
		d.calls++
		l = d.limits(l)
		if l.Capacity < 0 { // it grows with every call
			l.Capacity = d.Good.Limits().Capacity + int64(d.calls)*goodBlock
		}
	}
	return l
}

func (d *disk) OpenQueue(l lane.Lane, qid, depth int) (driver.Queue, error) {
	inner, err := d.Good.OpenQueue(l, qid, depth)
	q := &queue{disk: d, lane: l, good: inner.(*goodQueue), slots: make([]slot, depth)}
	for tag := range q.slots {
		q.slots[tag].below = driver.NewRequest(q, tag)
	}
	d.queues = append(d.queues, q)
	return q, err
}

func (d *disk) Close() error {
	if d.mistake.close != nil {
		d.mistake.close(d)
	}
	return d.Good.Close()
}

func (d *disk) Reset(done func(error)) {
	if d.mistake.reset != nil {
		d.mistake.reset(d, done)
		return
	}
	d.Good.Reset(done)
}

func (d *disk) PowerCut() (driver.Driver, error) {
	if d.cut != nil {
		d.mu.Lock()
		d.cut(d.Good)
		d.mu.Unlock()
	}
	return d.Good.PowerCut()
}

// queue passes everything on to Good's, but for the mistake.
type queue struct {
	disk  *disk
	lane  lane.Lane
	good  *goodQueue
	slots []slot // by tag
	count int    // of what the mistake counts
	cache map[int64][]byte
}

type slot struct {
	above *driver.Request // the host's
	below *driver.Request // Good's
	with  bool            // with Good
	asked int             // cancels
	noted bool            // the mistake's own
}

func (q *queue) Submit(r *driver.Request) aio.Status {
	if q.disk.submit != nil {
		return q.disk.submit(q, r)
	}
	return q.down(r)
}

// down is Submit done right.
func (q *queue) down(r *driver.Request) aio.Status {
	s := &q.slots[r.Tag]
	s.above, s.with, s.asked = r, true, 0
	s.below.Forward(r)
	st := q.good.Submit(s.below)
	s.with = st == aio.OK
	return st
}

func (q *queue) Commit() {
	if q.disk.commit != nil {
		q.disk.commit(q)
		return
	}
	q.good.Commit()
}

func (q *queue) Cancel(r *driver.Request) {
	s := &q.slots[r.Tag]
	s.asked++
	if q.disk.cancel != nil {
		q.disk.cancel(q, r)
		return
	}
	q.good.Cancel(s.below)
}

func (q *queue) Poll(budget int) int {
	if q.disk.poll != nil {
		return q.disk.poll(q, budget)
	}
	return q.good.Poll(budget)
}

// CompleteRequest takes a request back from Good.
func (q *queue) CompleteRequest(below *driver.Request, st aio.Status, n int64) {
	s := &q.slots[below.Tag]
	s.with = false
	if q.disk.complete != nil {
		q.disk.complete(q, s.above, st, n)
		return
	}
	s.above.Complete(st, n)
}

// every says yes to each nth time it is asked.
func (q *queue) every(n int) bool {
	q.count++
	return q.count%n == 0
}
