package nvme_test

import (
	"testing"

	"blksim/device/nvme"
	"blksim/device/nvme/spec"

	"github.com/stretchr/testify/require"
)

const dnr = spec.DoNotRetry

func (r *rig) identify(cns uint32, nsid uint32) ([]byte, spec.Status) {
	buf := r.alloc(8192) + 512 // crosses a page
	e := command(spec.AdminIdentify, r.nextCID(), nsid)
	e.SetPRPs(buf, (buf+4096)&^4095)
	e.SetCDW10(cns)
	c := r.admin(e)
	return r.mem.at(buf, 4096), c.status
}

func TestIdentifyTellsTheConfig(t *testing.T) {
	r := newReady(t, nvme.Config{
		Capacity: 1 << 20, LBASize: 4096, MDTS: 5, AbortLimit: 7, EventLimit: 3, Model: "M", Serial: "S1", Firmware: "F",
	}, withHeld(&held{cache: true}), 16)
	b, st := r.identify(spec.CNSController, 0)
	require.Equal(t, spec.Success, st)
	var d spec.ControllerData
	d.Decode(b)
	require.Equal(t, "M", d.Model)
	require.Equal(t, "S1", d.Serial)
	require.Equal(t, "F", d.Firmware)
	require.EqualValues(t, 5, d.MDTS)
	require.EqualValues(t, 6, d.ACL)
	require.EqualValues(t, 2, d.AERL)
	require.EqualValues(t, 0x66, d.SQES)
	require.EqualValues(t, 0x44, d.CQES)
	require.EqualValues(t, 1, d.NN)
	require.EqualValues(t, spec.ONCSDatasetManagement|spec.ONCSWriteZeroes|spec.ONCSCompare|spec.ONCSCopy|spec.ONCSVerify|
		spec.ONCSSaveSelect|spec.ONCSTimestamp, d.ONCS)
	require.EqualValues(t, 7, d.VWC)
	require.Regexp(t, `^nqn\.2014-08\.org\.nvmexpress:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`, d.SubNQN)

	b, st = r.identify(spec.CNSNamespace, 1)
	require.Equal(t, spec.Success, st)
	var n spec.NamespaceData
	n.Decode(b)
	require.EqualValues(t, 256, n.NSZE)
	require.EqualValues(t, 256, n.NCAP)
	require.Equal(t, 4096, n.BlockSize())
	require.NotZero(t, n.NGUID)

	b, st = r.identify(spec.CNSActiveList, 0)
	require.Equal(t, spec.Success, st)
	require.Equal(t, []byte{1, 0, 0, 0, 0, 0, 0, 0}, b[:8])
	b, st = r.identify(spec.CNSActiveList, 1)
	require.Equal(t, spec.Success, st)
	require.Equal(t, make([]byte, 4096), b)

	b, st = r.identify(spec.CNSDescriptors, 1)
	require.Equal(t, spec.Success, st)
	require.Equal(t, append([]byte{spec.NIDNGUID, 16, 0, 0}, n.NGUID[:]...), b[:20])
	require.Equal(t, []byte{spec.NIDCSI, 1, 0, 0, 0, 0, 0}, b[20:27])
}

func TestIdentifyRefuses(t *testing.T) {
	r := newReady(t, nvme.Config{}, null, 16)
	for _, c := range []struct {
		cns, nsid uint32
		want      spec.Status
	}{
		{spec.CNSNamespace, 0, spec.InvalidNamespace},
		{spec.CNSNamespace, 2, spec.InvalidNamespace},
		{spec.CNSActiveList, 0xffff_fffe, spec.InvalidNamespace},
		{spec.CNSActiveList, spec.NSIDAll, spec.InvalidNamespace},
		{spec.CNSDescriptors, 3, spec.InvalidNamespace},
		{0x04, 0, spec.InvalidField},
		{0x05, 1, spec.InvalidField},
		{0x07, 1, spec.InvalidField},
		{0x1c, 1, spec.InvalidField},
		{0xff, 1, spec.InvalidField},
	} {
		_, st := r.identify(c.cns, c.nsid)
		require.Equal(t, c.want|dnr, st, "CNS %x NSID %x", c.cns, c.nsid)
	}
}

