package drivertest

import (
	"blksim/aio"
	"blksim/aio/lane"
	"blksim/blk"
	"blksim/driver"
)

// playCancelLane runs the driver under the block layer, with submits on one lane
// and cancels on another than the queue's.
func playCancelLane(b *bench) {
	n := b.lanesFor()
	queues := make([]lane.Lane, n)
	for i := range queues {
		queues[i] = b.group.lanes[i]
	}
	foreign := b.group.lanes[maxQueues]
	watched := &onLane{Driver: b.drv, b: b}
	disk, err := blk.Open(watched, blk.Options{Queues: queues, Submitters: append(queues[:n:n], foreign), Depth: b.depth()})
	if err != nil {
		panic(openError{err})
	}
	total, ended := 0, 0
	seen := map[uint64]bool{}
	var ctx *aio.Context
	ctx, err = aio.New(aio.Options{Capacity: 256, Lanes: append(queues[:n:n], foreign), OnEvents: func(_ lane.Lane, evs []aio.Event) {
		for _, ev := range evs {
			if seen[ev.Data] {
				b.broke("cancel-lane", nil, nil, "I/O %d has two events", ev.Data)
			}
			seen[ev.Data] = true
			ended++
			if ev.Status == aio.Cancelled && !ev.CancelAsked {
				b.broke("cancel-lane", nil, nil, "I/O %d was cancelled, which nobody had asked for", ev.Data)
			}
		}
	}})
	if err != nil {
		panic(openError{err})
	}
	draw := b.newLoad(&port{b: b, lane: foreign, depth: 1}, 0, 1)
	for range 4 {
		for i := range n + 1 {
			at := append(queues[:n:n], foreign)[i]
			var ids []aio.ID
			_ = b.group.Do(at.Index(), func(done func()) {
				for range 8 {
					j := draw.draw()
					io := aio.IO{Op: j.op, Off: j.off, Len: j.len, Data: uint64(total)}
					if j.op.HasData() {
						io.Buf = make([]byte, j.len)
					}
					if id, err := ctx.Submit(at, disk, io); err == nil {
						total++
						ids = append(ids, id)
					}
				}
				done()
			})
			_ = b.pass(b.rand.Duration(0, b.within()+1))
			_ = b.group.Do(foreign.Index(), func(done func()) {
				for _, id := range ids {
					if b.rand.Bool(1, 2) {
						ctx.Cancel(id)
					}
				}
				done()
			})
		}
	}
	b.until(func() bool { return ended == total })
	b.settle()
	if st := disk.Stats(); st.DoubleCompletes > 0 {
		b.broke("cancel-lane", nil, nil, "%d requests were completed twice", st.DoubleCompletes)
	}
	b.closed.Store(true)
	if err := disk.Close(); err != nil {
		b.broke("cancel-lane", nil, nil, "Close: %v", err)
	}
}

// onLane is a driver whose queues' completions are checked to be on their lane.
// It stands between the block layer and the driver under test.
type onLane struct {
	driver.Driver
	b *bench
}

func (d *onLane) OpenQueue(l lane.Lane, qid, depth int) (driver.Queue, error) {
	inner, err := d.Driver.OpenQueue(l, qid, depth)
	if err != nil {
		return nil, err
	}
	q := &onLaneQueue{d: d, id: qid, lane: l.(*watchedLane), inner: inner}
	for tag := range depth {
		q.mine = append(q.mine, driver.NewRequest(q, tag))
	}
	q.outer = make([]*driver.Request, depth)
	can := driver.OptionalOf(inner)
	if can.Canceler != nil {
		q.canceler, can.Canceler = can.Canceler, q
	}
	return can.With(q), nil
}

type onLaneQueue struct {
	d           *onLane
	id          int
	lane        *watchedLane
	inner       driver.Queue
	canceler    driver.Canceler
	mine, outer []*driver.Request // by tag
}

func (q *onLaneQueue) Submit(r *driver.Request) aio.Status {
	q.outer[r.Tag] = r
	q.mine[r.Tag].Forward(r)
	return q.inner.Submit(q.mine[r.Tag])
}

func (q *onLaneQueue) Cancel(r *driver.Request) { q.canceler.Cancel(q.mine[r.Tag]) }

func (q *onLaneQueue) CompleteRequest(r *driver.Request, st aio.Status, n int64) {
	if !q.lane.running.Load() {
		q.d.b.broke("cancel-lane", nil, nil, "queue %d: a request was completed outside of lane %d, which is the queue's", q.id, q.lane.Index())
		return
	}
	q.outer[r.Tag].Complete(st, n)
}
