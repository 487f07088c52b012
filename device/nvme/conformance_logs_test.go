package nvme_test

import (
	"encoding/binary"

	"blksim/device/nvme/spec"
)

// log reads n bytes of a log page from offset off; flags are those of CDW10.
func (r *rig) logPage(lid uint8, n int, off uint64, flags uint32) ([]byte, spec.Status) {
	buf := r.alloc(8192)
	fill(r.mem.at(buf, 8192), 0xee)
	e := command(spec.AdminGetLogPage, r.nextCID(), spec.NSIDAll)
	e.SetPRPs(buf, buf+4096)
	e.SetCDW10(spec.LogCDW10(lid, n) | flags)
	e.SetCDW11(spec.LogCDW11(n))
	e.SetCDW12(uint32(off))
	e.SetCDW13(uint32(off >> 32))
	st := r.admin(e).status
	return r.mem.at(buf, 8192), st
}

func (r *rig) page(lid uint8) []byte {
	b, st := r.logPage(lid, 4096, 0, 0)
	r.t.Helper()
	r.eq(spec.Success, st)
	return b[:4096]
}

func (r *rig) health() spec.Health { return spec.DecodeHealth(r.page(spec.LogHealth)) }

func (r *rig) lastError() spec.ErrorEntry { return spec.DecodeErrorEntry(r.page(spec.LogErrors)) }

// logIs is the check that Get Log Page with those dwords ends with a status.
func logIs(want spec.Status, nsid uint32, cdw ...uint32) func(r *rig) {
	return adminIs(want, spec.AdminGetLogPage, nsid, cdw...)
}

// event submits an event request and says what it told: 0, false if nothing yet.
func (r *rig) event() (uint32, bool) {
	r.submit(0, command(spec.AdminAsyncEvent, r.nextCID(), 0))
	r.run()
	if c := r.reap(0); len(c) == 1 {
		r.eq(spec.Success, c[0].status)
		return c[0].result, true
	}
	return 0, false
}

// told is what an event request that waits has been told.
func (r *rig) told() (uint32, bool) {
	r.run()
	if c := r.reap(0); len(c) == 1 {
		return c[0].result, true
	}
	return 0, false
}

func (r *rig) badTail() { r.w32(spec.SQTailDoorbell(1, 0), 999) }
func (r *rig) noQueue() { r.w32(spec.SQTailDoorbell(3, 0), 1) }

// hot makes the drive too hot, by lowering the threshold.
func (r *rig) hot() {
	r.eq(spec.Success, r.feature(spec.AdminSetFeatures, spec.FeatTemperature, 300).status)
}

func (r *rig) events(v uint32) {
	r.eq(spec.Success, r.feature(spec.AdminSetFeatures, spec.FeatAsyncEvents, v).status)
}

