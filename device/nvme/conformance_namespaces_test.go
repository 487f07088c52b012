package nvme_test

import "blksim/device/nvme/spec"

// attach attaches or detaches a namespace, and returns the status. What else
// comes along is kept for lastEvent.
func (r *rig) attach(sel, nsid uint32, ids ...uint16) spec.Status {
	e := r.adminCommand(spec.AdminNSAttach, nsid, sel)
	if ids == nil {
		ids = []uint16{1}
	}
	b := r.mem.at(e.PRP1(), 4096)
	b[0] = byte(len(ids))
	for i, id := range ids {
		b[2+2*i], b[3+2*i] = byte(id), byte(id>>8)
	}
	return r.adminAndEvents(e)
}

// adminAndEvents carries out an admin command that may make events.
func (r *rig) adminAndEvents(e spec.SQE) (st spec.Status) {
	r.submit(0, e)
	r.run()
	r.extra = nil
	for _, c := range r.reap(0) {
		if c.cid == e.CID() {
			st = c.status.Code()
			r.last = c
		} else {
			r.extra = append(r.extra, c)
		}
	}
	return st
}

// lastEvent is the event that came along with the last attach.
func (r *rig) lastEvent() (uint32, bool) {
	if len(r.extra) == 0 {
		return 0, false
	}
	return r.extra[0].result, true
}

// create creates a namespace, and returns its id.
func (r *rig) create(nsze, ncap uint64, edit func(b []byte)) (uint32, spec.Status) {
	e := r.adminCommand(spec.AdminNSManage, 0, spec.NSCreate)
	b := r.mem.at(e.PRP1(), 4096)
	put64(b, nsze)
	put64(b[8:], ncap)
	if edit != nil {
		edit(b)
	}
	st := r.adminAndEvents(e)
	return r.last.result, st
}

func createNSIs(want spec.Status, nsze, ncap uint64, edit func(b []byte)) func(r *rig) {
	return func(r *rig) { _, st := r.create(nsze, ncap, edit); r.t.Helper(); r.eq(want, st) }
}

func (r *rig) format(nsid, cdw10 uint32) spec.Status {
	return r.adminAndEvents(r.adminCommand(spec.AdminFormat, nsid, cdw10))
}

func formatIs(want spec.Status, nsid, cdw10 uint32) func(r *rig) {
	return func(r *rig) { r.t.Helper(); r.eq(want, r.format(nsid, cdw10)) }
}

// ioOn is the status of a read of block 0 of a namespace.
func (r *rig) ioOn(id uint32) spec.Status {
	e := r.rw(spec.IORead, 0, 8)
	nsid(id)(r, &e)
	return r.do(e).status.Code()
}

