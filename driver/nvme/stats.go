package nvme

import "sync/atomic"

// Stats counts what a driver has done since Open, over all its queues.
type Stats struct {
	Submitted   uint64 // commands written to I/O submission queues
	Doorbells   uint64 // tail doorbells rung for them
	Completions uint64 // commands completed, each with its request
	Cancelled   uint64 // of these, as Cancelled
	Interrupts  uint64 // runs of the I/O queues' interrupt handlers
	Busy        uint64 // Submits answered Busy
	Bounced     uint64 // pages copied because PRPs could not describe them
	Strays      uint64 // completions that were ignored because no such command was with the controller
	BadHeads    uint64 // completions whose submission queue head was impossible, and ignored

	AbortsAsked   uint64 // calls of Cancel for a command with the controller, whatever they sent
	AbortsSent    uint64
	AbortsDropped uint64 // not sent, because the command had completed
	AbortsDone    uint64 // answered: aborted
	AbortsNotDone uint64 // answered: not aborted
	AbortsFailed  uint64 // answered with an error
	AbortsLost    uint64 // not answered before a reset

	CancelsSent     uint64 // Cancel commands; of AbortsAsked the rest are Aborts
	CancelsDone     uint64 // answered: the command was aborted
	CancelsDeferred uint64 // answered: it may yet be
	CancelsNotDone  uint64 // answered: neither
	CancelsFailed   uint64 // answered with an error

	Resets   uint64 // resets begun
	TimedOut uint64 // requests that a reset ended, of Submitted
}

// queueStats are the counts of one queue. Each has one writer, the queue's lane,
// and is read from anywhere. The counts that every I/O changes are kept plainly
// and published once for a batch.
type queueStats struct {
	submitted, doorbells, completions, interrupts uint64 // the queue's lane only

	shown struct{ submitted, doorbells, completions, interrupts atomic.Uint64 }

	cancelled, busy, bounced, strays, badHeads, asked atomic.Uint64

	cancelsSent, cancelsDone, cancelsDeferred, cancelsNotDone, cancelsFailed, lost atomic.Uint64
}

// countSubmits counts a doorbell and shows what was submitted before it.
func (s *queueStats) countSubmits() {
	s.doorbells++
	s.shown.submitted.Store(s.submitted)
	s.shown.doorbells.Store(s.doorbells)
}

func (s *queueStats) countInterrupt() {
	s.interrupts++
	s.shown.interrupts.Store(s.interrupts)
}

func (s *queueStats) countCompletions(n int) {
	s.completions += uint64(n)
	s.shown.completions.Store(s.completions)
}

func (s *queueStats) addTo(t *Stats) {
	t.Submitted += s.shown.submitted.Load()
	t.Doorbells += s.shown.doorbells.Load()
	t.Completions += s.shown.completions.Load()
	t.Interrupts += s.shown.interrupts.Load()
	t.Cancelled += s.cancelled.Load()
	t.Busy += s.busy.Load()
	t.Bounced += s.bounced.Load()
	t.Strays += s.strays.Load()
	t.BadHeads += s.badHeads.Load()
	t.AbortsAsked += s.asked.Load()
	t.TimedOut += s.lost.Load()
	t.CancelsSent += s.cancelsSent.Load()
	t.CancelsDone += s.cancelsDone.Load()
	t.CancelsDeferred += s.cancelsDeferred.Load()
	t.CancelsNotDone += s.cancelsNotDone.Load()
	t.CancelsFailed += s.cancelsFailed.Load()
}

// adminStats are the counts of the admin queue, written on its lane.
type adminStats struct {
	sent, dropped, done, notDone, failed, lost, resets, strays, badHeads atomic.Uint64
}

func (s *adminStats) addTo(t *Stats) {
	t.AbortsSent += s.sent.Load()
	t.AbortsDropped += s.dropped.Load()
	t.AbortsDone += s.done.Load()
	t.AbortsNotDone += s.notDone.Load()
	t.AbortsFailed += s.failed.Load()
	t.AbortsLost += s.lost.Load()
	t.Resets += s.resets.Load()
	t.Strays += s.strays.Load()
	t.BadHeads += s.badHeads.Load()
}

// Stats returns the counts. It may be called from anywhere and at any time; what
// a lane is in the middle of may be missing.
func (d *Driver) Stats() Stats {
	var t Stats
	d.admin.stats.addTo(&t)
	for i := range d.stats {
		d.stats[i].addTo(&t)
	}
	return t
}
