package broken

import (
	"time"

	"blksim/aio"
	"blksim/driver"
)

// worlds are mistakes about the world that a driver lives in.
func worlds() []Driver {
	return []Driver{
		{"a goroutine for each queue", "no-goroutines", open(mistake{
			submit: func(q *queue, r *driver.Request) aio.Status {
				if q.disk.note == nil {
					stop := make(chan struct{})
					q.disk.note = stop
					go func() { <-stop }()
				}
				return q.down(r)
			},
			close: func(d *disk) {
				if stop, ok := d.note.(chan struct{}); ok {
					close(stop)
				}
			},
		})},
		{"looks at the machine's clock", "deterministic", open(mistake{commit: func(q *queue) {
			for range time.Now().UnixNano() % 3 {
				q.good.service()
			}
			q.good.Commit()
		}})},
		{"an order that a map gives", "deterministic", open(mistake{commit: func(q *queue) {
			batch := map[int]*goodSlot{}
			for tag := range q.good.slots {
				if s := &q.good.slots[tag]; s.state == batched {
					batch[tag] = s
				}
			}
			for _, s := range batch {
				s.state = flying
				s.timer.Arm(q.good.service())
			}
		}})},
	}
}