var logSections = []section{
	{"Base 5.16 Get Log Page", plain, []rule{
		{"an unknown page is Invalid Log Page", logIs(spec.InvalidLogPage, 0, 0xc0|1<<16)},
		{"an offset that is not dword aligned is Invalid Field", logIs(spec.InvalidField, 0, 1|1<<16, 0, 2)},
		{"an offset beyond the page is Invalid Field", logIs(spec.InvalidField, 0, 1|1<<16, 0, 1<<20)},
		{"an offset type of indexes is Invalid Field", logIs(spec.InvalidField, 0, 1|1<<16, 0, 0, 0, 1<<23)},
		{"a length beyond MDTS is Invalid Field", logIs(spec.InvalidField, 0, 1, 1)},
		{"a length of one dword transfers 4 bytes", func(r *rig) {
			b, st := r.logPage(spec.LogHealth, 4, 0, 0)
			r.eq(spec.Success, st)
			r.yes(all(b[4:], 0xee))
		}},
		{"an offset takes the rest of the page", func(r *rig) {
			whole := r.page(spec.LogEffects)
			b, st := r.logPage(spec.LogEffects, 1024, 1024, 0)
			r.eq(spec.Success, st)
			r.eq(whole[1024:2048], b[:1024])
		}},
		{"health by namespace is Invalid Field", logIs(spec.InvalidField, 1, 2|1<<16)},
		{"00h lists the pages", func(r *rig) {
			b := r.page(spec.LogSupported)
			var got []int
			for i := range 256 {
				if b[4*i]&1 != 0 {
					got = append(got, i)
				}
			}
			r.eq([]int{0, 1, 2, 3, 4, 5, 0x12, 0x13}, got)
		}},
		{"03h says that slot 1 is active, with the revision of FR", func(r *rig) {
			b := r.page(spec.LogFirmware)
			r.eq(byte(1), b[0]&7)
			r.eq("1.0     ", string(b[8:16]))
		}},
		{"05h has exactly the admin commands that are not Invalid Opcode", func(r *rig) {
			b := r.page(spec.LogEffects)
			for op := range 256 {
				if op == spec.AdminAsyncEvent || op == spec.AdminDeleteSQ || op == spec.AdminFormat {
					continue // not to be tried lightly; the list has them
				}
				st := r.admin(command(uint8(op), r.nextCID(), 0)).status.Code()
				r.eq(st != spec.InvalidOpcode, b[4*op]&1 != 0)
			}
		}},
		{"05h has exactly the I/O commands that are not Invalid Opcode", func(r *rig) {
			b := r.page(spec.LogEffects)
			for op := range 256 {
				st := r.do(command(uint8(op), r.nextCID(), 0)).status.Code()
				r.eq(st != spec.InvalidOpcode, b[1024+4*op]&1 != 0)
			}
		}},
		{"05h says which commands change data", func(r *rig) {
			b := r.page(spec.LogEffects)
			at := func(op int) uint32 { return binary.LittleEndian.Uint32(b[1024+4*op:]) & spec.EffectContent }
			r.yes(at(spec.IOWrite) != 0 && at(spec.IOCopy) != 0 && at(spec.IORead) == 0 && at(spec.IOCancel) == 0)
		}},
		{"05h gives each command a scope, as LPA bit 5 says", func(r *rig) {
			b := r.page(spec.LogEffects)
			for i := 0; i < 2048; i += 4 {
				if v := binary.LittleEndian.Uint32(b[i:]); v&1 != 0 {
					r.yes(v>>20 != 0)
				}
			}
		}},
		{"05h has Cancel, since Cancel is supported (Base 7.1)", func(r *rig) {
			r.eq(byte(1), r.page(spec.LogEffects)[1024+4*spec.IOCancel]&1)
		}},
		{"12h lists the features", func(r *rig) {
			b := r.page(spec.LogFeatures)
			for id := range uint32(256) {
				st := r.feature(spec.AdminGetFeatures, spec.SelectSupported<<8|id, 0).status
				r.eq(st == spec.Success, b[4*id]&1 != 0)
			}
		}},
	}},
	{"Base 5.16.1.2 error log", plain, []rule{
		{"is empty at first", func(r *rig) { r.eq(uint64(0), r.lastError().Count) }},
		{"an error has an entry with its queue, command and status", func(r *rig) {
			e := r.rw(spec.IORead, 5000, 1)
			r.do(e)
			x := r.lastError()
			r.eq([]uint16{1, e.CID()}, []uint16{x.SQID, x.CID})
			r.eq(spec.LBAOutOfRange, x.Status.Code())
		}},
		{"and the namespace", func(r *rig) {
			r.do(r.rw(spec.IORead, 5000, 1))
			r.eq(uint32(1), r.lastError().NSID)
		}},
		{"and the first block", func(r *rig) {
			r.do(r.rw(spec.IORead, 7, 1))
			r.do(r.rw(spec.IORead, 5000, 1))
			r.eq(uint64(5000), r.lastError().LBA)
			r.do(r.rw(spec.IORead, 9, 65)) // beyond MDTS, and so before the block is looked at
			r.eq(uint64(0), r.lastError().LBA)
		}},
		{"and the field that is wrong", func(r *rig) {
			r.do(r.rw(spec.IORead, 5000, 1))
			r.eq(uint16(40), r.lastError().Location)
		}},
		{"the status of the command has M set", func(r *rig) { r.yes(r.do(r.rw(spec.IORead, 5000, 1)).more) }},
		{"M is clear in a success", func(r *rig) { r.yes(!r.do(r.rw(spec.IORead, 0, 1)).more) }},
		{"the newest entry is first, and counts go up", func(r *rig) {
			r.do(r.rw(spec.IORead, 5000, 1))
			r.do(r.rw(0x7f, 0, 1))
			b := r.page(spec.LogErrors)
			r.eq(spec.InvalidOpcode, spec.DecodeErrorEntry(b).Status.Code())
			r.eq([]uint64{2, 1}, []uint64{spec.DecodeErrorEntry(b).Count, spec.DecodeErrorEntry(b[64:]).Count})
		}},
		{"the oldest entry gives way", func(r *rig) {
			for range 70 {
				r.do(r.rw(spec.IORead, 5000, 1))
			}
			b := r.page(spec.LogErrors)
			r.eq([]uint64{70, 7}, []uint64{spec.DecodeErrorEntry(b).Count, spec.DecodeErrorEntry(b[63*64:]).Count})
		}},
		{"a wrong doorbell has an entry with no command", func(r *rig) {
			r.badTail()
			x := r.lastError()
			r.eq([]uint16{1, 0xffff}, []uint16{x.SQID, x.CID})
		}},
		{"an error of the admin queue has SQID 0", func(r *rig) {
			r.admin(r.adminCommand(0x7f, 0))
			r.eq(uint16(0), r.lastError().SQID)
		}},
		{"what a host asked for by Abort is no error", func(r *rig) {
			aer := command(spec.AdminAsyncEvent, r.nextCID(), 0)
			r.submit(0, aer)
			r.submit(0, r.abortOf(0, aer.CID()))
			r.run()
			c := r.reap(0)
			r.eq(spec.AbortRequested, c[0].status)
			r.yes(!c[0].more)
			r.eq(uint64(0), r.lastError().Count)
		}},
		{"it outlives a controller reset", func(r *rig) {
			r.do(r.rw(spec.IORead, 5000, 1))
			r.w32(spec.RegCC, 0)
			r.enable()
			r.eq(uint64(1), r.lastError().Count)
		}},
	}},
	{"Base 5.16.1.3 SMART / health", plain, []rule{
		{"a healthy drive has no critical warning", func(r *rig) { r.eq(uint8(0), r.health().Warning) }},
		{"spare is above its threshold", func(r *rig) { h := r.health(); r.yes(h.Spare > h.SpareThreshold) }},
		{"the temperature is in kelvin", func(r *rig) { r.yes(r.health().Temperature > 273) }},
		{"data units are thousands of 512 bytes, rounded up", func(r *rig) {
			for range 20 {
				r.do(r.rw(spec.IORead, 0, 64))
			}
			r.eq(uint64(2), r.health().UnitsRead) // 1280 blocks
		}},
		{"host commands are counted", func(r *rig) {
			r.do(r.rw(spec.IORead, 0, 1))
			r.do(r.rw(spec.IORead, 0, 1))
			r.write(0, 1, 1)
			r.eq([]uint64{2, 1}, []uint64{r.health().Reads, r.health().Writes})
		}},
		{"error entries are counted", func(r *rig) {
			r.do(r.rw(spec.IORead, 5000, 1))
			r.eq(uint64(1), r.health().ErrorEntries)
		}},
		{"media errors are counted, others are not", func(r *rig) {
			r.do(r.rw(spec.IORead, 5000, 1))
			r.eq(uint64(0), r.health().MediaErrors)
		}},
		{"a threshold at or below the temperature is a warning", func(r *rig) {
			r.hot()
			r.eq(uint8(spec.WarnTemperature), r.health().Warning)
		}},
	}},
	{"Base 5.2 Asynchronous Event Request", plain, []rule{
		{"waits until there is an event", func(r *rig) { _, ok := r.event(); r.yes(!ok) }},
		{"one beyond AERL is Asynchronous Event Request Limit Exceeded", func(r *rig) {
			for range 5 {
				r.submit(0, command(spec.AdminAsyncEvent, r.nextCID(), 0))
			}
			r.run()
			c := r.reap(0)
			r.eq(1, len(c))
			r.eq(spec.AERLimitExceeded, c[0].status.Code())
		}},
		{"error 00h: a doorbell of a queue that is not there; the page is 01h", func(r *rig) {
			r.event()
			r.noQueue()
			v, ok := r.told()
			r.yes(ok)
			r.eq(spec.EventDword0(spec.EventError, spec.ErrorDoorbellRegister, spec.LogErrors), v)
		}},
		{"error 01h: a doorbell value that cannot be", func(r *rig) {
			r.event()
			r.badTail()
			v, _ := r.told()
			r.eq(spec.EventDword0(spec.EventError, spec.ErrorDoorbellValue, spec.LogErrors), v)
		}},
		{"an event before the request waits for it", func(r *rig) {
			r.badTail()
			v, ok := r.event()
			r.yes(ok)
			r.eq(spec.EventDword0(spec.EventError, spec.ErrorDoorbellValue, spec.LogErrors), v)
		}},
		{"a type that was told is masked until its page is read", func(r *rig) {
			r.badTail()
			r.event()
			r.badTail()
			_, ok := r.event()
			r.yes(!ok)
			r.submit(0, r.adminCommand(spec.AdminGetLogPage, 0, 1|1<<16))
			r.run()
			r.eq(2, len(r.reap(0))) // the page and the event
		}},
		{"reading with RAE set does not unmask", func(r *rig) {
			r.badTail()
			r.event()
			r.badTail()
			r.event()
			_, st := r.logPage(spec.LogErrors, 64, 0, spec.LogRetainEvent)
			r.eq(spec.Success, st) // and no event along with it
		}},
		{"another type is told meanwhile", func(r *rig) {
			r.events(spec.EventWarnings)
			r.badTail()
			r.event()
			r.hot()
			v, ok := r.event()
			r.yes(ok)
			r.eq(spec.EventDword0(spec.EventHealth, spec.HealthTemperature, spec.LogHealth), v)
		}},
		{"health: only for warnings that are enabled", func(r *rig) {
			r.hot()
			_, ok := r.event()
			r.yes(!ok)
		}},
		{"health: enabling a warning that is there tells of it", func(r *rig) {
			r.hot()
			r.events(spec.WarnTemperature)
			_, ok := r.event()
			r.yes(ok)
		}},
		{"health: a warning that goes on is told once", func(r *rig) {
			r.events(spec.WarnTemperature)
			r.hot()
			r.event()
			r.page(spec.LogHealth)
			r.hot()
			_, ok := r.event()
			r.yes(!ok)
		}},
		{"notice: detaching a namespace; the page is 04h", func(r *rig) {
			r.events(spec.EventNamespace)
			r.event()
			r.attach(spec.NSDetach, 1)
			v, ok := r.lastEvent()
			r.yes(ok)
			r.eq(spec.EventDword0(spec.EventNotice, spec.NoticeNamespace, spec.LogNamespaces), v)
		}},
		{"notice: not unless it is enabled", func(r *rig) {
			r.event()
			r.attach(spec.NSDetach, 1)
			_, ok := r.lastEvent()
			r.yes(!ok)
		}},
		{"a reset drops the requests", func(r *rig) {
			r.event()
			r.w32(spec.RegCC, 0)
			r.enable()
			r.badTail()
			_, ok := r.told()
			r.yes(!ok)
			r.eq(uint64(1), r.c.Stats().Errors.DoorbellRegister) // the queue is gone as well
		}},
	}},
	{"Base 5.16.1.5 changed namespaces", three, []rule{
		{"is empty at first", func(r *rig) { r.yes(all(r.page(spec.LogNamespaces), 0)) }},
		{"lists what has changed, in order, once", func(r *rig) {
			r.attach(spec.NSDetach, 2)
			r.attach(spec.NSDetach, 1)
			r.attach(spec.NSAttach, 2)
			b := r.page(spec.LogNamespaces)
			r.eq([]byte{1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0}, b[:12])
		}},
		{"is cleared by being read", func(r *rig) {
			r.attach(spec.NSDetach, 2)
			r.page(spec.LogNamespaces)
			r.yes(all(r.page(spec.LogNamespaces), 0))
		}},
		{"is not cleared with RAE", func(r *rig) {
			r.attach(spec.NSDetach, 2)
			r.logPage(spec.LogNamespaces, 64, 0, spec.LogRetainEvent)
			r.eq(byte(2), r.page(spec.LogNamespaces)[0])
		}},
	}},
}
