package broken

import (
	"slices"
	"time"

	"blksim/aio"
	"blksim/driver"
)

// data are mistakes with contents.
func data() []Driver {
	return []Driver{
		{"marks the buffer of a write", "buffer-readonly", open(mistake{submit: func(q *queue, r *driver.Request) aio.Status {
			st := q.down(r)
			if st == aio.OK && r.Op == aio.OpWrite {
				r.Bufs[0][8] ^= 1
			}
			return st
		}})},
		{"fills a read's buffer after Complete", "buffer-after", open(mistake{complete: func(q *queue, r *driver.Request, st aio.Status, n int64) {
			if r.Op == aio.OpRead && q.every(8) {
				buf := r.Bufs[0]
				read := slices.Clone(buf)
				q.lane.NewTimer(func() { copy(buf, read) }).Arm(time.Microsecond)
			}
			r.Complete(st, n)
		}})},
		{"takes a write's buffer after Complete", "buffer-after", open(mistake{complete: func(q *queue, r *driver.Request, st aio.Status, n int64) {
			off, bufs := r.Off, r.Bufs
			write := r.Op == aio.OpWrite
			r.Complete(st, n)
			if write {
				_ = q.disk.serve(&driver.Request{Op: aio.OpWrite, Off: off, Len: n, Bufs: bufs})
			}
		}})},
		{"forgets a write", "data-stored", open(mistake{submit: func(q *queue, r *driver.Request) aio.Status {
			if r.Op != aio.OpWrite || !q.every(16) {
				return q.down(r)
			}
			r.Op = aio.OpFlush // and tells nobody
			st := q.down(r)
			r.Op = aio.OpWrite
			if st == aio.OK {
				q.slots[r.Tag].below.Len = r.Len
			}
			return st
		}, complete: func(q *queue, r *driver.Request, st aio.Status, n int64) {
			if st == aio.OK {
				n = r.Len
			}
			r.Complete(st, n)
		}})},
		{"swaps neighbours", "data-stored", open(mistake{submit: func(q *queue, r *driver.Request) aio.Status {
			off := r.Off
			if r.Op == aio.OpRead && r.Len == goodBlock {
				r.Off ^= goodBlock
			}
			st := q.down(r)
			r.Off = off
			return st
		}})},
		{"starts each buffer at the extent's start", "data-segments", open(mistake{complete: func(q *queue, r *driver.Request, st aio.Status, n int64) {
			if r.Op == aio.OpRead && st == aio.OK {
				for _, b := range r.Bufs[1:] {
					copy(b, r.Bufs[0])
				}
			}
			r.Complete(st, n)
		}})},
		{"wraps around at the end", "data-bounds", open(mistake{submit: func(q *queue, r *driver.Request) aio.Status {
			off := r.Off
			if off > goodSize-r.Len {
				r.Off = 0
			}
			st := q.down(r)
			r.Off = off
			return st
		}})},
		{"one block less than it says", "data-bounds", open(mistake{submit: func(q *queue, r *driver.Request) aio.Status {
			if r.Off >= goodSize-goodBlock-r.Len+goodBlock && r.Off+r.Len > goodSize-goodBlock {
				return aio.OutOfRange
			}
			return q.down(r)
		}})},
		{"discards one block too many", "data-zeroes", open(mistake{complete: func(q *queue, r *driver.Request, st aio.Status, n int64) {
			if end := r.Off + r.Len; st == aio.OK && r.Op == aio.OpDiscard && end < goodSize {
				_ = q.disk.serve(&driver.Request{Op: aio.OpDiscard, Off: end, Len: goodBlock})
			}
			r.Complete(st, n)
		}})},
		{"a read cache that a write in flight passes by", "data-overlap", open(mistake{
			submit: func(q *queue, r *driver.Request) aio.Status {
				if q.cache == nil || r.Op != aio.OpRead {
					q.cache = map[int64][]byte{}
				}
				return q.down(r)
			},
			complete: func(q *queue, r *driver.Request, st aio.Status, n int64) {
				if r.Op == aio.OpRead && r.Len == goodBlock && st == aio.OK {
					if old := q.cache[r.Off]; old != nil {
						copy(r.Bufs[0], old)
					} else {
						q.cache[r.Off] = slices.Clone(r.Bufs[0])
					}
				}
				r.Complete(st, n)
			},
		})},
		{"answers a flush at once", "flush-order", open(mistake{submit: func(q *queue, r *driver.Request) aio.Status {
			if r.Op == aio.OpFlush {
				r.Complete(aio.OK, 0)
				return aio.OK
			}
			return q.down(r)
		}})},
		{"takes a write through the cache for any other", "fua-durable", open(mistake{submit: func(q *queue, r *driver.Request) aio.Status {
			through := r.FUA
			r.FUA = false
			st := q.down(r)
			r.FUA = through
			return st
		}})},
		{"hides its cache", "crash-durable", open(mistake{limits: func(l driver.Limits) driver.Limits {
			l.WriteCache, l.FUA = false, false
			return l
		}})},
		{"tears a block when the power goes", "crash-whole", open(mistake{cut: func(g *Good) {
			for off := 0; off < goodSize; off += goodBlock {
				copy(g.safe[off:off+goodBlock/2], g.data[off:])
			}
		}})},
	}
}
