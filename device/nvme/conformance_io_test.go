package nvme_test

import (
	"blksim/device/nvme"
	"blksim/device/nvme/spec"
)

// copyOf makes a Copy of source ranges (first block, blocks) to dst.
func (r *rig) copyOf(dst uint64, ranges ...[2]uint64) spec.SQE {
	buf := r.alloc(4096)
	for i, x := range ranges {
		spec.PutCopyRange(r.mem.at(buf+uint64(32*i), 32), x[0], int(x[1]))
	}
	e := command(spec.IOCopy, r.nextCID(), 1)
	e.SetPRPs(buf, 0)
	e.SetSLBA(dst)
	e.SetCDW12(uint32(len(ranges) - 1))
	return e
}

func copyIs(want spec.Status, dst uint64, ranges ...[2]uint64) func(r *rig) {
	return func(r *rig) { r.t.Helper(); r.eq(want, r.do(r.copyOf(dst, ranges...)).status.Code()) }
}

// compare is the status of a Compare of n blocks at slba with v.
func (r *rig) compare(slba uint64, n int, v byte) spec.Status {
	e := r.rw(spec.IOCompare, slba, n)
	fill(r.mem.at(e.PRP1(), n*512), v)
	return r.do(e).status.Code()
}

// pair submits a fused Compare with was and Write of new at block 0, and returns
// the completions.
func (r *rig) pair(was, new byte, edit func(e1, e2 *spec.SQE)) []completion {
	e1, e2 := r.fused(was, new)
	if edit != nil {
		edit(&e1, &e2)
	}
	r.put(1, e1)
	r.put(1, e2)
	r.bell(1)
	r.run()
	return r.reap(1)
}

func (r *rig) fused(was, new byte) (e1, e2 spec.SQE) {
	e1, e2 = r.rw(spec.IOCompare, 0, 2), r.rw(spec.IOWrite, 0, 2)
	fill(r.mem.at(e1.PRP1(), 1024), was)
	fill(r.mem.at(e2.PRP1(), 1024), new)
	e1.SetFuse(spec.FuseFirst)
	e2.SetFuse(spec.FuseSecond)
	return e1, e2
}

// pairIs is the check of the two statuses of a pair, on blocks of 0.
func pairIs(st1, st2 spec.Status, was byte, edit func(e1, e2 *spec.SQE)) func(r *rig) {
	return func(r *rig) {
		r.t.Helper()
		c := r.pair(was, 9, edit)
		r.eq(2, len(c))
		r.eq([]spec.Status{st1, st2}, []spec.Status{c[0].status.Code(), c[1].status.Code()})
		want := byte(0)
		if st2 == spec.Success {
			want = 9
		}
		r.yes(all(r.read(0, 2), want))
	}
}

