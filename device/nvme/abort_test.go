package nvme_test

import (
	"testing"
	"time"

	"blksim/device/nvme"
	"blksim/device/nvme/spec"

	"github.com/stretchr/testify/require"
)

const (
	aborted    = uint32(0)
	notAborted = uint32(spec.AbortNotDone)
)

// abort asks and says what the answer was.
func (r *rig) abort(sqid, cid uint16) uint32 {
	c := r.admin(r.abortOf(sqid, cid))
	require.Equal(r.t, spec.Success, c.status)
	return c.result
}

func TestAbortOfAnExecutingCommand(t *testing.T) {
	m := &held{abort: true}
	r := newReady(t, nvme.Config{}, withHeld(m), 8)
	buf := r.alloc(4096)
	fill(r.mem.at(buf, 512), 0xcc)
	w, rd := r.rwAt(spec.IOWrite, 0, 1, buf), r.rwAt(spec.IORead, 0, 1, buf)
	r.submit(1, w)
	r.submit(1, rd)
	r.run()
	require.Equal(t, aborted, r.abort(1, w.CID()))
	require.Equal(t, aborted, r.abort(1, rd.CID()))
	c := r.reap(1)
	require.Len(t, c, 2)
	require.Equal(t, spec.AbortRequested, c[0].status)
	require.Equal(t, w.CID(), c[0].cid)
	require.Equal(t, rd.CID(), c[1].cid)
	require.Empty(t, m.ops)
	require.EqualValues(t, 0xcc, r.mem.at(buf, 1)[0], "an aborted read leaves the buffer alone")

	m.abort = false
	back := r.rwAt(spec.IORead, 0, 1, buf)
	r.submit(1, back)
	r.run()
	m.finish(r, 1)
	require.Zero(t, r.mem.at(buf, 1)[0], "an aborted write left nothing behind")
	r.checkIdentity()
	require.Zero(t, r.c.Stats().WrittenBytes)
}

func TestAbortThatTheMediumRefuses(t *testing.T) {
	m := &held{}
	r := newReady(t, nvme.Config{}, withHeld(m), 8)
	e := r.rw(spec.IOWrite, 0, 1)
	r.submit(1, e)
	r.run()
	require.Equal(t, notAborted, r.abort(1, e.CID()))
	require.Empty(t, r.peek(1))
	m.finish(r, 1)
	require.Equal(t, spec.Success, r.reap(1)[0].status)
	r.checkIdentity()
}

func TestAbortOfAnUnfetchedCommandAnswersAfterIt(t *testing.T) {
	m := &held{}
	r := newReady(t, nvme.Config{Slots: 1}, withHeld(m), 8)
	var cids []uint16
	for range 4 {
		e := r.rw(spec.IOWrite, 0, 1)
		cids = append(cids, e.CID())
		r.put(1, e)
	}
	r.bell(1)
	r.run()
	r.submit(0, r.abortOf(1, cids[2]))
	r.run()
	require.Empty(t, r.peek(0), "the answer waits for the command")
	require.Equal(t, notAborted, r.abort(1, cids[2]), "a second Abort is not the one that did it")
	m.finish(r, 1)
	require.Empty(t, r.peek(0))
	require.Len(t, m.ops, 1)
	m.finish(r, 1) // the second one ends; the third is fetched and ends; the fourth begins
	io, ad := r.reap(1), r.reap(0)
	require.Len(t, io, 3)
	require.Equal(t, spec.AbortRequested, io[2].status)
	require.Equal(t, cids[2], io[2].cid)
	require.Len(t, ad, 1)
	require.Equal(t, aborted, ad[0].result)
	require.Len(t, m.ops, 1)
	m.finish(r, 1)
	require.Equal(t, cids[3], r.reap(1)[0].cid)
	s := r.c.Stats()
	require.EqualValues(t, 3, s.WritesBegun, "the aborted one was never carried out")
	require.EqualValues(t, 4, s.IOCommands())
	r.checkIdentity()
}

