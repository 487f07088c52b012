package stack

import (
	"blksim/internal/report"
)

// Account puts the stack's own counters into r and closes the stack. The counters
// belong to their lanes, so the run must have ended.
func (st *Stack) Account(r *report.Run) error {
	b := st.Disk.Stats()
	r.Block = report.Block{Rejected: b.Rejected, Needless: b.NeedlessFlushes, Queued: b.Queued, Skipped: b.Skipped,
		Dispatched: b.TotalDispatched(), Busy: b.Busy, Refused: b.Refused, Kicks: b.Kicks}
	if b.DoubleCompletes > 0 {
		r.Odd = append(r.Odd, "the driver completed a request twice")
	}
	err := st.Close()
	if st.dev != nil {
		st.dev.account(&r.Device)
	}
	return err
}
