package nvme

import "blksim/device/nvme/spec"

// errorEntries is the size of the error log (ELPE + 1): one page of the host's.
const errorEntries = 64

// errorLog is the last errors (Base 5.16.1.2). It outlives every reset.
type errorLog struct {
	count   uint64 // errors since the device was made
	entries [errorEntries]spec.ErrorEntry
}

// noteError logs the error that cmd ends with and says so in its status (M).
// What a host has asked for, by Abort, Cancel or the deletion of a queue, is no
// error.
func (c *Controller) noteError(cmd *command, st spec.Status) spec.Status {
	if st.SCT() == 2 && st.Code() != spec.CompareFailure {
		c.counts.mediaErrors++
	}
	switch st.Code() {
	case spec.AbortRequested, spec.AbortedSQDeletion, spec.FusedFailed:
		return st
	}
	e := spec.ErrorEntry{
		SQID: cmd.sq.id, CID: cmd.cid, Status: st | spec.More, Location: errorLocation(st), LBA: cmd.lba, NSID: cmd.nsid,
	}
	c.logError(e)
	return st | spec.More
}

// errorLocation is the first byte of the field that is at fault, where the status
// says as much.
func errorLocation(st spec.Status) uint16 {
	switch st.Code() {
	case spec.InvalidOpcode:
		return 0
	case spec.InvalidNamespace:
		return 4
	case spec.PRPOffsetInvalid, spec.SGLInvalidSegment, spec.SGLInvalidCount, spec.SGLLengthInvalid, spec.SGLTypeInvalid:
		return 24
	case spec.LBAOutOfRange, spec.InvalidQueueID, spec.InvalidQueueSize:
		return 40
	}
	return spec.NoLocation
}

func (c *Controller) logError(e spec.ErrorEntry) {
	e.Count = c.errors.count + 1
	c.errors.entries[c.errors.count%errorEntries] = e
	c.errors.count++
}

// putErrorLog writes the log page, the newest entry first.
func (c *Controller) putErrorLog(b []byte) {
	for i := range min(c.errors.count, errorEntries) {
		e := &c.errors.entries[(c.errors.count-1-i)%errorEntries]
		e.Put(b[i*spec.ErrorEntrySize:])
	}
}

// doorbellError is a doorbell that cannot be (Base 5.2): it is logged, and told
// to a host that has an event request out.
func (c *Controller) doorbellError(qid int, info uint8) {
	if info == spec.ErrorDoorbellRegister {
		c.stats.Errors.DoorbellRegister++
	} else {
		c.stats.Errors.DoorbellValue++
	}
	if c.state != ready {
		return
	}
	c.logError(spec.ErrorEntry{SQID: uint16(qid), CID: spec.NoLocation, Location: spec.NoLocation})
	c.raiseEvent(spec.EventError, info)
}
