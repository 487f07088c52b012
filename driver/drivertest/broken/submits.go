package broken

import (
	"blksim/aio"
	"blksim/driver"
)

// submits are mistakes in answering Submit.
func submits() []Driver {
	return []Driver{
		{"claims discard and has none", "ops-claimed", open(mistake{submit: func(q *queue, r *driver.Request) aio.Status {
			if r.Op == aio.OpDiscard {
				return aio.NotSupported
			}
			return q.down(r)
		}})},
		{"rounds the request before it says busy", "busy-untouched", open(mistake{submit: func(q *queue, r *driver.Request) aio.Status {
			st := q.down(r)
			if st == aio.Busy {
				r.Off = r.Off / 4096 * 4096
			}
			return st
		}})},
		{"takes the request and says busy", "busy-untouched", open(mistake{submit: func(q *queue, r *driver.Request) aio.Status {
			if st := q.down(r); st != aio.OK || !q.every(8) {
				return st
			}
			q.good.Commit()
			return aio.Busy
		}})},
		{"never gives the place of a flush back", "busy-ends", open(mistake{complete: func(q *queue, r *driver.Request, st aio.Status, n int64) {
			if r.Op == aio.OpFlush {
				q.good.used++
			}
			r.Complete(st, n)
		}})},
		{"completes what it refuses", "refuse-untouched", open(mistake{submit: func(q *queue, r *driver.Request) aio.Status {
			if q.every(8) {
				r.Complete(aio.MediaError, 0)
				return aio.MediaError
			}
			return q.down(r)
		}})},
		{"one table of tags for all queues", "queues-apart", open(mistake{
			submit: func(q *queue, r *driver.Request) aio.Status {
				st := q.down(r)
				if st == aio.OK {
					table, _ := q.disk.note.(map[int]*driver.Request)
					if table == nil {
						table = map[int]*driver.Request{}
						q.disk.note = table
					}
					table[r.Tag] = r
				}
				return st
			},
			complete: func(q *queue, r *driver.Request, st aio.Status, n int64) {
				q.disk.note.(map[int]*driver.Request)[r.Tag].Complete(st, n)
			},
		})},
	}
}
