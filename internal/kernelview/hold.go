package kernelview

import (
	"blksim/aio/lane"
	"blksim/internal/record"
	"blksim/internal/replay"
)

// held is an I/O that waits for its bios, before it goes on to the next sink.
type held struct {
	io    replay.IO
	job   int
	epoch int64
	ready bool
}

// known tells when the kernel had it.
func (h *held) known(r *request) {
	since := func(ns int64) lane.Time {
		if ns == 0 {
			return 0
		}
		return lane.Time(ns - h.epoch)
	}
	h.io.Kernel = replay.KernelTimes{Queued: since(r.queue), Issued: since(r.issue), Completed: since(r.complete)}
	h.ready = true
}

// holdBatch is how many I/Os go on at once.
const holdBatch = 512

// hold is the I/Os that wait, in the order in which they came, which is that in which
// they go on.
type hold struct {
	next  record.Sink // nil: nobody wants them
	queue []*held
	batch record.Batch
}

// add has an I/O wait.
func (h *hold) add(io *replay.IO, job int, epoch int64) *held {
	if h.next == nil {
		return nil
	}
	one := &held{io: *io, job: job, epoch: epoch}
	h.queue = append(h.queue, one)
	return one
}

// pass has those go on that are ready, and have none before them that is not; all of
// them at the end.
func (h *hold) pass(end bool) error {
	n := 0
	for ; n < len(h.queue) && (end || h.queue[n].ready); n++ {
		one := h.queue[n]
		if len(h.batch.IOs) == holdBatch || len(h.batch.IOs) > 0 && h.batch.Job != one.job {
			if err := h.flush(); err != nil {
				return err
			}
		}
		h.batch.Job, h.batch.IOs = one.job, append(h.batch.IOs, one.io)
		h.queue[n] = nil
	}
	h.queue = h.queue[n:]
	if end && h.next != nil {
		return h.flush()
	}
	return nil
}

func (h *hold) flush() error {
	if len(h.batch.IOs) == 0 {
		return nil
	}
	err := h.next.Write(&h.batch)
	h.batch.IOs = h.batch.IOs[:0]
	return err
}
