package broken

import (
	"time"

	"blksim/aio"
	"blksim/driver"
)

// cancels are mistakes of the cancel callback.
func cancels() []Driver {
	return []Driver{
		{"completes and forgets to stop", "cancel-submitted", open(mistake{cancel: func(q *queue, r *driver.Request) {
			if s := &q.slots[r.Tag]; s.with && s.asked == 1 {
				r.Complete(aio.Cancelled, 0)
			}
		}})},
		{"stops and forgets to complete", "cancel-bounded", open(mistake{complete: func(q *queue, r *driver.Request, st aio.Status, n int64) {
			if st != aio.Cancelled {
				r.Complete(st, n)
			}
		}})},
		{"leaves the request in the batch", "cancel-queued", open(mistake{cancel: func(q *queue, r *driver.Request) {
			s := &q.slots[r.Tag]
			if q.good.slots[r.Tag].state == batched && s.asked == 1 {
				r.Complete(aio.Cancelled, 0)
				return
			}
			q.good.Cancel(s.below)
		}})},
		{"cancels what its own interrupt is bringing", "cancel-completing", open(mistake{
			complete: func(q *queue, r *driver.Request, st aio.Status, n int64) {
				q.slots[r.Tag].noted = true
				q.lane.Post(func() {
					q.slots[r.Tag].noted = false
					r.Complete(st, n)
				})
			},
			poll: func(*queue, int) int { return 0 },
			cancel: func(q *queue, r *driver.Request) {
				if s := &q.slots[r.Tag]; s.noted {
					r.Complete(aio.Cancelled, 0)
				} else {
					q.good.Cancel(s.below)
				}
			},
		})},
		{"completes again what is complete", "cancel-done", open(mistake{cancel: func(q *queue, r *driver.Request) {
			if s := &q.slots[r.Tag]; s.with {
				q.good.Cancel(s.below)
			} else {
				r.Complete(aio.Cancelled, 0)
			}
		}})},
		{"a cancelled flag that stays with the tag", "cancel-stale", open(mistake{
			cancel: func(q *queue, r *driver.Request) {
				s := &q.slots[r.Tag]
				s.noted = s.noted || s.with
				q.good.Cancel(s.below)
			},
			complete: func(q *queue, r *driver.Request, st aio.Status, n int64) {
				s := &q.slots[r.Tag]
				if s.noted && s.asked == 0 {
					st, n = aio.Cancelled, 0
				}
				if st == aio.Cancelled {
					s.noted = false
				}
				r.Complete(st, n)
			},
		})},
		{"takes the second cancel for the answer to the first", "cancel-twice", open(mistake{cancel: func(q *queue, r *driver.Request) {
			s := &q.slots[r.Tag]
			if s.asked == 2 && s.with {
				r.Complete(aio.Cancelled, 0)
				return
			}
			q.good.Cancel(s.below)
		}})},
		{"loses the place of what is cancelled in a full queue", "cancel-full", open(mistake{cancel: func(q *queue, r *driver.Request) {
			if s := &q.slots[r.Tag]; s.with && s.asked == 1 && q.good.used == q.good.places && q.good.places > 2 {
				q.good.used++
				q.good.places++
				q.slots[r.Tag].noted = true
			}
			q.good.Cancel(q.slots[r.Tag].below)
		}, complete: func(q *queue, r *driver.Request, st aio.Status, n int64) {
			if s := &q.slots[r.Tag]; s.noted {
				s.noted = false
				q.good.places--
			}
			r.Complete(st, n)
		}})},
		{"finds the tag in another queue", "cancel-others", open(mistake{cancel: func(q *queue, r *driver.Request) {
			last := q.disk.queues[len(q.disk.queues)-1]
			if last == q || !last.slots[r.Tag].with {
				q.good.Cancel(q.slots[r.Tag].below)
				return
			}
			last.lane.Post(func() { last.good.Cancel(last.slots[r.Tag].below) })
		}})},
		{"answers all cancels on the first lane", "cancel-lane", open(mistake{complete: func(q *queue, r *driver.Request, st aio.Status, n int64) {
			if st != aio.Cancelled {
				r.Complete(st, n)
				return
			}
			q.disk.env.Group.Lane(0).Post(func() { r.Complete(st, n) })
		}})},
		{"fills the buffer of a cancelled read", "cancel-data", open(mistake{complete: func(q *queue, r *driver.Request, st aio.Status, n int64) {
			if st == aio.Cancelled && r.Op == aio.OpRead {
				buf := r.Bufs[0]
				q.lane.NewTimer(func() { clear(buf) }).Arm(time.Microsecond)
			}
			r.Complete(st, n)
		}})},
		{"an answer to an abort that finds the device closed", "cancel-close", open(mistake{
			complete: func(q *queue, r *driver.Request, st aio.Status, n int64) {
				if st == aio.Cancelled {
					q.lane.NewTimer(func() {
						if q.disk.note == "closed" {
							panic("use of a closed device")
						}
					}).Arm(10 * time.Microsecond)
				}
				r.Complete(st, n)
			},
			close: func(d *disk) { d.note = "closed" },
		})},
	}
}