func TestAbortOfWhatIsNotThereIsNotAborted(t *testing.T) {
	m := &held{abort: true}
	r := newReady(t, nvme.Config{Queues: 4}, withHeld(m), 8)
	e := r.rw(spec.IORead, 0, 1)
	r.submit(1, e)
	r.run()
	m.finish(r, 1)
	require.Equal(t, notAborted, r.abort(1, e.CID()), "completed, entry not consumed")
	r.reap(1)
	require.Equal(t, notAborted, r.abort(1, e.CID()), "completed")
	require.Equal(t, notAborted, r.abort(1, 0xffff), "unknown command")
	require.Equal(t, notAborted, r.abort(2, 1), "queue not created")
	require.Equal(t, notAborted, r.abort(4, 1), "queue not created")
	require.Equal(t, notAborted, r.abort(5, 1), "no such queue")
	require.Equal(t, notAborted, r.abort(0xffff, 1), "no such queue")
	self := r.abortOf(0, r.cid+1)
	require.Equal(t, notAborted, r.admin(self).result, "itself")
	r.checkIdentity()
}

func TestAbortOfACompletingCommandIsNotAborted(t *testing.T) {
	m := &held{abort: true}
	r := newReady(t, nvme.Config{}, withHeld(m), 3)
	var cids []uint16
	for range 3 { // two entries of room, and the host does not consume
		e := r.rw(spec.IORead, 0, 1)
		cids = append(cids, e.CID())
		r.submit(1, e)
		r.run()
		m.finish(r, 1)
	}
	require.Equal(t, notAborted, r.abort(1, cids[2]))
	require.Len(t, r.reap(1), 2)
	r.run()
	c := r.reap(1)
	require.Len(t, c, 1)
	require.Equal(t, spec.Success, c[0].status)
	r.checkIdentity()
}

func TestAbortAnswerWaitsForRoomForItsCommand(t *testing.T) {
	m := &held{abort: true}
	r := newReady(t, nvme.Config{}, withHeld(m), 3)
	var last uint16
	for i := range 3 {
		e := r.rw(spec.IORead, 0, 1)
		last = e.CID()
		r.submit(1, e)
		r.run()
		if i < 2 {
			m.finish(r, 1)
		}
	}
	r.submit(0, r.abortOf(1, last))
	r.run()
	require.Empty(t, r.peek(0))
	require.Len(t, r.reap(1), 2)
	r.run()
	require.Equal(t, spec.AbortRequested, r.reap(1)[0].status)
	require.Equal(t, aborted, r.reap(0)[0].result)
	r.checkIdentity()
}

func TestAbortOfDuplicateIDsTakesThemInOrder(t *testing.T) {
	m := &held{abort: true}
	r := newReady(t, nvme.Config{Slots: 2}, withHeld(m), 8)
	for i := range 4 { // two executing, two unfetched, one id
		e := r.rw(spec.IORead, uint64(i), 1)
		e[2], e[3] = 7, 7
		r.put(1, e)
	}
	r.bell(1)
	r.run()
	for range 4 {
		require.Equal(t, aborted, r.abort(1, 0x0707))
	}
	require.Equal(t, notAborted, r.abort(1, 0x0707), "all of them are gone")
	require.Len(t, r.reap(1), 4)
	s := r.c.Stats()
	require.EqualValues(t, 4, s.Count(spec.AbortRequested))
	require.EqualValues(t, 4, s.Aborts.Aborted)
}

func TestAbortLimit(t *testing.T) {
	m := &held{}
	r := newReady(t, nvme.Config{Slots: 1, AbortLimit: 2}, withHeld(m), 8)
	var cids []uint16
	for range 5 {
		e := r.rw(spec.IORead, 0, 1)
		cids = append(cids, e.CID())
		r.put(1, e)
	}
	r.bell(1)
	for _, cid := range cids[1:] {
		r.submit(0, r.abortOf(1, cid))
	}
	r.run()
	c := r.reap(0)
	require.Len(t, c, 2)
	require.Equal(t, spec.AbortLimitExceeded|dnr, c[0].status)
	require.Equal(t, spec.AbortLimitExceeded|dnr, c[1].status)
	m.finish(r, 1)
	require.Len(t, r.reap(0), 2)
	require.Equal(t, notAborted, r.abort(1, 999), "the limit counts what is outstanding")
	s := r.c.Stats()
	require.Equal(t, nvme.AbortStats{Asked: 5, Aborted: 2, NotAborted: 1, LimitExceeded: 2}, s.Aborts)
	m.finish(r, len(m.ops))
	m.finish(r, len(m.ops))
	require.Len(t, r.reap(1), 5)
	r.checkIdentity()
}