func TestCreateQueueErrors(t *testing.T) {
	type q struct {
		op           uint8
		qid, entries int
		prp          uint64
		cdw11        uint32
	}
	const cq, sq = spec.AdminCreateCQ, spec.AdminCreateSQ
	page := uint64(busBase + 1<<20)
	for name, c := range map[string]struct {
		q    q
		want spec.Status
	}{
		"CQ 0":                     {q{cq, 0, 8, page, 1}, spec.InvalidQueueID},
		"CQ beyond the grant":      {q{cq, 5, 8, page, 1}, spec.InvalidQueueID},
		"CQ twice":                 {q{cq, 1, 8, page, 1}, spec.InvalidQueueID},
		"CQ of one entry":          {q{cq, 2, 1, page, 1}, spec.InvalidQueueSize},
		"CQ beyond MQES":           {q{cq, 2, 65, page, 1}, spec.InvalidQueueSize},
		"CQ not contiguous":        {q{cq, 2, 8, page, 0}, spec.InvalidField},
		"CQ not on a page":         {q{cq, 2, 8, page + 16, 1}, spec.PRPOffsetInvalid},
		"CQ not mapped":            {q{cq, 2, 8, 1 << 50, 1}, spec.InvalidField},
		"CQ vector beyond them":    {q{cq, 2, 8, page, 5<<16 | 3}, spec.InvalidInterruptVector},
		"CQ vector without IEN":    {q{cq, 2, 8, page, 5<<16 | 1}, spec.Success},
		"CQ with the last vector":  {q{cq, 2, 8, page, 4<<16 | 3}, spec.Success},
		"SQ 0":                     {q{sq, 0, 8, page, 1<<16 | 1}, spec.InvalidQueueID},
		"SQ beyond the grant":      {q{sq, 5, 8, page, 1<<16 | 1}, spec.InvalidQueueID},
		"SQ twice":                 {q{sq, 1, 8, page, 1<<16 | 1}, spec.InvalidQueueID},
		"SQ of one entry":          {q{sq, 2, 1, page, 1<<16 | 1}, spec.InvalidQueueSize},
		"SQ beyond MQES":           {q{sq, 2, 65, page, 1<<16 | 1}, spec.InvalidQueueSize},
		"SQ not contiguous":        {q{sq, 2, 8, page, 1 << 16}, spec.InvalidField},
		"SQ not on a page":         {q{sq, 2, 8, page + 64, 1<<16 | 1}, spec.PRPOffsetInvalid},
		"SQ not mapped":            {q{sq, 2, 8, 0, 1<<16 | 1}, spec.InvalidField},
		"SQ to CQ 0":               {q{sq, 2, 8, page, 1}, spec.InvalidQueueID},
		"SQ to a CQ that is no id": {q{sq, 2, 8, page, 9<<16 | 1}, spec.InvalidQueueID},
		"SQ to a CQ not there":     {q{sq, 2, 8, page, 3<<16 | 1}, spec.CQInvalid},
		"SQ, any priority":         {q{sq, 2, 8, page, 1<<16 | 7}, spec.Success},
		"two SQs share a CQ":       {q{sq, 3, 64, page, 1<<16 | 1}, spec.Success},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReady(t, nvme.Config{Queues: 4, QueueDepth: 64}, null, 16)
			e := command(c.q.op, r.nextCID(), 0)
			e.SetPRPs(c.q.prp, 0)
			e.SetCDW10(spec.QueueCDW10(uint16(c.q.qid), c.q.entries))
			e.SetCDW11(c.q.cdw11)
			require.Equal(t, c.want, r.admin(e).status.Code())
		})
	}
}

func TestQueuesNeedTheirEntrySizesInCC(t *testing.T) {
	r := newRig(t, 1, nvme.Config{}, null)
	r.setAdmin(16)
	r.c.Write32(spec.RegCC, uint32(spec.CCFields{EN: true}.Encode()))
	r.run()
	e := command(spec.AdminCreateCQ, r.nextCID(), 0)
	e.SetPRPs(r.alloc(4096), 0)
	e.SetCDW10(spec.QueueCDW10(1, 16))
	e.SetCDW11(1)
	require.Equal(t, spec.InvalidQueueSize|dnr, r.admin(e).status)
	r.c.Write32(spec.RegCC, uint32(ccEnabled())) // may be set while enabled
	require.Equal(t, spec.Success, r.admin(e).status)
}

func (r *rig) deleteQueue(op uint8, qid uint16) spec.Status {
	e := command(op, r.nextCID(), 0)
	e.SetCDW10(uint32(qid))
	return r.admin(e).status
}

