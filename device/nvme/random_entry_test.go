package nvme_test

import "blksim/device/nvme/spec"

// entry makes a random command for queue q: of noise, or nearly right.
func (h *randomHost) entry(q int) spec.SQE {
	var e spec.SQE
	for i := 0; i < 64; i += 8 {
		put64(e[i:], h.rnd.Uint64())
	}
	e[1] &= 0xc3
	if h.rnd.IntN(8) > 0 {
		e[1] = 0
		if q > 0 && h.rnd.IntN(4) == 0 {
			e.SetPSDT(uint8(h.rnd.IntN(3)))
		}
	}
	if h.rnd.IntN(8) > 0 {
		nsid(uint32(h.rnd.IntN(6)))(nil, &e)
		if h.rnd.IntN(2) == 0 {
			nsid(1)(nil, &e)
		}
	} else if h.rnd.IntN(2) == 0 {
		nsid(spec.NSIDAll)(nil, &e)
	}
	e.SetPRPs(h.address(), h.address())
	if e.PSDT() != 0 && h.rnd.IntN(4) > 0 {
		e.SetSGL(spec.SGL{Addr: h.address(), Len: uint32(h.rnd.IntN(5)) * 512, Type: uint8(h.rnd.IntN(5))})
		e.SetPSDT(1)
	}
	if q == 0 {
		h.adminEntry(&e)
	} else {
		h.ioEntry(uint16(q), &e)
	}
	// Few ids, that meet again; but those of different commands differ, so that it
	// is known which one a completion is of.
	id := uint16(e.Opcode())<<2 | uint16(h.rnd.IntN(4))
	if q == 0 && (e.Opcode() == spec.AdminDeleteSQ || e.Opcode() == spec.AdminDeleteCQ) {
		id = 0x4000 | h.nextCID()&0xfff // and which queue is gone
	}
	e[2], e[3] = byte(id), byte(id>>8)
	return e
}

// pairEntry makes a fused Compare and Write, good or nearly so.
func (h *randomHost) pairEntry() (first, second spec.SQE) {
	first = command(spec.IOCompare, 0x2000|spec.IOCompare<<2|uint16(h.rnd.IntN(4)), 1)
	first.SetSLBA(uint64(h.rnd.IntN(8)))
	first.SetCDW12(uint32(h.rnd.IntN(4)))
	first.SetPRPs(h.address(), h.address())
	second = first
	second[0], second[2] = spec.IOWrite, spec.IOWrite<<2|first[2]&3
	second.SetPRPs(h.address(), h.address())
	if h.rnd.IntN(4) > 0 { // memory of zeroes, or what an earlier pair wrote
		second.SetPRPs(first.PRP1(), first.PRP2())
	}
	if h.rnd.IntN(8) == 0 {
		second.SetSLBA(uint64(h.rnd.IntN(600)))
	}
	first.SetFuse(spec.FuseFirst)
	second.SetFuse(spec.FuseSecond)
	return first, second
}

// victim is the id of a command that is out in queue q, or one of noise.
func (h *randomHost) victim(q int) uint16 {
	if q < len(h.queues) && len(h.queues[q].out) > 0 && h.rnd.IntN(8) > 0 {
		return h.queues[q].out[h.rnd.IntN(len(h.queues[q].out))].CID()
	}
	return uint16(h.rnd.Uint64())
}

var (
	adminOps = []uint8{0, 1, 2, 4, 5, 6, 8, 8, 8, 9, 0x0a, 0x0c, 0x0d, 0x15, 0x80}
	ioOps    = []uint8{0, 1, 2, 1, 2, 1, 2, 5, 8, 9, 0x0c, 0x18, 0x19}
)

func (h *randomHost) adminEntry(e *spec.SQE) {
	if h.rnd.IntN(4) == 0 {
		return // an opcode of noise
	}
	e[0] = adminOps[h.rnd.IntN(len(adminOps))]
	if h.rnd.IntN(8) == 0 {
		return // dwords of noise
	}
	switch e.Opcode() {
	case spec.AdminCreateCQ, spec.AdminCreateSQ:
		e.SetCDW10(uint32(h.rnd.IntN(8)) | uint32(h.rnd.IntN(80))<<16)
		e.SetCDW11(uint32(h.rnd.IntN(8)|h.rnd.IntN(2)) | uint32(h.rnd.IntN(8))<<16)
		if qid := e.CDW10() & 0xffff; qid > 0 && qid < 5 {
			// A queue of the host's own that comes back with other memory, before
			// the host knows that it was gone, would do what it likes.
			e.SetCDW11(e.CDW11() &^ spec.QueueContiguous)
		}
	case spec.AdminDeleteSQ, spec.AdminDeleteCQ:
		e.SetCDW10(uint32(h.rnd.IntN(40)))
	case spec.AdminAbort:
		q := h.rnd.IntN(7)
		e.SetCDW10(spec.AbortCDW10(uint16(q), h.victim(q)))
	case spec.AdminGetLogPage:
		e.SetCDW10(uint32(h.rnd.IntN(0x14)) | uint32(h.rnd.IntN(2100))<<16)
		e.SetCDW11(0)
		e.SetCDW12(uint32(h.rnd.IntN(5000)))
		e.SetCDW13(0)
	case spec.AdminIdentify:
		e.SetCDW10(uint32(h.rnd.IntN(0x20)))
		e.SetCDW11(0)
	case spec.AdminSetFeatures, spec.AdminGetFeatures:
		e.SetCDW10(uint32(h.rnd.IntN(18)) | uint32(h.rnd.IntN(5))<<8)
		e.SetCDW11(uint32(h.rnd.IntN(400)))
		nsid(uint32(h.rnd.IntN(2)))(nil, e)
	case spec.AdminNSManage:
		// Deleting is rare: without namespaces nothing else is tried.
		e.SetCDW10(uint32(h.rnd.IntN(40)+31) / 32)
		e.SetCDW11(0)
	case spec.AdminNSAttach:
		e.SetCDW10(uint32(h.rnd.IntN(3)))
	case spec.AdminFormat:
		e.SetCDW10(uint32(h.rnd.IntN(3)))
	}
}