func TestAbortOfAdminCommands(t *testing.T) {
	r := newReady(t, nvme.Config{EventLimit: 2}, withHeld(&held{}), 8)
	aer := command(spec.AdminAsyncEvent, r.nextCID(), 0)
	r.submit(0, aer)
	r.run()
	r.submit(0, r.abortOf(0, aer.CID()))
	r.run()
	c := r.reap(0)
	require.Len(t, c, 2)
	require.Equal(t, aer.CID(), c[0].cid)
	require.Equal(t, spec.AbortRequested, c[0].status)
	require.Equal(t, aborted, c[1].result)

	// Unfetched: behind the Abort in the queue.
	id := command(spec.AdminIdentify, r.nextCID(), 0)
	ab := r.abortOf(0, id.CID())
	r.put(0, ab)
	r.put(0, id)
	r.bell(0)
	r.run()
	c = r.reap(0)
	require.Equal(t, []uint16{id.CID(), ab.CID()}, []uint16{c[0].cid, c[1].cid})
	require.Equal(t, spec.AbortRequested, c[0].status)

	// The event requests that were aborted no longer count.
	for range 2 {
		r.submit(0, command(spec.AdminAsyncEvent, r.nextCID(), 0))
	}
	r.run()
	require.Empty(t, r.reap(0))
	r.checkIdentity()
}

func TestAbortOfAQueueBeingDeleted(t *testing.T) {
	m := &held{}
	r := newReady(t, nvme.Config{Slots: 1}, withHeld(m), 8)
	a, b := r.rw(spec.IORead, 0, 1), r.rw(spec.IORead, 0, 1)
	r.submit(1, a)
	r.submit(1, b)
	r.run()
	onMark := r.abortOf(1, b.CID())
	r.submit(0, onMark)
	r.run()
	del := command(spec.AdminDeleteSQ, r.nextCID(), 0)
	del.SetCDW10(1)
	late := r.abortOf(1, b.CID())
	r.submit(0, del)
	r.submit(0, late)
	r.run()
	c := r.reap(0)
	require.Len(t, c, 2)
	require.Equal(t, onMark.CID(), c[0].cid)
	require.Equal(t, notAborted, c[0].result, "the deletion ended it, not the Abort")
	require.Equal(t, late.CID(), c[1].cid)
	require.Equal(t, notAborted, c[1].result)
	m.finish(r, 1)
	require.Len(t, r.reap(1), 1)
	require.Len(t, r.reap(0), 1)
	r.checkIdentity()
}

func TestAbortWhoseCommandTheHostReplacedIsNotAborted(t *testing.T) {
	m := &held{}
	r := newReady(t, nvme.Config{Slots: 1}, withHeld(m), 8)
	a, b := r.rw(spec.IORead, 0, 1), r.rw(spec.IORead, 0, 1)
	r.submit(1, a)
	r.submit(1, b)
	r.run()
	r.submit(0, r.abortOf(1, b.CID()))
	r.run()
	other := r.rw(spec.IORead, 3, 1)
	copy(r.mem.at(r.q[1].sq+64, 64), other[:])
	m.finish(r, 1)
	require.Equal(t, notAborted, r.reap(0)[0].result)
	m.finish(r, 1)
	require.Equal(t, other.CID(), r.reap(1)[1].cid)
	r.checkIdentity()
}

func TestIdentityHoldsWhenAResetCutsAnAnswer(t *testing.T) {
	m := &held{abort: true}
	r := newRig(t, 1, nvme.Config{}, withHeld(m))
	r.setAdmin(4)
	r.c.Write32(spec.RegCC, uint32(ccEnabled()))
	r.run()
	r.createPair(1, 8)
	e := r.rw(spec.IORead, 0, 1)
	r.submit(1, e)
	for range 3 { // the admin completion queue is full
		r.submit(0, command(0x77, r.nextCID(), 0))
	}
	r.run()
	r.peek(0)
	r.submit(0, r.abortOf(1, e.CID()))
	r.run()
	require.Equal(t, spec.AbortRequested, r.peek(1)[0].status)
	require.Empty(t, r.peek(0))
	r.c.Write32(spec.RegCC, 0)
	r.run()
	require.EqualValues(t, 1, r.c.Stats().Aborts.Cut)
	r.checkIdentity()
	r.runFor(time.Second)
}
