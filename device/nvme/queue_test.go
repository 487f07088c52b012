package nvme_test

import (
	"testing"

	"blksim/device/nvme"
	"blksim/device/nvme/spec"

	"github.com/stretchr/testify/require"
)

func TestPhaseFlipsAtEachWrap(t *testing.T) {
	r := newReady(t, nvme.Config{}, null, 5)
	for i := range 33 { // 4 usable entries, 5 a lap
		c := r.do(r.rw(spec.IORead, uint64(i), 1))
		require.Equal(t, spec.Success, c.status)
		require.EqualValues(t, 1, c.sqid)
		require.EqualValues(t, (i+1)%5, c.sqhd)
	}
	require.Equal(t, 33%5, r.q[1].head)
	require.Equal(t, 33/5%2 == 0, r.q[1].phase)
}

func TestFullCompletionQueueIsNeverOverwritten(t *testing.T) {
	r := newReady(t, nvme.Config{}, null, 4)
	// Another submission queue that completes into the same completion queue,
	// so that more commands than entries are on their way.
	sq := r.alloc(64 * 64)
	e := command(spec.AdminCreateSQ, r.nextCID(), 0)
	e.SetPRPs(sq, 0)
	e.SetCDW10(spec.QueueCDW10(2, 64))
	e.SetCDW11(spec.CreateSQCDW11(1, 0))
	require.Equal(t, spec.Success, r.admin(e).status)
	r.q[2] = &hostQueue{qid: 2, entries: 64, sq: sq}
	first := r.cid + 1
	for range 40 {
		r.put(2, r.rwAt(spec.IORead, 0, 1, busBase))
	}
	r.bell(2)
	r.run()
	var got []completion
	for lap := 0; len(got) < 40; lap++ {
		require.Less(t, lap, 20, "stuck")
		c := r.peek(1)
		require.Len(t, c, min(3, 40-len(got)), "one entry stays free")
		raised := r.raised[1]
		r.run()
		require.Empty(t, r.peek(1), "nothing comes without a new head")
		require.Equal(t, raised, r.raised[1])
		r.c.Write32(spec.CQHeadDoorbell(1, 0), uint32(r.q[1].head))
		r.run()
		got = append(got, c...)
	}
	for i, c := range got {
		require.Equal(t, first+uint16(i), c.cid)
		require.EqualValues(t, 2, c.sqid)
	}
}

func TestFullSubmissionQueueIsTakenWhole(t *testing.T) {
	m := &held{}
	r := newReady(t, nvme.Config{Slots: 1}, withHeld(m), 8)
	for range 7 {
		r.put(1, r.rw(spec.IORead, 0, 1))
	}
	r.bell(1)
	r.run()
	require.Len(t, m.ops, 1)
	require.EqualValues(t, 1, r.c.Stats().IOCommands(), "the others are unfetched")
	for range 7 {
		m.finish(r, 1)
	}
	require.Len(t, r.reap(1), 7)
	require.Equal(t, 1, r.c.Stats().PeakIO)
}

func TestBadDoorbellValuesAreCountedAndChangeNothing(t *testing.T) {
	m := &held{}
	r := newReady(t, nvme.Config{Slots: 1, Queues: 4}, withHeld(m), 8)
	ring := func(off uint32, v int) { r.c.Write32(off, uint32(v)); r.run() }
	tail, head := spec.SQTailDoorbell(1, 0), spec.CQHeadDoorbell(1, 0)

	ring(tail, 8)
	ring(tail, 0xffff_ffff)
	ring(head, 8)
	ring(head, 1) // nothing was posted
	require.EqualValues(t, 4, r.c.Stats().Errors.DoorbellValue)
	ring(tail, 0) // nothing new is no error
	ring(head, 0)
	require.EqualValues(t, 4, r.c.Stats().Errors.DoorbellValue)
	require.Zero(t, r.c.Stats().IOCommands())

	for range 5 {
		r.put(1, r.rw(spec.IORead, 0, 1))
	}
	r.bell(1)
	r.run() // 1 executes, 4 wait: head 1, tail 5
	ring(tail, 1)
	ring(tail, 4)
	require.EqualValues(t, 6, r.c.Stats().Errors.DoorbellValue, "more than fits: 4 waiting and 4 or 7 new")
	ring(tail, 0) // 3 new: full
	require.EqualValues(t, 6, r.c.Stats().Errors.DoorbellValue)
	m.finish(r, 1)
	ring(head, 2)
	require.EqualValues(t, 7, r.c.Stats().Errors.DoorbellValue, "one was posted, not two")

	ring(spec.SQTailDoorbell(3, 0), 1)
	ring(spec.CQHeadDoorbell(4, 0), 1)
	require.EqualValues(t, 2, r.c.Stats().Errors.DoorbellRegister)
	ring(spec.SQTailDoorbell(5, 0), 1)
	require.EqualValues(t, 1, r.c.Stats().Errors.Register, "beyond the doorbells")
}

