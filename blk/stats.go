package blk

import "blksim/aio"

// Stats counts I/Os by stage.
type Stats struct {
	Rejected        int64                  // refused by Check, before any queue
	NeedlessFlushes int64                  // answered here, as the device has no write cache
	Queued          int64                  // put on a hardware queue
	Skipped         int64                  // cancelled before dispatch: the driver never saw them
	Dispatched      [aio.NumOps]int64      // taken by the driver
	Busy            int64                  // Submits that the driver put off
	Refused         int64                  // Submits that the driver refused
	Kicks           int64                  // calls of the driver's Cancel
	Completed       [aio.NumStatuses]int64 // completions by the driver
	DoubleCompletes int64                  // completions of requests that the driver did not have
}

// TotalDispatched is the number of requests that the driver took.
func (s Stats) TotalDispatched() int64 {
	var n int64
	for _, d := range s.Dispatched {
		n += d
	}
	return n
}

// Stats adds up the counters of all queues. While I/O runs they belong to their
// lanes: call it when all I/O has completed.
func (d *Disk) Stats() Stats {
	var t Stats
	for _, s := range d.soft {
		if s != nil {
			t.Rejected += s.rejected
			t.NeedlessFlushes += s.needless
		}
	}
	for _, h := range d.queues {
		s := &h.stats
		t.Queued += s.Queued
		t.Skipped += s.Skipped
		t.Busy += s.Busy
		t.Refused += s.Refused
		t.Kicks += s.Kicks
		t.DoubleCompletes += s.DoubleCompletes
		for i, n := range s.Dispatched {
			t.Dispatched[i] += n
		}
		for i, n := range s.Completed {
			t.Completed[i] += n
		}
	}
	return t
}
