package blk

import "blksim/aio"

// onCancel is the cancel callback of an I/O that is with a driver that has
// Cancel. It runs wherever somebody cancelled, so it only posts a kick. The bio
// cannot be used for another I/O while it runs; the slot can.
func onCancel(k aio.Kiocb) {
	s := k.Private().(*bio).slot
	s.h.lane.Post(s.kickFn)
}

// kick tells the driver, if the I/O in this slot is one that somebody cancelled.
// It may be another one than the kick was posted for: then that one is either
// not cancelled, and nothing happens, or it is, and its own kick comes to
// nothing later. On the queue's lane.
func (s *slot) kick() {
	if s.bio == nil || s.cancelSent || !s.k.Cancelled() {
		return
	}
	s.cancelSent = true
	s.h.stats.Kicks++
	s.h.canceler.Cancel(s.req)
}