func TestDeleteQueueErrorsAndOrder(t *testing.T) {
	r := newReady(t, nvme.Config{Queues: 4}, null, 16)
	for _, qid := range []uint16{0, 2, 4, 5, 0xffff} {
		require.Equal(t, spec.InvalidQueueID|dnr, r.deleteQueue(spec.AdminDeleteSQ, qid))
		require.Equal(t, spec.InvalidQueueID|dnr, r.deleteQueue(spec.AdminDeleteCQ, qid))
	}
	require.Equal(t, spec.InvalidQueueDeletion|dnr, r.deleteQueue(spec.AdminDeleteCQ, 1))
	require.Equal(t, spec.Success, r.deleteQueue(spec.AdminDeleteSQ, 1))
	require.Equal(t, spec.InvalidQueueID|dnr, r.deleteQueue(spec.AdminDeleteSQ, 1))
	require.Equal(t, spec.Success, r.deleteQueue(spec.AdminDeleteCQ, 1))
	r.createPair(1, 8)
	require.Equal(t, spec.Success, r.do(r.rw(spec.IORead, 0, 1)).status)
}

func TestDeleteSQEndsItsCommandsFirst(t *testing.T) {
	for name, abortable := range map[string]bool{"abortable": true, "not abortable": false} {
		t.Run(name, func(t *testing.T) {
			m := &held{abort: abortable}
			r := newReady(t, nvme.Config{Slots: 2}, withHeld(m), 16)
			for range 3 {
				r.put(1, r.rw(spec.IORead, 0, 1))
			}
			r.bell(1)
			r.run()
			del := command(spec.AdminDeleteSQ, r.nextCID(), 0)
			del.SetCDW10(1)
			r.submit(0, del)
			r.submit(0, del) // it is on its way already
			r.run()
			if !abortable {
				require.Equal(t, spec.InvalidQueueID|dnr, r.reap(0)[0].status)
				m.finish(r, 1)
				require.Empty(t, r.reap(0))
				m.finish(r, 1)
			}
			io, ad := r.reap(1), r.reap(0)
			require.Len(t, io, 2, "the unfetched one has no completion")
			want := spec.Success
			if abortable {
				want = spec.AbortedSQDeletion
				require.Equal(t, spec.InvalidQueueID|dnr, ad[1].status)
			}
			require.Equal(t, want, io[0].status)
			require.Equal(t, want, io[1].status)
			require.Equal(t, spec.Success, ad[0].status)
			require.Equal(t, del.CID(), ad[0].cid)
			require.Equal(t, spec.Success, r.deleteQueue(spec.AdminDeleteCQ, 1))
		})
	}
}

func (r *rig) feature(op uint8, cdw10, cdw11 uint32) completion {
	e := command(op, r.nextCID(), 0)
	e.SetCDW10(cdw10)
	e.SetCDW11(cdw11)
	return r.admin(e)
}

