package report

import (
	"fmt"
	"math"

	"blksim/aio"
	device "blksim/device/nvme"
	"blksim/device/nvme/spec"
	"blksim/internal/stack"
	"blksim/sim/faultplan"
)

// Account takes over the stack's own counters. staleCompletes are the second
// completions that the asynchronous core refused.
func (r *Run) Account(c stack.Counts, staleCompletes int64) {
	b := &c.Block
	r.Block = Block{Rejected: b.Rejected, Needless: b.NeedlessFlushes, Queued: b.Queued, Skipped: b.Skipped,
		Dispatched: b.TotalDispatched(), Busy: b.Busy, Refused: b.Refused + b.IgnoredDiscards + b.GoneAtOnce, Kicks: b.Kicks,
		Reached: b.Reached, Merged: b.Merged, Again: b.Again, FlushesAdded: b.FlushesAdded,
		Aborted: b.Completed[aio.Cancelled], BackMerges: b.BackMerges, FrontMerges: b.FrontMerges,
		Splits: b.Splits, Partial: b.Partial, Expired: b.Expired, Timeouts: b.Timeouts,
		LostInterrupts: b.LostInterrupts, TimeoutAborts: b.TimeoutAborts, Retried: b.Retried,
		GivenUp: b.GivenUp, Resets: b.Resets, PeakInFlight: b.PeakInFlight}
	if b.Stages != nil {
		times := &BlockTimes{WaitNs: map[string]*Distribution{}}
		r.BlockTimes = times
		for op := range b.Stages.Wait {
			if d := Sum(&b.Stages.Wait[op]); d != nil {
				times.WaitNs[aio.Op(op).String()] = d
			}
		}
		for _, points := range b.InFlight {
			var f InFlight
			for _, p := range points {
				f.StretchNs = max(f.StretchNs, int64(p.For))
				f.Mean = append(f.Mean, math.Round(p.Mean*1000)/1000)
			}
			times.InFlight = append(times.InFlight, f)
		}
	}
	if c.Volume != nil {
		r.Volume = volumeCounts(c.Volume)
		staleCompletes += c.Volume.StaleCompletes
	}
	for i := range c.Devices {
		if d := deviceCounts(&c.Devices[i]); i == 0 {
			r.Device = d
		} else {
			r.Device.merge(&d)
		}
	}
	r.Disks = realDisks(c.Real)
	if len(c.Real) > 0 && len(c.Faults) == 0 {
		// By the engine's count of what came back from it, of all disks together.
		r.Device.Counted, r.Device.Commands = true, int64(c.Real[0].Stats.Engine.IOs)
	}
	fault := func(n int64, what string) {
		if n > 0 {
			r.Faults = append(r.Faults, fmt.Sprintf("%s (%d times)", what, n))
		}
	}
	fault(b.DoubleCompletes, "the driver completed a request that it did not have")
	fault(staleCompletes, "the block layer completed an I/O that had ended")
	var strays, badHeads, failed int64
	for i := range c.Drivers {
		d := &c.Drivers[i]
		strays, badHeads, failed = strays+int64(d.Strays), badHeads+int64(d.BadHeads), failed+int64(d.AbortsFailed)
	}
	for _, rule := range c.Faults {
		r.Injected = append(r.Injected, Injected{rule.Text, int64(rule.Hits)})
		if rule.What == faultplan.Duplicate || rule.What == faultplan.Late {
			strays -= int64(rule.Hits) // the plan explains them
		}
	}
	fault(strays, "the device completed a command that it did not have")
	fault(badHeads, "the device told an impossible head of a submission queue")
	fault(failed, "the device answered an abort with an error")
}

// deviceCounts are the controller's own counters.
func deviceCounts(c *device.Stats) Device {
	d := Device{Counted: true, Commands: int64(c.IOCommands() - c.IO[spec.IOCancel]), ByOp: map[string]int64{}, PeakDepth: int64(c.PeakIO)}
	for code, n := range c.IO {
		if n > 0 {
			d.ByOp[ioName(byte(code))] = int64(n)
		}
	}
	d.Bytes = map[string]int64{"read": int64(c.ReadBytes), "written": int64(c.WrittenBytes)}
	a := &c.Aborts
	d.Aborts = &Aborts{Asked: int64(a.Asked), Aborted: int64(a.Aborted), NotAborted: int64(a.NotAborted),
		OverLimit: int64(a.LimitExceeded), Cancels: int64(c.Cancels.Asked), Cancelled: int64(c.Cancels.Immediate + c.Cancels.Deferred),
		Completed07: int64(c.Count(spec.AbortRequested))}
	m := &c.Medium
	d.Media = map[string]int64{"reads": int64(m.Reads), "programs": int64(m.Programs), "erases": int64(m.Erases),
		"relocated_bytes": int64(m.RelocatedBytes), "padded_bytes": int64(m.PaddedBytes), "saved": int64(m.Saved), "dropped": int64(m.Dropped)}
	return d
}

// ioName is the name of an I/O command set opcode.
func ioName(code byte) string {
	switch code {
	case spec.IOFlush:
		return "flush"
	case spec.IOWrite:
		return "write"
	case spec.IORead:
		return "read"
	case spec.IOWriteZeroes:
		return "write-zeroes"
	case spec.IODatasetManagement:
		return "dataset-management"
	case spec.IOCancel:
		return "cancel"
	}
	return fmt.Sprintf("%02Xh", code)
}
