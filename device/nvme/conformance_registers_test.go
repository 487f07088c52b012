package nvme_test

import (
	"testing"
	"time"

	"blksim/device/nvme"
	"blksim/device/nvme/spec"
)

// bare is a controller that nothing was written to.
func bare(t testing.TB) *rig {
	return newRig(t, 1, nvme.Config{Queues: 4, QueueDepth: 64, ReadyDelay: 10 * time.Millisecond}, withHeld(&held{cache: true}))
}

// atOnce is the same, and ready at once.
func atOnce(t testing.TB) *rig {
	return newRig(t, 1, nvme.Config{Queues: 4}, withHeld(&held{cache: true}))
}

func capField[T any](get func(f spec.CapFields) T, want T) func(r *rig) {
	return field(func(r *rig) T { return get(spec.CAP(r.c.Read64(spec.RegCAP)).Fields()) }, want)
}

func reg(off uint32) func(r *rig) uint32 { return func(r *rig) uint32 { return r.c.Read32(off) } }

// w32 writes a register and lets the controller act.
func (r *rig) w32(off, v uint32) { r.c.Write32(off, v); r.run() }

// start sets the admin queues up and writes CC.
func (r *rig) start(cc spec.CCFields) {
	r.setAdmin(16)
	cc.EN = true
	r.w32(spec.RegCC, uint32(cc.Encode()))
}

// fatalWith is the check that a controller enabled so reports CSTS.CFS.
func fatalWith(cc spec.CCFields, before func(r *rig)) func(r *rig) {
	return func(r *rig) {
		r.setAdmin(16)
		if before != nil {
			before(r)
		}
		cc.EN = true
		r.w32(spec.RegCC, uint32(cc.Encode()))
		r.yes(r.csts().Fatal() && !r.csts().Ready())
		r.w32(spec.RegCC, 0)
		r.yes(!r.csts().Fatal())
	}
}

func (r *rig) shn(v uint8) {
	f := ccEnabled().Fields()
	f.SHN = v
	r.w32(spec.RegCC, uint32(f.Encode()))
}