func TestFeatures(t *testing.T) {
	const set, get = spec.AdminSetFeatures, spec.AdminGetFeatures
	r := newRig(t, 1, nvme.Config{Queues: 8}, withHeld(&held{cache: true}))
	r.enable()
	for _, c := range []struct {
		name         string
		op           uint8
		cdw10, cdw11 uint32
		want         spec.Status
		result       uint32
	}{
		{"queues: default", get, spec.FeatQueues, 0, 0, 7<<16 | 7},
		{"queues: fewer", set, spec.FeatQueues, 1<<16 | 3, 0, 1<<16 | 3},
		{"queues: as set", get, spec.FeatQueues, 0, 0, 1<<16 | 3},
		{"queues: more than there are", set, spec.FeatQueues, 99<<16 | 2, 0, 7<<16 | 2},
		{"queues: too many to say", set, spec.FeatQueues, 0xffff, spec.InvalidField, 0},
		{"queues: too many to say", set, spec.FeatQueues, 0xffff_0000, spec.InvalidField, 0},
		{"cache: on", get, spec.FeatWriteCache, 0, 0, 1},
		{"cache: turned off", set, spec.FeatWriteCache, 0, 0, 0},
		{"cache: off", get, spec.FeatWriteCache, 0, 0, 0},
		{"arbitration: default", get, spec.FeatArbitration, 0, 0, 3},
		{"arbitration: set", set, spec.FeatArbitration, 7, 0, 0},
		{"arbitration: as set", get, spec.FeatArbitration, 0, 0, 7},
		{"events: set", set, spec.FeatAsyncEvents, 0x1f, 0, 0},
		{"events: as set", get, spec.FeatAsyncEvents, 0, 0, 0x1f},
		{"save: not this one", set, spec.FeatureSave | spec.FeatTemperature, 1, spec.FeatureNotSaveable, 0},
		{"select: default", get, 1<<8 | spec.FeatArbitration, 0, 0, 3},
		{"select: reserved", get, 4<<8 | spec.FeatArbitration, 0, spec.InvalidField, 0},
		{"unknown", get, 0x77, 0, spec.InvalidField, 0},
		{"unknown", set, 0, 0, spec.InvalidField, 0},
	} {
		got := r.feature(c.op, c.cdw10, c.cdw11)
		require.Equal(t, c.want, got.status.Code(), c.name)
		require.Equal(t, c.result, got.result, c.name)
	}
	r.feature(set, spec.FeatQueues, 0)
	r.createCQ(1, 8)
	require.Equal(t, spec.CommandSequenceError|dnr, r.feature(set, spec.FeatQueues, 0).status)

	r.c.Write32(spec.RegCC, 0)
	r.enable()
	require.EqualValues(t, 3, r.feature(get, spec.FeatArbitration, 0).result, "a reset brings the defaults back")
	require.EqualValues(t, 7<<16|7, r.feature(get, spec.FeatQueues, 0).result)
}

func TestWriteCacheFeatureNeedsACache(t *testing.T) {
	r := newReady(t, nvme.Config{}, null, 8)
	require.Equal(t, spec.InvalidField|dnr, r.feature(spec.AdminGetFeatures, spec.FeatWriteCache, 0).status)
	require.Equal(t, spec.InvalidField|dnr, r.feature(spec.AdminSetFeatures, spec.FeatWriteCache, 1).status)
}

func TestWriteIsForcedWithTheCacheOffOrFUA(t *testing.T) {
	m := &held{cache: true}
	r := newReady(t, nvme.Config{}, withHeld(m), 8)
	plain := r.rw(spec.IOWrite, 0, 1)
	fua := r.rw(spec.IOWrite, 0, 1)
	fua.SetCDW12(fua.CDW12() | spec.RWForceUnit)
	r.submit(1, plain)
	r.submit(1, fua)
	r.run()
	require.False(t, m.ops[0].ForceUnit)
	require.True(t, m.ops[1].ForceUnit)
	r.feature(spec.AdminSetFeatures, spec.FeatWriteCache, 0)
	r.submit(1, plain)
	r.run()
	require.True(t, m.ops[2].ForceUnit)
}

func TestEventRequestsAreHeldUpToTheLimit(t *testing.T) {
	r := newReady(t, nvme.Config{EventLimit: 2}, null, 8)
	for range 3 {
		r.submit(0, command(spec.AdminAsyncEvent, r.nextCID(), 0))
	}
	r.run()
	c := r.reap(0)
	require.Len(t, c, 1)
	require.Equal(t, spec.AERLimitExceeded|dnr, c[0].status)
	require.Equal(t, r.cid, c[0].cid)
}

func TestUnknownAdminCommandsAreRefused(t *testing.T) {
	r := newReady(t, nvme.Config{}, null, 8)
	known := map[int]bool{0: true, 1: true, 2: true, 4: true, 5: true, 6: true, 8: true, 9: true, 10: true, 12: true, 0x0d: true, 0x15: true, 0x80: true}
	for op := range 256 {
		if !known[op] {
			require.Equal(t, spec.InvalidOpcode|dnr, r.admin(command(uint8(op), r.nextCID(), 0)).status, "opcode %x", op)
		}
	}
	for _, op := range []uint8{spec.AdminIdentify, spec.AdminAbort} {
		e := command(op, r.nextCID(), 0)
		e.SetFuse(1)
		require.Equal(t, spec.InvalidField|dnr, r.admin(e).status)
		e.SetFuse(0)
		e.SetPSDT(1)
		require.Equal(t, spec.InvalidField|dnr, r.admin(e).status)
	}
	s := r.c.Stats()
	require.EqualValues(t, 2, s.Aborts.Invalid)
	require.EqualValues(t, 2, s.Admin[spec.AdminIdentify])
}
