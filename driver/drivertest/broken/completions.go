package broken

import (
	"blksim/aio"
	"blksim/driver"
)

// completions are mistakes in limits and in giving requests back.
func completions() []Driver {
	return []Driver{
		{"blocks of 520 bytes", "limits-valid", open(mistake{limits: func(l driver.Limits) driver.Limits {
			l.BlockSize = 520
			return l
		}})},
		{"a capacity that grows", "limits-constant", open(mistake{limits: func(l driver.Limits) driver.Limits {
			l.Capacity = -1
			return l
		}})},
		{"a flush looked up by its first buffer", "no-panic", open(mistake{submit: func(q *queue, r *driver.Request) aio.Status {
			if len(r.Bufs[0]) == 0 {
				return aio.Invalid
			}
			return q.down(r)
		}})},
		{"completes twice", "complete-once", open(mistake{complete: func(q *queue, r *driver.Request, st aio.Status, n int64) {
			r.Complete(st, n)
			if q.every(8) {
				r.Complete(st, n)
			}
		}})},
		{"completes on the device's lane", "complete-lane", open(mistake{complete: func(q *queue, r *driver.Request, st aio.Status, n int64) {
			g := q.disk.env.Group
			g.Lane(g.Lanes() - 1).Post(func() { r.Complete(st, n) })
		}})},
		{"loses one in sixteen", "complete-bounded", open(mistake{complete: func(q *queue, r *driver.Request, st aio.Status, n int64) {
			if !q.every(16) {
				r.Complete(st, n)
			}
		}})},
		{"waits for a batch of four", "complete-bounded", open(mistake{commit: func(q *queue) {
			if q.good.used%4 == 0 {
				q.good.Commit()
			}
		}})},
		{"half a block short", "complete-result", open(mistake{complete: func(q *queue, r *driver.Request, st aio.Status, n int64) {
			r.Complete(st, n-min(n, goodBlock/2))
		}})},
		{"ends as busy", "complete-result", open(mistake{complete: func(q *queue, r *driver.Request, st aio.Status, n int64) {
			if q.every(8) {
				r.Complete(aio.Busy, 0)
				return
			}
			r.Complete(st, n)
		}})},
		{"completes again after Close", "complete-close", open(mistake{
			complete: func(q *queue, r *driver.Request, st aio.Status, n int64) {
				q.disk.note = r
				r.Complete(st, n)
			},
			close: func(d *disk) {
				if r, ok := d.note.(*driver.Request); ok {
					d.queues[0].lane.Post(func() { r.Complete(aio.Gone, 0) })
				}
			},
		})},
		{"says cancelled for an error", "cancel-unasked", open(mistake{complete: func(q *queue, r *driver.Request, st aio.Status, n int64) {
			if st == aio.OK && q.every(16) {
				st, n = aio.Cancelled, 0
			}
			r.Complete(st, n)
		}})},
		{"polls without a budget", "poll-budget", open(mistake{poll: func(q *queue, budget int) int {
			return min(budget, q.good.Poll(1<<30))
		}})},
	}
}