var registerSections = []section{
	{"Base 3.1.3.1 CAP", bare, []rule{
		{"MQES is the largest queue, 0's based", capField(func(f spec.CapFields) uint16 { return f.MQES }, 63)},
		{"CQR is set: queues are contiguous", capField(func(f spec.CapFields) bool { return f.CQR }, true)},
		{"AMS offers weighted round robin with urgent", capField(func(f spec.CapFields) uint8 { return f.AMS }, 1)},
		{"TO covers the time to ready", capField(func(f spec.CapFields) bool { return f.TO >= 1 }, true)},
		{"DSTRD is the doorbell stride", capField(func(f spec.CapFields) uint8 { return f.DSTRD }, 0)},
		{"NSSRS is set: there is a subsystem reset", capField(func(f spec.CapFields) bool { return f.NSSRS }, true)},
		{"CSS has the NVM command set alone", capField(func(f spec.CapFields) uint8 { return f.CSS }, 1)},
		{"MPSMIN is 4 KiB", capField(func(f spec.CapFields) uint8 { return f.MPSMIN }, 0)},
		{"MPSMAX is the largest page", capField(func(f spec.CapFields) uint8 { return f.MPSMAX }, 4)},
		{"CRMS bit 0 is set from revision 2.0 on", capField(func(f spec.CapFields) uint8 { return f.CRMS & 1 }, 1)},
		{"is read-only", func(r *rig) {
			v := r.c.Read64(spec.RegCAP)
			r.w32(spec.RegCAP, 0)
			r.eq(v, r.c.Read64(spec.RegCAP))
			r.eq(uint64(1), r.c.Stats().Errors.Register)
		}},
		{"may be read as two dwords", func(r *rig) {
			r.eq(r.c.Read64(0), uint64(r.c.Read32(0))|uint64(r.c.Read32(4))<<32)
		}},
	}},
	{"Base 3.1.3.2 to 3.1.3.4 VS, INTMS, INTMC", bare, []rule{
		{"VS is 2.0.0", field(reg(spec.RegVS), 0x2_0000)},
		{"writing 1 to INTMS sets a bit, 0 leaves it", func(r *rig) {
			r.w32(spec.RegINTMS, 5)
			r.w32(spec.RegINTMS, 2)
			r.eq(uint32(7), r.c.Read32(spec.RegINTMS))
		}},
		{"writing 1 to INTMC clears a bit", func(r *rig) {
			r.w32(spec.RegINTMS, 7)
			r.w32(spec.RegINTMC, 2)
			r.eq(uint32(5), r.c.Read32(spec.RegINTMS))
		}},
		{"INTMC reads as the mask", func(r *rig) {
			r.w32(spec.RegINTMS, 9)
			r.eq(uint32(9), r.c.Read32(spec.RegINTMC))
		}},
	}},
	{"Base 3.1.3.5, 3.1.3.6 CC and CSTS", bare, []rule{
		{"CC is 0 before the first write", field(reg(spec.RegCC), 0)},
		{"CC reads as it was written, at once", func(r *rig) {
			r.c.Write32(spec.RegCC, 0x46_0000)
			r.eq(uint32(0x46_0000), r.c.Read32(spec.RegCC))
		}},
		{"CSTS is 0 before the controller is enabled", field(reg(spec.RegCSTS), 0)},
		{"RDY follows EN within CAP.TO", func(r *rig) {
			r.start(ccEnabled().Fields())
			r.yes(r.csts().Ready())
			r.yes(r.w.Now() <= 500_000_000)
		}},
		{"RDY stays 0 until the controller is ready", func(r *rig) {
			r.setAdmin(16)
			r.c.Write32(spec.RegCC, uint32(ccEnabled()))
			r.runFor(9 * time.Millisecond)
			r.yes(!r.csts().Ready())
		}},
		{"clearing EN before RDY leaves it disabled", func(r *rig) {
			r.setAdmin(16)
			r.c.Write32(spec.RegCC, uint32(ccEnabled()))
			r.runFor(time.Millisecond)
			r.w32(spec.RegCC, 0)
			r.yes(!r.csts().Ready())
		}},
		{"the status bits are read-only", func(r *rig) {
			r.w32(spec.RegCSTS, 3)
			r.eq(uint32(0), r.c.Read32(spec.RegCSTS))
		}},
		{"CFS: no admin queues", func(r *rig) {
			r.w32(spec.RegCC, uint32(ccEnabled()))
			r.yes(r.csts().Fatal())
		}},
		{"CFS: an unsupported command set", fatalWith(spec.CCFields{CSS: 1}, nil)},
		{"CFS: a page beyond MPSMAX", fatalWith(spec.CCFields{MPS: 5}, nil)},
		{"CFS: an unsupported arbitration", fatalWith(spec.CCFields{AMS: 7}, nil)},
		{"CFS: an admin queue of one entry", fatalWith(spec.CCFields{}, func(r *rig) { r.w32(spec.RegAQA, 15) })},
		{"CFS: an admin queue that is not memory", fatalWith(spec.CCFields{}, func(r *rig) { r.c.Write64(spec.RegACQ, 1<<40) })},
		{"CFS: an admin queue that is not on a page", fatalWith(spec.CCFields{MPS: 1}, func(r *rig) { r.c.Write64(spec.RegASQ, busBase+4096) })},
		{"AMS 001b is taken", func(r *rig) {
			f := ccEnabled().Fields()
			f.AMS = 1
			r.start(f)
			r.yes(r.csts().Ready())
		}},
	}},
	{"Base 3.1.3.7, 3.7.1 NSSR and subsystem reset", func(t testing.TB) *rig { r := atOnce(t); r.enable(); return r }, []rule{
		{"reads as 0", field(reg(spec.RegNSSR), 0)},
		{"another value than NVMe does nothing", func(r *rig) {
			r.w32(spec.RegNSSR, 0x4e56_4d64)
			r.yes(r.csts().Ready())
		}},
		{"NVMe resets the controller and its registers", func(r *rig) {
			r.w32(spec.RegNSSR, spec.SubsystemReset)
			r.eq([]uint32{0, 0, 0, 0}, []uint32{r.c.Read32(spec.RegCC), r.c.Read32(spec.RegAQA), r.c.Read32(spec.RegASQ), r.c.Read32(spec.RegACQ)})
			r.yes(!r.csts().Ready())
		}},
		{"sets CSTS.NSSRO", func(r *rig) {
			r.w32(spec.RegNSSR, spec.SubsystemReset)
			r.yes(r.csts()&spec.CSTSNSSRO != 0)
		}},
		{"NSSRO outlives enabling and is cleared by writing 1", func(r *rig) {
			r.w32(spec.RegNSSR, spec.SubsystemReset)
			r.enable()
			r.yes(r.csts()&spec.CSTSNSSRO != 0)
			r.w32(spec.RegCSTS, uint32(spec.CSTSNSSRO))
			r.eq(spec.CSTSReady, r.csts())
		}},
		{"a fatal controller comes back", func(r *rig) {
			r.w32(spec.RegCC, 0)
			r.w32(spec.RegAQA, 0)
			r.w32(spec.RegCC, uint32(ccEnabled()))
			r.yes(r.csts().Fatal())
			r.w32(spec.RegNSSR, spec.SubsystemReset)
			r.enable()
		}},
		{"without a shutdown it is an unsafe one", func(r *rig) {
			r.w32(spec.RegNSSR, spec.SubsystemReset)
			r.enable()
			r.eq(uint64(1), r.health().UnsafeShutdowns)
		}},
	}},
	{"Base 3.1.3.8 to 3.1.3.10, 3.1.3.21 AQA, ASQ, ACQ, CRTO", bare, []rule{
		{"AQA has two sizes of 12 bits", func(r *rig) {
			r.w32(spec.RegAQA, 0xffff_ffff)
			r.eq(uint32(0x0fff_0fff), r.c.Read32(spec.RegAQA))
		}},
		{"ASQ takes 8 bytes, and its low 12 bits are reserved", func(r *rig) {
			r.c.Write64(spec.RegASQ, 0x1_2345_6789)
			r.eq(uint64(0x1_2345_6000), r.c.Read64(spec.RegASQ))
		}},
		{"ACQ takes 4 bytes at a time", func(r *rig) {
			r.w32(spec.RegACQ+4, 7)
			r.w32(spec.RegACQ, 0x3000)
			r.eq(uint64(7<<32|0x3000), r.c.Read64(spec.RegACQ))
		}},
		{"a controller reset leaves AQA, ASQ and ACQ", func(r *rig) {
			r.start(ccEnabled().Fields())
			aqa, asq := r.c.Read32(spec.RegAQA), r.c.Read64(spec.RegASQ)
			r.w32(spec.RegCC, 0)
			r.eq(aqa, r.c.Read32(spec.RegAQA))
			r.eq(asq, r.c.Read64(spec.RegASQ))
		}},
		{"CRTO.CRWMT is not less than CAP.TO", func(r *rig) {
			r.yes(r.c.Read32(spec.RegCRTO)&0xffff >= uint32(spec.CAP(r.c.Read64(0)).Fields().TO))
		}},
		{"a reserved register reads as 0", field(reg(0x200), 0)},
	}},
	{"PCIe 3.1.2 doorbells", func(t testing.TB) *rig { return plain(t) }, []rule{
		{"a doorbell of a queue that is not there is an error", func(r *rig) {
			r.w32(spec.SQTailDoorbell(3, 0), 1)
			r.eq(uint64(1), r.c.Stats().Errors.DoorbellRegister)
		}},
		{"a tail outside the queue is an error and changes nothing", func(r *rig) {
			r.w32(spec.SQTailDoorbell(1, 0), 16)
			r.eq(uint64(1), r.c.Stats().Errors.DoorbellValue)
			r.eq(spec.Success, r.do(r.rw(spec.IORead, 0, 1)).status)
		}},
		{"a head beyond what was posted is an error", func(r *rig) {
			r.w32(spec.CQHeadDoorbell(1, 0), 3)
			r.eq(uint64(1), r.c.Stats().Errors.DoorbellValue)
		}},
		{"an unaligned doorbell is no register", func(r *rig) {
			r.w32(spec.SQTailDoorbell(1, 0)+2, 1)
			r.eq(uint64(1), r.c.Stats().Errors.Register)
		}},
		{"8 bytes are no doorbell", func(r *rig) {
			r.c.Write64(spec.SQTailDoorbell(1, 0), 1)
			r.run()
			r.eq(uint64(1), r.c.Stats().Errors.Register)
		}},
		{"doorbells read as 0", field(reg(spec.RegDoorbells), 0)},
		{"the same value again is no error", func(r *rig) {
			r.do(r.rw(spec.IORead, 0, 1))
			r.bell(1)
			r.run()
			r.eq(nvme.ErrorStats{}, r.c.Stats().Errors)
		}},
	}},
	{"Base 3.6 shutdown", withCache, []rule{
		{"SHST is 0 in normal operation", func(r *rig) { r.eq(uint8(spec.ShutdownIdle), r.csts().SHST()) }},
		{"normal: the cache is flushed before it is complete", func(r *rig) {
			r.shn(spec.ShutdownNormal)
			r.eq(uint8(spec.ShutdownBusy), r.csts().SHST())
			r.eq(nvme.OpFlush, r.medium().ops[0].Kind)
			r.medium().finish(r, 1)
			r.eq(uint8(spec.ShutdownComplete), r.csts().SHST())
		}},
		{"normal: what executes ends first", func(r *rig) {
			r.submit(1, r.rw(spec.IOWrite, 0, 1))
			r.run()
			r.shn(spec.ShutdownNormal)
			r.eq(nvme.OpWrite, r.medium().ops[0].Kind)
			r.eq(1, len(r.medium().ops))
			r.medium().finish(r, 1)
			r.eq(1, len(r.peek(1)))
			r.eq(nvme.OpFlush, r.medium().ops[0].Kind)
		}},
		{"abrupt: it is complete at once", func(r *rig) {
			r.shn(spec.ShutdownAbrupt)
			r.eq(uint8(spec.ShutdownComplete), r.csts().SHST())
		}},
		{"no command is fetched afterwards", func(r *rig) {
			r.shn(spec.ShutdownAbrupt)
			r.submit(1, r.rw(spec.IORead, 0, 1))
			r.run()
			r.eq(uint64(0), r.c.Stats().IOCommands())
		}},
		{"a reset ends the shutdown", func(r *rig) {
			r.shn(spec.ShutdownAbrupt)
			r.w32(spec.RegCC, 0)
			r.enable()
			r.eq(uint8(spec.ShutdownIdle), r.csts().SHST())
		}},
		{"a subsystem reset after a shutdown is a safe one", func(r *rig) {
			r.shn(spec.ShutdownAbrupt)
			r.w32(spec.RegNSSR, spec.SubsystemReset)
			r.enable()
			r.eq(uint64(0), r.health().UnsafeShutdowns)
		}},
	}},
	{"Base 3.7.2 controller reset", withCache, []rule{
		{"commands that execute have no completion", func(r *rig) {
			r.submit(1, r.rw(spec.IOWrite, 0, 1))
			r.run()
			r.w32(spec.RegCC, 0)
			r.eq(0, len(r.peek(1)))
			r.eq(0, len(r.medium().ops))
		}},
		{"I/O queues are gone", func(r *rig) {
			r.w32(spec.RegCC, 0)
			r.enable()
			r.bell(1)
			r.run()
			r.eq(uint64(1), r.c.Stats().Errors.DoorbellRegister)
		}},
		{"event requests have no completion", func(r *rig) {
			r.submit(0, command(spec.AdminAsyncEvent, r.nextCID(), 0))
			r.run()
			r.w32(spec.RegCC, 0)
			r.eq(0, len(r.peek(0)))
		}},
		{"the interrupt mask is cleared", func(r *rig) {
			r.w32(spec.RegINTMS, 3)
			r.w32(spec.RegCC, 0)
			r.eq(uint32(0), r.c.Read32(spec.RegINTMS))
		}},
		{"data outlives it", func(r *rig) {
			buf := r.alloc(512)
			fill(r.mem.at(buf, 512), 9)
			r.submit(1, r.rwAt(spec.IOWrite, 3, 1, buf))
			r.run()
			r.medium().finish(r, 1)
			r.w32(spec.RegCC, 0)
			r.enable()
			r.createPair(1, 16)
			back := r.alloc(512)
			r.submit(1, r.rwAt(spec.IORead, 3, 1, back))
			r.run()
			r.medium().finish(r, 1)
			r.yes(all(r.mem.at(back, 512), 9))
		}},
		{"a fatal controller works again", func(r *rig) {
			r.submit(1, r.rw(spec.IOWrite, 0, 1))
			r.run()
			r.w.Lane(0).Post(r.c.Fail)
			r.run()
			r.yes(r.csts().Fatal())
			r.submit(1, r.rw(spec.IORead, 0, 1))
			r.run()
			r.eq(0, len(r.peek(1)))
			r.w32(spec.RegCC, 0)
			r.enable()
			r.createPair(1, 16)
			r.submit(1, r.rw(spec.IORead, 0, 1))
			r.run()
			r.medium().finish(r, 1)
			r.eq(1, len(r.reap(1)))
		}},
	}},
}