var ioSections = []section{
	{"NVM 3.2 all commands", three, []rule{
		{"an unknown opcode is Invalid Command Opcode", ioIs(spec.InvalidOpcode, 0x7f, nil)},
		{"NSID 0 is Invalid Namespace", ioIs(spec.InvalidNamespace, rd, nsid(0))},
		{"an NSID beyond NN is Invalid Namespace", ioIs(spec.InvalidNamespace, rd, nsid(5))},
		{"an inactive NSID is Invalid Field", ioIs(spec.InvalidField, rd, nsid(3))},
		{"FFFFFFFFh is Invalid Namespace, but for Flush", ioIs(spec.InvalidNamespace, rd, nsid(spec.NSIDAll))},
		{"the opcode is looked at before the NSID", ioIs(spec.InvalidOpcode, 0x7f, nsid(0))},
		{"a command on the second namespace has its block size", ioIs(okSt, rd, func(r *rig, e *spec.SQE) {
			nsid(2)(r, e)
			e.SetSLBA(127)
			e.SetPRPs(free, 0)
		})},
		{"and its bounds", ioIs(spec.LBAOutOfRange, rd, func(r *rig, e *spec.SQE) { nsid(2)(r, e); e.SetSLBA(128) })},
		{"namespaces do not share blocks", func(r *rig) {
			r.write(0, 8, 1)
			e := r.rw(wr, 0, 8)
			nsid(2)(r, &e)
			e.SetCDW12(0)
			fill(r.mem.at(e.PRP1(), 4096), 2)
			r.eq(okSt, r.do(e).status)
			r.yes(all(r.read(0, 8), 1))
		}},
	}},
	{"NVM 3.2.4, 3.2.6 Read and Write", plain, []rule{
		{"what was written is read", func(r *rig) { r.write(5, 3, 7); r.yes(all(r.read(5, 3), 7)) }},
		{"what was not is zeroes", func(r *rig) { r.yes(all(r.read(0, 8), 0)) }},
		{"the last block", ioIs(okSt, rd, extent(2047, 1))},
		{"beyond the last block is LBA Out of Range", ioIs(spec.LBAOutOfRange, rd, extent(2048, 1))},
		{"across the end is LBA Out of Range", ioIs(spec.LBAOutOfRange, wr, extent(2047, 2))},
		{"an LBA that wraps is LBA Out of Range", ioIs(spec.LBAOutOfRange, rd, extent(^uint64(0), 2))},
		{"MDTS is the most", ioIs(okSt, rd, extent(0, 64))},
		{"more than MDTS is Invalid Field", ioIs(spec.InvalidField, wr, extent(0, 65))},
		{"FUA of a read is taken", ioIs(okSt, rd, func(_ *rig, e *spec.SQE) { e.SetCDW12(spec.RWForceUnit) })},
		{"FUA of a write is taken", ioIs(okSt, wr, func(_ *rig, e *spec.SQE) { e.SetCDW12(spec.RWForceUnit) })},
		{"limited retry and hints are taken", ioIs(okSt, rd, func(_ *rig, e *spec.SQE) { e.SetCDW12(spec.RWLimitedRetry); e.SetCDW13(0xff) })},
		{"protection information is not looked at without a format that has it", ioIs(okSt, wr, func(_ *rig, e *spec.SQE) { e.SetCDW12(0xf << 26); e.SetCDW14(7) })},
		{"a directive is Invalid Field", ioIs(spec.InvalidField, wr, func(_ *rig, e *spec.SQE) { e.SetCDW12(2 << 20) })},
		{"the data of a failed write is not stored", func(r *rig) {
			e := r.rw(wr, 2047, 2)
			fill(r.mem.at(e.PRP1(), 1024), 3)
			r.do(e)
			r.yes(all(r.read(2047, 1), 0))
		}},
	}},
	{"NVM 3.2.6 Write, FUA", withCache, []rule{
		{"FUA reaches the medium", func(r *rig) {
			e := r.rw(wr, 0, 1)
			e.SetCDW12(spec.RWForceUnit)
			r.submit(1, e)
			r.run()
			r.yes(r.medium().ops[0].ForceUnit)
		}},
		{"no FUA does not", func(r *rig) {
			r.submit(1, r.rw(wr, 0, 1))
			r.run()
			r.yes(!r.medium().ops[0].ForceUnit)
		}},
		{"with the cache off every write is forced", func(r *rig) {
			r.feature(spec.AdminSetFeatures, spec.FeatWriteCache, 0)
			r.submit(1, r.rw(wr, 0, 1))
			r.run()
			r.yes(r.medium().ops[0].ForceUnit)
		}},
	}},
	{"Base 7.2 Flush", plain, []rule{
		{"a namespace", ioIs(okSt, spec.IOFlush, nil)},
		{"FFFFFFFFh, as VWC says", ioIs(okSt, spec.IOFlush, nsid(spec.NSIDAll))},
		{"NSID 0 is Invalid Namespace", ioIs(spec.InvalidNamespace, spec.IOFlush, nsid(0))},
		{"the extent is not looked at", ioIs(okSt, spec.IOFlush, func(_ *rig, e *spec.SQE) { e.SetSLBA(1 << 60) })},
	}},
	{"NVM 3.2.1 Compare", plain, []rule{
		{"equal is success", func(r *rig) { r.write(3, 4, 6); r.eq(okSt, r.compare(3, 4, 6)) }},
		{"different is Compare Failure", func(r *rig) { r.write(3, 4, 6); r.eq(spec.CompareFailure, r.compare(3, 4, 7)) }},
		{"different in the last byte is Compare Failure", func(r *rig) {
			e := r.rw(spec.IOCompare, 0, 16)
			r.mem.at(e.PRP2()+4095, 1)[0] = 1
			r.eq(spec.CompareFailure, r.do(e).status.Code())
		}},
		{"blocks that were not written are zeroes", func(r *rig) { r.eq(okSt, r.compare(0, 8, 0)) }},
		{"beyond the end is LBA Out of Range", ioIs(spec.LBAOutOfRange, spec.IOCompare, extent(2048, 1))},
		{"more than MDTS is Invalid Field", ioIs(spec.InvalidField, spec.IOCompare, extent(0, 65))},
		{"nothing is changed", func(r *rig) { r.compare(0, 1, 5); r.yes(all(r.read(0, 1), 0)) }},
	}},
	{"NVM 3.2.8 Write Zeroes", plain, []rule{
		{"the blocks read as zeroes, others do not", func(r *rig) {
			r.write(0, 8, 5)
			r.eq(okSt, r.do(r.rw(spec.IOWriteZeroes, 2, 4)).status)
			b := r.read(0, 8)
			r.yes(all(b[:1024], 5) && all(b[1024:3072], 0) && all(b[3072:], 5))
		}},
		{"MDTS is no limit", ioIs(okSt, spec.IOWriteZeroes, extent(0, 2048))},
		{"beyond the end is LBA Out of Range", ioIs(spec.LBAOutOfRange, spec.IOWriteZeroes, extent(1, 2048))},
		{"DEAC is taken", ioIs(okSt, spec.IOWriteZeroes, func(_ *rig, e *spec.SQE) { e.SetCDW12(spec.RWDeallocate) })},
	}},
	{"NVM 3.2.3 Dataset Management", plain, []rule{
		{"deallocated blocks read as zeroes", func(r *rig) {
			r.write(0, 8, 5)
			r.eq(okSt, r.do(r.dsm(spec.DSMDeallocate, [2]uint64{1, 1}, [2]uint64{6, 2})).status)
			b := r.read(0, 8)
			r.yes(all(b[:512], 5) && all(b[512:1024], 0) && all(b[1024:3072], 5) && all(b[3072:], 0))
		}},
		{"without AD nothing changes", func(r *rig) {
			r.write(0, 8, 5)
			r.eq(okSt, r.do(r.dsm(0, [2]uint64{0, 8})).status)
			r.yes(all(r.read(0, 8), 5))
		}},
		{"256 ranges are taken", func(r *rig) {
			e := r.dsm(spec.DSMDeallocate, make([][2]uint64, 256)...)
			r.eq(okSt, r.do(e).status)
		}},
		{"a range beyond the end is LBA Out of Range, and none is done", func(r *rig) {
			r.write(0, 8, 5)
			r.eq(spec.LBAOutOfRange, r.do(r.dsm(spec.DSMDeallocate, [2]uint64{0, 8}, [2]uint64{2048, 1})).status.Code())
			r.yes(all(r.read(0, 8), 5))
		}},
		{"a range of no blocks is taken", func(r *rig) { r.eq(okSt, r.do(r.dsm(spec.DSMDeallocate, [2]uint64{0, 0})).status) }},
		{"ranges that are not memory are Data Transfer Error", ioIs(spec.DataTransferError, spec.IODatasetManagement, prps(1, 1<<40, 0))},
	}},
	{"NVM 3.2.5 Verify", plain, []rule{
		{"blocks that are there are verified", ioIs(okSt, spec.IOVerify, nil)},
		{"no data moves", ioIs(okSt, spec.IOVerify, prps(1, 1<<40, 3))},
		{"MDTS is no limit", ioIs(okSt, spec.IOVerify, extent(0, 2048))},
		{"beyond the end is LBA Out of Range", ioIs(spec.LBAOutOfRange, spec.IOVerify, extent(2048, 1))},
	}},
	{"NVM 3.2.2 Copy", plain, []rule{
		{"the ranges are copied, one after the other", func(r *rig) {
			r.write(0, 2, 1)
			r.write(100, 3, 2)
			r.eq(okSt, r.do(r.copyOf(50, [2]uint64{100, 3}, [2]uint64{0, 2})).status)
			b := r.read(50, 5)
			r.yes(all(b[:1536], 2) && all(b[1536:], 1))
		}},
		{"the source stays", func(r *rig) {
			r.write(0, 2, 1)
			r.do(r.copyOf(50, [2]uint64{0, 2}))
			r.yes(all(r.read(0, 2), 1))
		}},
		{"an overlap copies what was there before", func(r *rig) {
			r.write(0, 1, 1)
			r.write(1, 1, 2)
			r.eq(okSt, r.do(r.copyOf(1, [2]uint64{0, 2})).status)
			b := r.read(0, 3)
			r.yes(all(b[:1024], 1) && all(b[1024:], 2))
		}},
		{"a source beyond the end is LBA Out of Range", copyIs(spec.LBAOutOfRange, 0, [2]uint64{2047, 2})},
		{"a destination beyond the end is LBA Out of Range", copyIs(spec.LBAOutOfRange, 2040, [2]uint64{0, 9})},
		{"a range beyond MSSRL is Command Size Limit Exceeded", copyIs(spec.CommandSizeLimitExceeded, 0, [2]uint64{0, 2049})},
		{"a sum beyond MCL is Command Size Limit Exceeded", copyIs(spec.CommandSizeLimitExceeded, 0, [2]uint64{0, 2048}, [2]uint64{0, 1})},
		{"ranges beyond MSRC are Command Size Limit Exceeded", func(r *rig) {
			e := r.copyOf(0, [2]uint64{0, 1})
			e.SetCDW12(128)
			r.eq(spec.CommandSizeLimitExceeded, r.do(e).status.Code())
		}},
		{"a descriptor format that OCFS does not offer is Invalid Field", func(r *rig) {
			e := r.copyOf(0, [2]uint64{0, 1})
			e.SetCDW12(1 << spec.CopyFormatShift)
			r.eq(spec.InvalidField, r.do(e).status.Code())
		}},
		{"a directive is Invalid Field", func(r *rig) {
			e := r.copyOf(0, [2]uint64{0, 1})
			e.SetCDW12(1 << 20)
			r.eq(spec.InvalidField, r.do(e).status.Code())
		}},
	}},
	{"NVM 3.2.2 Copy on the medium", withCache, []rule{
		{"reads each range and then writes", func(r *rig) {
			r.submit(1, r.copyOf(50, [2]uint64{0, 2}, [2]uint64{9, 1}, [2]uint64{7, 3}, [2]uint64{20, 1}))
			r.run()
			var got [][2]int64 // first block and blocks
			for range 5 {
				op := r.medium().ops[0]
				got = append(got, [2]int64{op.Off / 512, op.Len / 512})
				r.yes((op.Kind == nvme.OpWrite) == (len(got) == 5))
				r.medium().finish(r, 1)
			}
			r.eq([][2]int64{{0, 2}, {9, 1}, {7, 3}, {20, 1}, {50, 7}}, got)
			r.eq(okSt, r.reap(1)[0].status)
		}},
		{"an unrecovered range is named in dword 0", func(r *rig) {
			r.submit(1, r.copyOf(50, [2]uint64{0, 2}, [2]uint64{9, 1}))
			r.run()
			r.medium().finish(r, 1)
			r.medium().end(r, spec.UnrecoveredRead)
			c := r.reap(1)[0]
			r.eq(spec.UnrecoveredRead, c.status.Code())
			r.eq(uint32(1), c.result)
		}},
	}},
	{"Base 3.4.2 fused Compare and Write", plain, []rule{
		{"equal: the write is done", pairIs(okSt, okSt, 0, nil)},
		{"different: Compare Failure, and the write is Aborted due to Failed Fused Command", pairIs(spec.CompareFailure, spec.FusedFailed, 1, nil)},
		{"the first completes first", func(r *rig) {
			e1, e2 := r.fused(0, 9)
			r.put(1, e1)
			r.put(1, e2)
			r.bell(1)
			r.run()
			c := r.reap(1)
			r.eq([]uint16{e1.CID(), e2.CID()}, []uint16{c[0].cid, c[1].cid})
		}},
		{"extents that differ are Invalid Field", pairIs(spec.InvalidField, spec.InvalidField, 0, func(_, e2 *spec.SQE) { e2.SetSLBA(1) })},
		{"a first that is no Compare is Invalid Field", pairIs(spec.InvalidField, spec.InvalidField, 0, func(e1, _ *spec.SQE) { e1[0] = spec.IORead })},
		{"a second that is no Write is Invalid Field", pairIs(spec.InvalidField, spec.InvalidField, 0, func(_, e2 *spec.SQE) { e2[0] = spec.IOWriteZeroes })},
		{"a first with an error fails the second", pairIs(spec.LBAOutOfRange, spec.FusedFailed, 0, func(e1, _ *spec.SQE) { e1.SetSLBA(1 << 40) })},
		{"a second with an error fails the first", pairIs(spec.FusedFailed, spec.InvalidNamespace, 0, func(_, e2 *spec.SQE) { e2[4] = 9 })},
		{"a first alone is Missing Fused Command", func(r *rig) {
			e1, _ := r.fused(0, 9)
			r.eq(spec.FusedMissing, r.do(e1).status.Code())
		}},
		{"a second alone is Missing Fused Command", func(r *rig) {
			_, e2 := r.fused(0, 9)
			r.eq(spec.FusedMissing, r.do(e2).status.Code())
			r.yes(all(r.read(0, 2), 0))
		}},
		{"a first that is followed by another command is Missing Fused Command, and that one is done", func(r *rig) {
			e1, _ := r.fused(0, 9)
			r.put(1, e1)
			r.put(1, r.rw(rd, 0, 1))
			r.bell(1)
			r.run()
			c := r.reap(1)
			r.eq([]spec.Status{spec.FusedMissing, okSt}, []spec.Status{c[0].status.Code(), c[1].status.Code()})
		}},
		{"the two must be shown by one doorbell", func(r *rig) {
			e1, e2 := r.fused(0, 9)
			r.put(1, e1)
			r.bell(1)
			r.run()
			r.put(1, e2)
			r.bell(1)
			r.run()
			c := r.reap(1)
			r.eq([]spec.Status{spec.FusedMissing, spec.FusedMissing}, []spec.Status{c[0].status.Code(), c[1].status.Code()})
		}},
		{"FUSE 11b is Invalid Field", ioIs(spec.InvalidField, rd, func(_ *rig, e *spec.SQE) { e.SetFuse(3) })},
		{"a pair may lie across the end of the queue", func(r *rig) {
			for range 15 {
				r.do(r.rw(rd, 0, 1))
			}
			pairIs(okSt, okSt, 0, nil)(r)
		}},
	}},
	{"Base 3.4.2 fused commands on the medium", withCache, []rule{
		{"a write in between makes the compare fail", func(r *rig) {
			e1, e2 := r.fused(0, 9)
			r.put(1, e1)
			r.put(1, e2)
			r.bell(1)
			r.run()
			r.medium().finish(r, 1) // the compare's read; the write begins
			w := r.rw(wr, 0, 1)
			fill(r.mem.at(w.PRP1(), 512), 4)
			r.submit(1, w)
			r.run()
			ops := r.medium().ops
			ops[0], ops[1] = ops[1], ops[0]
			r.medium().finish(r, 2)
			c := r.reap(1)
			r.eq([]spec.Status{okSt, spec.CompareFailure, spec.FusedFailed}, []spec.Status{c[0].status, c[1].status.Code(), c[2].status.Code()})
		}},
		{"a pair waits for two slots", func(r *rig) {
			r = twoQueues(r.t)
			r.fly(1, 1, 5)
			e1, e2 := r.fused(0, 9)
			r.put(1, e1)
			r.put(1, e2)
			r.bell(1)
			r.run()
			r.eq(uint64(5), r.c.Stats().IOCommands())
			r.medium().finish(r, 1)
			r.eq(uint64(7), r.c.Stats().IOCommands())
		}},
		{"a failed read fails the write", func(r *rig) {
			e1, e2 := r.fused(0, 9)
			r.put(1, e1)
			r.put(1, e2)
			r.bell(1)
			r.run()
			r.medium().end(r, spec.UnrecoveredRead)
			c := r.reap(1)
			r.eq([]spec.Status{spec.UnrecoveredRead, spec.FusedFailed}, []spec.Status{c[0].status.Code(), c[1].status.Code()})
		}},
	}},
}
