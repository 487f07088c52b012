package nvme

import "blksim/device/nvme/spec"

// Stats are a controller's counters since it was made; resets do not clear
// them.
type Stats struct {
	Admin [256]uint64 // commands fetched, by opcode
	IO    [256]uint64 // commands fetched, by opcode: every I/O command that the device ever saw

	ReadsBegun, WritesBegun uint64 // that passed all checks and went to the medium
	ReadBytes, WrittenBytes uint64 // of those that succeeded

	Completed []StatusCount // entries posted, admin and I/O, by status; in the order of the codes
	PeakIO    int           // most I/O commands fetched and not completed

	Aborts  AbortStats
	Cancels CancelStats
	Errors  ErrorStats
	Medium  MediumStats
}

// StatusCount is how many commands ended with a status.
type StatusCount struct {
	Status spec.Status
	Count  uint64
}

// AbortStats count Abort commands: Asked is the sum of the others and of those
// that have no answer yet or lost it in a reset.
type AbortStats struct {
	Asked         uint64 // carried out (one that was itself aborted in its queue is not)
	Aborted       uint64 // answered: aborted
	NotAborted    uint64 // answered: not aborted
	LimitExceeded uint64 // refused: too many at once
	Invalid       uint64 // refused: malformed
	Cut           uint64 // command ended with 07h, and a reset came before the answer
}

// CancelStats count Cancel commands and what they have ended.
type CancelStats struct {
	Asked     uint64 // commands carried out
	Invalid   uint64 // of these, refused
	Immediate uint64 // commands ended with 07h, as the answers say
	Deferred  uint64 // commands ended with 07h after the answer, which had called them eligible
	Cut       uint64 // commands ended with 07h, and a reset came before the answer
}

// AbortsAnswered is how many commands must have ended with 07h, by what Aborts and
// Cancels answered. It equals Count(spec.AbortRequested) whenever no answer waits
// for room.
func (s Stats) AbortsAnswered() uint64 {
	return s.Aborts.Aborted + s.Aborts.Cut + s.Cancels.Immediate + s.Cancels.Deferred + s.Cancels.Cut
}

// ErrorStats count what a host did wrong outside commands: the asynchronous
// error events of Base 5.2.
type ErrorStats struct {
	DoorbellRegister uint64 // a doorbell of a queue that is not there
	DoorbellValue    uint64 // a value outside the queue, or more than it holds
	Register         uint64 // a write that no register takes
}

// IOCommands is the number of I/O commands that the device ever saw.
func (s Stats) IOCommands() uint64 {
	n := uint64(0)
	for _, v := range s.IO {
		n += v
	}
	return n
}

// Count is the number of commands that ended with status code st.
func (s Stats) Count(st spec.Status) uint64 {
	for _, c := range s.Completed {
		if c.Status == st.Code() {
			return c.Count
		}
	}
	return 0
}

// Stats is a copy of the counters. On the controller's lane, or when the lanes
// have nothing left to run.
func (c *Controller) Stats() Stats {
	s := c.stats
	s.PeakIO = c.io.peak
	s.Medium = c.medium.Stats()
	s.Errors.Register = c.regs.errs.Load()
	for code, n := range c.statusHits {
		if n != 0 {
			s.Completed = append(s.Completed, StatusCount{spec.Status(code), n})
		}
	}
	return s
}