func TestDoorbellStride(t *testing.T) {
	r := newRig(t, 1, nvme.Config{DoorbellStride: 2}, null)
	require.EqualValues(t, 2, spec.CAP(r.c.Read64(spec.RegCAP)).Fields().DSTRD)
	r.setAdmin(8)
	r.c.Write32(spec.RegCC, uint32(ccEnabled()))
	r.run()
	r.put(0, command(0x77, 1, 0))
	r.c.Write32(spec.SQTailDoorbell(0, 2), 1)
	r.run()
	require.Len(t, r.peek(0), 1)
	r.c.Write32(spec.RegDoorbells+4, 1)
	require.EqualValues(t, 1, r.c.Stats().Errors.Register, "between doorbells")
}

func TestOneInterruptForARunOfCompletions(t *testing.T) {
	r := newReady(t, nvme.Config{}, null, 64)
	r.createPair(2, 64)
	for range 20 {
		r.put(1, r.rw(spec.IORead, 0, 1))
		r.put(2, r.rw(spec.IORead, 0, 1))
	}
	r.bell(1)
	r.bell(2)
	before := []int{r.raised[1], r.raised[2]}
	r.run()
	require.Equal(t, before[0]+1, r.raised[1])
	require.Equal(t, before[1]+1, r.raised[2])
	require.Len(t, r.reap(1), 20)
	require.Len(t, r.reap(2), 20)
}

func TestMaskedVectorIsRaisedWhenUnmasked(t *testing.T) {
	r := newReady(t, nvme.Config{}, null, 8)
	r.c.Write32(spec.RegINTMS, 1<<1)
	before := r.raised[1]
	r.submit(1, r.rw(spec.IORead, 0, 1))
	r.run()
	require.Equal(t, before, r.raised[1])
	require.Len(t, r.peek(1), 1, "the entry is there all the same")
	r.c.Write32(spec.RegINTMC, 1<<0)
	r.run()
	require.Equal(t, before, r.raised[1])
	r.c.Write32(spec.RegINTMC, 1<<1)
	r.run()
	require.Equal(t, before+1, r.raised[1])
	r.c.Write32(spec.RegINTMC, 1<<1)
	r.run()
	require.Equal(t, before+1, r.raised[1], "once")
}

func TestNoInterruptWithoutIEN(t *testing.T) {
	r := newRig(t, 1, nvme.Config{}, null)
	r.enable()
	q := r.ring(1, 8)
	e := command(spec.AdminCreateCQ, r.nextCID(), 0)
	e.SetPRPs(q.cq, 0)
	e.SetCDW10(spec.QueueCDW10(1, 8))
	e.SetCDW11(spec.CreateCQCDW11(1, false))
	require.Equal(t, spec.Success, r.admin(e).status)
	e = command(spec.AdminCreateSQ, r.nextCID(), 0)
	e.SetPRPs(q.sq, 0)
	e.SetCDW10(spec.QueueCDW10(1, 8))
	e.SetCDW11(spec.CreateSQCDW11(1, 0))
	require.Equal(t, spec.Success, r.admin(e).status)
	r.do(r.rw(spec.IORead, 0, 1))
	require.Zero(t, r.raised[1])
}

// order is the queues of the commands that a medium has got so far.
func fetchOrder(m *held, r *rig, n int) []int64 {
	var qs []int64
	for len(qs) < n {
		op := m.ops[0]
		qs = append(qs, op.Off/512) // tests read LBA = queue id
		m.finish(r, 1)
	}
	return qs
}

func TestArbitrationIsRoundRobinWithBurst(t *testing.T) {
	for name, c := range map[string]struct {
		ab    uint32
		slots int
		want  []int64
	}{
		"burst of 1":           {0, 1024, []int64{1, 2, 3, 1, 2, 3, 1, 2, 1, 2, 1, 2}},
		"burst of 2":           {1, 1024, []int64{1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 1, 2}},
		"burst of 2, one slot": {1, 1, []int64{1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 1, 2}},
		"burst of 1, 5 slots":  {0, 5, []int64{1, 2, 3, 1, 2, 3, 1, 2, 1, 2, 1, 2}},
		"no limit":             {7, 1024, []int64{1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			m := &held{}
			r := newReady(t, nvme.Config{Slots: c.slots}, withHeld(m), 16)
			r.createPair(2, 16)
			r.createPair(3, 16)
			r.feature(spec.AdminSetFeatures, spec.FeatArbitration, c.ab)
			for q, n := range []int{0, 5, 5, 2} {
				for range n {
					r.put(uint16(q), r.rw(spec.IORead, uint64(q), 1))
				}
			}
			for q := range uint16(3) {
				r.bell(q + 1)
			}
			r.run()
			require.Equal(t, c.want, fetchOrder(m, r, 12))
		})
	}
}

func TestAdminCommandsPassWhenAllSlotsAreTaken(t *testing.T) {
	m := &held{}
	r := newReady(t, nvme.Config{Slots: 2}, withHeld(m), 16)
	for range 8 {
		r.put(1, r.rw(spec.IORead, 0, 1))
	}
	r.bell(1)
	r.run()
	for range 100 { // more than there are admin slots, one after the other
		require.Equal(t, spec.Success, r.feature(spec.AdminGetFeatures, spec.FeatQueues, 0).status)
	}
	for range 50 { // and more at once than there are slots
		e := command(spec.AdminGetFeatures, r.nextCID(), 0)
		e.SetCDW10(spec.FeatQueues)
		r.put(0, e)
	}
	r.bell(0)
	r.run()
	require.Len(t, r.reap(0), 50)
	require.Len(t, m.ops, 2)
}
