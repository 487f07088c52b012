package ebpf

import "fmt"

// Counts are what a Tracer has seen, added up over the CPUs. Whatever was lost is in
// them, and where: [Counts.Check] holds at any time when nothing is being counted.
type Counts struct {
	Started   uint64 // bios that were queued and passed the filters
	Done      uint64 // of them: completed, and told of
	Lost      uint64 // completed, but the ring was full: the reader was too slow
	Brief     uint64 // completed in less than the minimum latency
	NoRoom    uint64 // not followed: the table of what is underway was full
	Stale     uint64 // never seen to complete: their memory holds another bio by now
	Underway  uint64 // not seen to complete until now
	Unmatched uint64 // completions of bios (or pieces) whose start was not seen
	Cut       uint64 // requests of more bios than are looked at, so that some stay underway
	Pieces    uint64 // bios, and pieces of split ones, that completed in requests as a whole
	Unissued  uint64 // bios that completed without any request having been issued

	Inserted          uint64 // requests given to the I/O scheduler
	Issued            uint64 // requests given to the driver
	Requeued          uint64 // requests that the driver gave back
	Requests          uint64 // requests that completed
	RequestsLost      uint64 // of them: the ring was full
	RequestsUnmatched uint64 // of them: their issue was not seen
	RequestsStale     uint64 // requests issued and never seen to complete: their memory holds another one by now
	RequestsNoRoom    uint64
	BackMerges        uint64 // bios put behind a request that was there
	FrontMerges       uint64 // bios put before a request that was there
	RequestMerges     uint64 // requests put behind others
	Splits            uint64 // cuts through bios
	Failed            uint64 // requests that completed with a status
	Errors            uint64 // of them: reported by the kernel (block_rq_error, from 5.17 on)

	// Skipped is how often the kernel did not run a program because it would have
	// interrupted itself. What such a program would have seen to complete is Stale or
	// Underway.
	Skipped uint64
}

// perCPU is struct counters of bpf/state.h.
type perCPU struct {
	Started, Done, Lost, Brief, NoRoom, Stale, Unmatched, Cut, Pieces, Unissued uint64
	Inserted, Issued, Requeued, Requests                                        uint64
	RequestsLost, RequestsUnmatched, RequestsStale, RequestsNoRoom              uint64
	BackMerges, FrontMerges, RequestMerges, Splits, Unread, Failed, Errors      uint64
}

func (c *Counts) add(p *perCPU) {
	c.Started += p.Started
	c.Done += p.Done
	c.Lost += p.Lost
	c.Brief += p.Brief
	c.NoRoom += p.NoRoom
	c.Stale += p.Stale
	c.Unmatched += p.Unmatched
	c.Cut += p.Cut
	c.Pieces += p.Pieces
	c.Unissued += p.Unissued
	c.Inserted += p.Inserted
	c.Issued += p.Issued
	c.Requeued += p.Requeued
	c.Requests += p.Requests
	c.RequestsLost += p.RequestsLost
	c.RequestsUnmatched += p.RequestsUnmatched
	c.RequestsStale += p.RequestsStale
	c.RequestsNoRoom += p.RequestsNoRoom
	c.BackMerges += p.BackMerges
	c.FrontMerges += p.FrontMerges
	c.RequestMerges += p.RequestMerges
	c.Splits += p.Splits
	c.Failed += p.Failed
	c.Errors += p.Errors
}

// NeverDelivered is how many bios were followed and not seen to complete.
func (c Counts) NeverDelivered() uint64 { return c.Stale + c.Underway }

// Check is nil if every bio that was started is accounted for, once.
func (c Counts) Check() error {
	if sum := c.Done + c.Lost + c.Brief + c.NoRoom + c.Stale + c.Underway; sum != c.Started {
		return fmt.Errorf("ebpf: %d bios started, but %d done + %d lost + %d brief + %d without room + %d stale + %d underway = %d",
			c.Started, c.Done, c.Lost, c.Brief, c.NoRoom, c.Stale, c.Underway, sum)
	}
	return nil
}