func (h *randomHost) ioEntry(q uint16, e *spec.SQE) {
	if h.rnd.IntN(6) == 0 {
		return
	}
	e[0] = ioOps[h.rnd.IntN(len(ioOps))]
	if h.rnd.IntN(16) == 0 {
		return
	}
	e.SetSLBA(uint64(h.rnd.IntN(520)))
	e.SetCDW12(uint32(h.rnd.IntN(40)))
	switch e.Opcode() {
	case spec.IOCancel:
		e.SetCDW10(spec.AbortCDW10(q, h.victim(int(q))))
		e.SetCDW11(uint32(h.rnd.IntN(3)))
		if e.CDW11() == spec.CancelMultiple && h.rnd.IntN(4) > 0 {
			e.SetCDW10(spec.AbortCDW10(q, spec.CIDAll))
		}
	case spec.IODatasetManagement:
		e.SetCDW10(uint32(h.rnd.IntN(4)))
		e.SetCDW11(spec.DSMDeallocate)
	case spec.IOCompare:
		if h.rnd.IntN(2) == 0 {
			e.SetFuse(spec.FuseFirst)
		}
	case spec.IOWrite:
		if h.rnd.IntN(4) == 0 {
			e.SetFuse(spec.FuseSecond)
		}
	}
}

// statuses are the errors that the specification gives a command beside those of
// all commands, by opcode.
var (
	dataErrors  = []spec.Status{spec.DataTransferError, spec.PRPOffsetInvalid}
	sglErrors   = []spec.Status{spec.SGLInvalidSegment, spec.SGLInvalidCount, spec.SGLLengthInvalid, spec.SGLTypeInvalid}
	queueErrors = []spec.Status{spec.InvalidQueueID, spec.InvalidQueueSize, spec.PRPOffsetInvalid}
	nsErrors    = []spec.Status{spec.InvalidNamespace}

	adminErrors = map[uint8][][]spec.Status{
		spec.AdminDeleteSQ:    {{spec.InvalidQueueID}},
		spec.AdminCreateSQ:    {queueErrors, {spec.CQInvalid}},
		spec.AdminGetLogPage:  {dataErrors, {spec.InvalidLogPage}},
		spec.AdminDeleteCQ:    {{spec.InvalidQueueID, spec.InvalidQueueDeletion}},
		spec.AdminCreateCQ:    {queueErrors, {spec.InvalidInterruptVector}},
		spec.AdminIdentify:    {dataErrors, nsErrors},
		spec.AdminAbort:       {{spec.AbortLimitExceeded}},
		spec.AdminSetFeatures: {dataErrors, nsErrors, {spec.FeatureNotSaveable, spec.FeatureNotPerNamespace, spec.CommandSequenceError}},
		spec.AdminGetFeatures: {dataErrors, nsErrors},
		spec.AdminAsyncEvent:  {{spec.AERLimitExceeded}},
		spec.AdminNSManage: {dataErrors, nsErrors, {spec.InvalidFormat, spec.ThinNotSupported, spec.NSInsufficientCapacity,
			spec.NSIDUnavailable, spec.CommandSetNotSupported}},
		spec.AdminNSAttach: {dataErrors, nsErrors, {spec.ControllerListInvalid, spec.NSAlreadyAttached, spec.NSNotAttached}},
		spec.AdminFormat:   {nsErrors, {spec.InvalidFormat, spec.CommandSequenceError, spec.InternalError}},
	}

	blockErrors = []spec.Status{spec.InvalidNamespace, spec.LBAOutOfRange, spec.FormatInProgress}
	readErrors  = []spec.Status{spec.UnrecoveredRead}
	writeErrors = []spec.Status{spec.WriteFault}

	ioErrors = map[uint8][][]spec.Status{
		spec.IOFlush:             {{spec.InvalidNamespace, spec.FormatInProgress}, writeErrors},
		spec.IOWrite:             {blockErrors, dataErrors, sglErrors, writeErrors},
		spec.IORead:              {blockErrors, dataErrors, sglErrors, readErrors},
		spec.IOCompare:           {blockErrors, dataErrors, sglErrors, readErrors, {spec.CompareFailure, spec.InvalidOpcode}},
		spec.IOWriteZeroes:       {blockErrors, writeErrors},
		spec.IODatasetManagement: {blockErrors, dataErrors, sglErrors, writeErrors},
		spec.IOVerify:            {blockErrors, readErrors},
		spec.IOCopy:              {blockErrors, dataErrors, sglErrors, readErrors, writeErrors, {spec.CommandSizeLimitExceeded}},
		spec.IOCancel:            {{spec.InvalidNamespace, spec.InvalidCommandID}},
	}
)

// allowed says whether a command may end with st.
func allowed(admin bool, e *spec.SQE, st spec.Status) bool {
	switch st {
	case spec.AbortRequested, spec.InvalidField:
		return true
	case spec.AbortedSQDeletion:
		return !admin
	case spec.FusedFailed, spec.FusedMissing:
		return !admin && e.Fuse() != spec.FuseNone
	}
	errors := ioErrors
	if admin {
		errors = adminErrors
	}
	sets, known := errors[e.Opcode()]
	if !known {
		return st == spec.InvalidOpcode
	}
	if st == spec.Success {
		return true
	}
	for _, set := range sets {
		for _, x := range set {
			if x == st {
				return true
			}
		}
	}
	return false
}