var namespaceSections = []section{
	{"Base 5.21 Namespace Attachment", three, []rule{
		{"an attached namespace takes I/O", func(r *rig) {
			r.eq(spec.InvalidField, r.ioOn(3))
			r.eq(spec.Success, r.attach(spec.NSAttach, 3))
			r.eq(spec.Success, r.ioOn(3))
		}},
		{"a detached one does not", func(r *rig) {
			r.eq(spec.Success, r.attach(spec.NSDetach, 1))
			r.eq(spec.InvalidField, r.ioOn(1))
		}},
		{"the list of active namespaces follows", func(r *rig) {
			r.attach(spec.NSDetach, 1)
			r.attach(spec.NSAttach, 3)
			r.eq([]uint32{2, 3}, r.list(spec.CNSActiveList, 0))
		}},
		{"data outlives detaching", func(r *rig) {
			r.write(0, 1, 7)
			r.attach(spec.NSDetach, 1)
			r.attach(spec.NSAttach, 1)
			r.yes(all(r.read(0, 1), 7))
		}},
		{"twice is Namespace Already Attached", func(r *rig) { r.eq(spec.NSAlreadyAttached, r.attach(spec.NSAttach, 1)) }},
		{"detaching what is not is Namespace Not Attached", func(r *rig) { r.eq(spec.NSNotAttached, r.attach(spec.NSDetach, 3)) }},
		{"another controller is Controller List Invalid", func(r *rig) { r.eq(spec.ControllerListInvalid, r.attach(spec.NSAttach, 3, 9)) }},
		{"an empty list is Controller List Invalid", func(r *rig) { r.eq(spec.ControllerListInvalid, r.attach(spec.NSAttach, 3, []uint16{}...)) }},
		{"a reserved selection is Invalid Field", func(r *rig) { r.eq(spec.InvalidField, r.attach(2, 1)) }},
		{"an unallocated NSID is Invalid Field", func(r *rig) { r.eq(spec.InvalidField, r.attach(spec.NSAttach, 4)) }},
		{"an NSID that cannot be is Invalid Namespace", func(r *rig) { r.eq(spec.InvalidNamespace, r.attach(spec.NSAttach, 5)) }},
	}},
	{"Base 5.22 Namespace Management", three, []rule{
		{"create answers the NSID", func(r *rig) {
			id, st := r.create(64, 64, nil)
			r.eq(spec.Success, st)
			r.eq(uint32(4), id)
		}},
		{"a created namespace is not attached", func(r *rig) {
			r.create(64, 64, nil)
			r.eq(spec.InvalidField, r.ioOn(4))
			r.eq(spec.Success, r.attach(spec.NSAttach, 4))
			r.eq(spec.Success, r.ioOn(4))
		}},
		{"create takes from the unallocated capacity", func(r *rig) {
			r.create(2048, 2048, nil)
			r.eq(uint64(1<<20), r.controllerData().UNVMCAP)
		}},
		{"namespaces do not share blocks", func(r *rig) {
			r.create(4096, 4096, nil)
			r.attach(spec.NSAttach, 4)
			r.write(0, 16, 1)
			e := r.rw(spec.IOWrite, 0, 16)
			nsid(4)(r, &e)
			fill(r.mem.at(e.PRP1(), 8192), 4)
			r.eq(spec.Success, r.do(e).status)
			r.yes(all(r.read(0, 16), 1))
		}},
		{"more than there is is Namespace Insufficient Capacity", createNSIs(spec.NSInsufficientCapacity, 4097, 4097, nil)},
		{"all that there is is taken", createNSIs(spec.Success, 4096, 4096, nil)},
		{"NCAP other than NSZE is Thin Provisioning Not Supported", createNSIs(spec.ThinNotSupported, 64, 32, nil)},
		{"a format that is not there is Invalid Format", createNSIs(spec.InvalidFormat, 64, 64, func(b []byte) { b[26] = 2 })},
		{"protection is Invalid Format", createNSIs(spec.InvalidFormat, 64, 64, func(b []byte) { b[29] = 1 })},
		{"size 0 is Invalid Field", createNSIs(spec.InvalidField, 0, 0, nil)},
		{"sharing is Invalid Field", createNSIs(spec.InvalidField, 64, 64, func(b []byte) { b[30] = 1 })},
		{"no NSID left is Namespace Identifier Unavailable", func(r *rig) {
			r.create(64, 64, nil)
			_, st := r.create(64, 64, nil)
			r.eq(spec.NSIDUnavailable, st)
		}},
		{"another command set is I/O Command Set Not Supported", adminIs(spec.CommandSetNotSupported, spec.AdminNSManage, 0, spec.NSCreate, 2<<24)},
		{"create with an NSID is Invalid Field", adminIs(spec.InvalidField, spec.AdminNSManage, 1, spec.NSCreate)},
		{"a reserved selection is Invalid Field", adminIs(spec.InvalidField, spec.AdminNSManage, 1, 3)},
		{"delete detaches and frees", func(r *rig) {
			r.eq(spec.Success, r.adminAndEvents(r.adminCommand(spec.AdminNSManage, 1, spec.NSDelete)))
			r.eq(spec.InvalidField, r.ioOn(1))
			r.eq([]uint32{2, 3}, r.list(spec.CNSAllocatedList, 0))
			r.eq(uint64(3<<20), r.controllerData().UNVMCAP)
		}},
		{"delete of FFFFFFFFh deletes all", func(r *rig) {
			r.eq(spec.Success, r.adminAndEvents(r.adminCommand(spec.AdminNSManage, spec.NSIDAll, spec.NSDelete)))
			r.eq(0, len(r.list(spec.CNSAllocatedList, 0)))
		}},
		{"delete of an unallocated NSID is Invalid Field", adminIs(spec.InvalidField, spec.AdminNSManage, 4, spec.NSDelete)},
		{"delete of an NSID that cannot be is Invalid Namespace", adminIs(spec.InvalidNamespace, spec.AdminNSManage, 0, spec.NSDelete)},
		{"a new namespace does not show an old one's data", func(r *rig) {
			r.write(0, 16, 9)
			r.adminAndEvents(r.adminCommand(spec.AdminNSManage, 1, spec.NSDelete))
			id, st := r.create(2048, 2048, nil)
			r.eq(spec.Success, st)
			r.eq(uint32(1), id)
			r.attach(spec.NSAttach, 1)
			r.yes(all(r.read(0, 16), 0))
		}},
	}},
	{"Base 5.14 Format NVM", three, []rule{
		{"the data is gone", func(r *rig) {
			r.write(0, 16, 9)
			r.eq(spec.Success, r.format(1, 0))
			r.yes(all(r.read(0, 16), 0))
		}},
		{"another namespace's is not", func(r *rig) {
			r.write(0, 16, 9)
			r.eq(spec.Success, r.format(2, 1))
			r.yes(all(r.read(0, 16), 9))
		}},
		{"the block size changes", func(r *rig) {
			r.eq(spec.Success, r.format(1, 1))
			d := r.namespaceData(1)
			r.eq([]uint64{256, 1}, []uint64{d.NSZE, uint64(d.FLBAS)})
		}},
		{"a format that is not there is Invalid Format", formatIs(spec.InvalidFormat, 1, 2)},
		{"protection is Invalid Format", formatIs(spec.InvalidFormat, 1, 1<<5)},
		{"user data erase is taken", formatIs(spec.Success, 1, 1<<9)},
		{"cryptographic erase, which FNA does not offer, is Invalid Field", formatIs(spec.InvalidField, 1, 2<<9)},
		{"FFFFFFFFh formats all", func(r *rig) {
			r.eq(spec.Success, r.format(spec.NSIDAll, 1))
			r.eq([]uint8{1, 1}, []uint8{r.namespaceData(1).FLBAS, r.namespaceData(2).FLBAS})
		}},
		{"an inactive NSID is Invalid Field", formatIs(spec.InvalidField, 3, 0)},
		{"NSID 0 is Invalid Namespace", formatIs(spec.InvalidNamespace, 0, 0)},
		{"a changed block size is a namespace attribute notice", func(r *rig) {
			r.events(spec.EventNamespace)
			r.event()
			r.format(1, 1)
			_, ok := r.lastEvent()
			r.yes(ok)
		}},
	}},
	{"Base 5.22 deletion with commands outstanding", withCache, []rule{
		{"they end with Invalid Namespace and move nothing", func(r *rig) {
			e, w := r.rw(rd, 0, 1), r.rw(wr, 0, 1)
			fill(r.mem.at(e.PRP1(), 512), 0xdb)
			fill(r.mem.at(w.PRP1(), 512), 9)
			r.submit(1, e)
			r.submit(1, w)
			r.run()
			r.eq(spec.Success, r.adminAndEvents(r.adminCommand(spec.AdminNSManage, 1, spec.NSDelete)))
			r.create(2048, 2048, nil)
			r.attach(spec.NSAttach, 1)
			r.medium().finish(r, 2)
			for _, c := range r.reap(1) {
				r.eq(spec.InvalidNamespace, c.status.Code())
			}
			r.yes(all(r.mem.at(e.PRP1(), 512), 0xdb))
			e = r.rw(rd, 0, 1)
			r.submit(1, e)
			r.run()
			r.medium().finish(r, 1)
			r.yes(all(r.mem.at(e.PRP1(), 512), 0))
		}},
	}},
	{"Base 5.14 Format NVM in progress", withCache, []rule{
		{"I/O is Format In Progress until it ends", func(r *rig) {
			r.submit(0, r.adminCommand(spec.AdminFormat, 1, 0))
			r.run()
			r.eq(spec.FormatInProgress, r.do(r.rw(spec.IORead, 0, 1)).status.Code())
			r.medium().finish(r, 1)
			r.eq(1, len(r.reap(0)))
			r.submit(1, r.rw(spec.IORead, 0, 1))
			r.run()
			r.medium().finish(r, 1)
			r.eq(spec.Success, r.reap(1)[0].status)
		}},
		{"with I/O outstanding it is Command Sequence Error", func(r *rig) {
			r.submit(1, r.rw(spec.IORead, 0, 1))
			r.run()
			r.eq(spec.CommandSequenceError, r.format(1, 0))
		}},
		{"a second one is Command Sequence Error", func(r *rig) {
			r.submit(0, r.adminCommand(spec.AdminFormat, 1, 0))
			r.run()
			r.eq(spec.CommandSequenceError, r.format(1, 0))
		}},
		{"a reset ends it", func(r *rig) {
			r.submit(0, r.adminCommand(spec.AdminFormat, 1, 0))
			r.run()
			r.w32(spec.RegCC, 0)
			r.enable()
			r.createPair(1, 16)
			r.submit(1, r.rw(spec.IORead, 0, 1))
			r.run()
			r.medium().finish(r, 1)
			r.eq(spec.Success, r.reap(1)[0].status)
		}},
	}},
}
