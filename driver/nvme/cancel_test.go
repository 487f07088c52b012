package nvme_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	device "blksim/device/nvme"
	"blksim/device/nvme/spec"
	"blksim/driver"
	"blksim/driver/nvme"
)

// The tests of this file place one Cancel at each point of a command's life,
// over a scripted controller, and say exactly what must become of it.

func newCancelRig(t testing.TB, acl uint8) *fakeRig {
	t.Helper()
	return newFakeRig(t, nvme.Options{Callback: true}, func(f *fake) { f.controller.ACL = acl })
}

// start submits a read without commit.
func (p *port) start(t testing.TB) *driver.Request {
	q := p.get(aio.OpRead, 0, 512, make([]byte, 512))
	require.Equal(t, aio.OK, p.submit(q))
	return q
}

func TestCancelledCommandThatIsAbortedEndsCancelled(t *testing.T) {
	r := newCancelRig(t, 3)
	p := r.openPort(0, 4)
	r.at(p, func() { q := p.start(t); p.commit(); p.cancel(q) })
	r.run()
	require.Len(t, r.fake.aborts, 1)
	require.Equal(t, spec.AbortCDW10(1, r.fake.io[0].CID()), r.fake.aborts[0].CDW10())
	r.onDevice(func() { require.True(t, r.fake.answer(0)) })
	require.Equal(t, 1, p.ends[aio.Cancelled])
	requireAborts(t, r, 1, 1, 0, 1, 0, 0)
}

func TestCancelBeforeCommitReachesTheCommand(t *testing.T) {
	r := newCancelRig(t, 3)
	p := r.openPort(0, 4)
	r.at(p, func() { p.cancel(p.start(t)) })
	r.run()
	require.Len(t, r.fake.io, 1, "the doorbell was not rung before the Abort")
	r.onDevice(func() { require.True(t, r.fake.answer(0)) })
	require.Equal(t, 1, p.ends[aio.Cancelled])
}

func TestCompletionBeforeTheAbortsAnswerDecides(t *testing.T) {
	for _, st := range []spec.Status{spec.Success, spec.UnrecoveredRead} {
		r := newCancelRig(t, 3)
		p := r.openPort(0, 4)
		r.at(p, func() { q := p.start(t); p.commit(); p.cancel(q) })
		r.run()
		r.onDevice(func() { r.fake.end(0, st) })
		require.Zero(t, p.inFlight(), "the request does not wait for the Abort")
		r.onDevice(func() { require.False(t, r.fake.answer(0)) })
		require.Zero(t, p.ends[aio.Cancelled])
		requireAborts(t, r, 1, 1, 0, 0, 1, 0)
	}
}

func TestAnswerBeforeTheCompletionLetsTheCommandGoOn(t *testing.T) {
	for _, result := range []uint64{spec.AbortNotDone, 0} { // also where the device answers too early
		r := newCancelRig(t, 3)
		p := r.openPort(0, 1)
		for range 100 { // more than there are identifiers
			r.at(p, func() { q := p.start(t); p.commit(); p.cancel(q) })
			r.run()
			r.onDevice(func() { r.fake.reply(0, spec.Success, result) })
			require.Equal(t, 1, p.inFlight())
			r.onDevice(func() { r.fake.end(0, spec.Success) })
		}
		require.Equal(t, 100, p.ends[aio.OK])
		require.Zero(t, p.wrong)
		require.Zero(t, r.driver.Stats().Busy)
	}
}

func TestCompletionAndAnswerInOneInterruptInEitherOrder(t *testing.T) {
	for _, answerFirst := range []bool{false, true} {
		r := newCancelRig(t, 3)
		p := r.openPort(0, 1)
		for range 100 {
			r.at(p, func() { q := p.start(t); p.commit(); p.cancel(q) })
			r.run()
			r.onDevice(func() {
				if answerFirst {
					r.fake.reply(0, spec.Success, spec.AbortNotDone)
					r.fake.end(0, spec.Success)
				} else {
					r.fake.end(0, spec.Success)
					r.fake.reply(0, spec.Success, spec.AbortNotDone)
				}
			})
		}
		require.Equal(t, 100, p.ends[aio.OK])
		require.Zero(t, r.driver.Stats().Busy)
	}
}

func TestAFailedAbortEndsTheQuarantineToo(t *testing.T) {
	r := newCancelRig(t, 0)
	p := r.openPort(0, 1)
	for range 100 { // more than there are identifiers
		r.at(p, func() { q := p.start(t); p.commit(); p.cancel(q) })
		r.run()
		r.onDevice(func() {
			r.fake.reply(0, spec.AbortLimitExceeded, 0)
			r.fake.end(0, spec.Success)
		})
	}
	require.Equal(t, 100, p.ends[aio.OK])
	requireAborts(t, r, 100, 100, 0, 0, 0, 100)
}

func TestNoMoreAbortsAtOnceThanTheLimitAndTheRestInOrder(t *testing.T) {
	r := newCancelRig(t, 1)
	p := r.openPort(0, 8)
	r.at(p, func() {
		var qs []*driver.Request
		for range 8 {
			qs = append(qs, p.start(t))
		}
		p.commit()
		for _, q := range qs {
			p.cancel(q)
		}
	})
	r.run()
	var want, got []uint16
	for _, c := range r.fake.io {
		want = append(want, c.CID())
	}
	for len(r.fake.aborts) > 0 {
		require.LessOrEqual(t, len(r.fake.aborts), 2)
		got = append(got, uint16(r.fake.aborts[0].CDW10()>>16))
		r.onDevice(func() { r.fake.answer(0) })
	}
	require.Equal(t, want, got)
	require.Equal(t, 8, p.ends[aio.Cancelled])
	requireAborts(t, r, 8, 8, 0, 8, 0, 0)
}

func TestAbortsLeaveRoomForOtherAdminCommands(t *testing.T) {
	r := newCancelRig(t, 255)
	p := r.openPort(0, 200)
	r.at(p, func() {
		for len(p.free) > 0 {
			p.start(t)
		}
		p.commit()
		for _, q := range p.reqs {
			p.cancel(q)
		}
	})
	r.run()
	require.Len(t, r.fake.aborts, 55)
	r.openPort(1, 4)
	for len(r.fake.aborts) > 0 {
		r.onDevice(func() { require.True(t, r.fake.answer(0)) })
	}
	require.Equal(t, 200, p.ends[aio.Cancelled])
}

func TestAQueuedAbortIsDroppedWhenItsCommandCompletes(t *testing.T) {
	r := newCancelRig(t, 0)
	p := r.openPort(0, 4)
	r.at(p, func() {
		a, b, c := p.start(t), p.start(t), p.start(t)
		p.commit()
		p.cancel(a)
		p.cancel(b)
		p.cancel(c)
	})
	r.run()
	require.Len(t, r.fake.aborts, 1)
	r.onDevice(func() { r.fake.end(1, spec.Success) }) // b
	requireAborts(t, r, 3, 1, 1, 0, 0, 0)
	r.onDevice(func() { r.fake.answer(0) })
	r.onDevice(func() { r.fake.answer(0) })
	require.Empty(t, r.fake.aborts)
	require.Equal(t, 2, p.ends[aio.Cancelled])
	require.Equal(t, 1, p.ends[aio.OK])
	requireAborts(t, r, 3, 2, 1, 2, 0, 0)
}

func TestADeviceThatNeverAnswersAbortsCostsTheSparesOnly(t *testing.T) {
	r := newCancelRig(t, 1)
	p := r.openPort(0, 4)
	for range 200 {
		r.at(p, func() { q := p.start(t); p.commit(); p.cancel(q) })
		r.run()
		r.onDevice(func() { r.fake.end(0, spec.Success) })
	}
	require.Equal(t, 200, p.ends[aio.OK])
	require.Zero(t, r.driver.Stats().Busy)
	requireAborts(t, r, 200, 2, 198, 0, 0, 0)
}

func TestCancelOfARequestThatIsNotWithTheDeviceDoesNothing(t *testing.T) {
	r := newCancelRig(t, 3)
	p := r.openPort(0, 4)
	var q *driver.Request
	r.at(p, func() { q = p.start(t); p.commit() })
	r.run()
	r.onDevice(func() { r.fake.end(0, spec.Success) })
	r.at(p, func() {
		p.cancel(q)                        // completed
		p.cancel(p.reqs[3])                // never submitted
		p.cancel(driver.NewRequest(p, 99)) // of another queue
	})
	r.run()
	require.Empty(t, r.fake.aborts)
	require.Zero(t, r.driver.Stats().AbortsAsked)
}

// The adversary: an Abort is carried out only long after its command has
// completed and every identifier has been used many times over. Without the
// quarantine the identifier that it names belongs to another I/O by then, and
// that I/O ends Cancelled though nobody asked for it.
func TestAnAbortNeverHitsAnotherIO(t *testing.T) {
	r := newCancelRig(t, 1)
	p := r.openPort(0, 2)
	for round := range 50 {
		r.at(p, func() { q := p.start(t); p.commit(); p.cancel(q) })
		r.run()
		victim := r.fake.io[0].CID()
		require.Equal(t, victim, uint16(r.fake.aborts[0].CDW10()>>16))
		r.onDevice(func() { r.fake.end(0, spec.Success) })

		for range 100 + round { // any generation of any slot
			r.at(p, func() { p.start(t); p.commit() })
			r.run()
			require.NotEqual(t, victim, r.fake.io[0].CID(), "the identifier is in use again while its Abort is outstanding")
			r.onDevice(func() { r.fake.end(0, spec.Success) })
		}
		r.at(p, func() { p.start(t); p.commit() })
		r.run()
		r.onDevice(func() { r.fake.answer(0) })
		require.Equal(t, 1, p.inFlight(), "the Abort hit an I/O that nobody cancelled")
		r.onDevice(func() { r.fake.end(0, spec.Success) })
	}
	require.Zero(t, p.ends[aio.Cancelled])
	require.Zero(t, r.driver.Stats().Busy)
}

func TestQuarantinedIdentifiersComeBack(t *testing.T) {
	r := newCancelRig(t, 1)
	p := r.openPort(0, 2)
	used := map[uint16]bool{}
	for range 200 {
		r.at(p, func() { q := p.start(t); p.commit(); p.cancel(q) })
		r.run()
		used[r.fake.io[0].CID()&0xfff] = true
		r.onDevice(func() { r.fake.end(0, spec.Success) })
		r.onDevice(func() { r.fake.answer(0) })
	}
	require.Len(t, used, 2+2*2, "depth and spares")
}

// requireAborts checks the counters of Aborts.
func requireAborts(t testing.TB, r *fakeRig, asked, sent, dropped, done, notDone, failed int) {
	t.Helper()
	s := r.driver.Stats()
	require.Equal(t, []int{asked, sent, dropped, done, notDone, failed},
		[]int{int(s.AbortsAsked), int(s.AbortsSent), int(s.AbortsDropped), int(s.AbortsDone), int(s.AbortsNotDone), int(s.AbortsFailed)},
		"asked, sent, dropped, done, not done, failed")
}

// held is a medium that keeps reads and writes until it is let go.
type held struct {
	device.Null
	host   device.MediumHost
	refuse bool // aborts nothing
	begun  []*device.Op
}

func (m *held) Attach(h device.MediumHost, _ int) { m.host = h }

func (m *held) Begin(op *device.Op) (spec.Status, bool) {
	if op.Kind == device.OpFlush {
		return spec.Success, true
	}
	m.begun = append(m.begun, op)
	return 0, false
}

func (m *held) Abort(op *device.Op) bool {
	if !m.refuse {
		m.begun = slices.DeleteFunc(m.begun, func(o *device.Op) bool { return o == op })
	}
	return !m.refuse
}

func (m *held) Reset() { m.begun = nil }

func (m *held) letGo() {
	ops := m.begun
	m.begun = nil
	for _, op := range ops {
		m.host.Done(op, spec.Success)
	}
	m.host.Settle()
}

// Cancel in each state of a command of the real controller, which has room for
// one command beside those that are unfetched.
func TestCancelInEachStateOfTheController(t *testing.T) {
	for _, c := range []struct {
		name   string
		refuse bool
		cancel int // of three commands: 0 executes, 1 and 2 are unfetched
		late   bool
		want   aio.Status
		done   uint64
	}{
		{"executing", false, 0, false, aio.Cancelled, 1},
		{"executing, and the medium refuses", true, 0, false, aio.OK, 0},
		{"unfetched, the next", false, 1, false, aio.Cancelled, 1},
		{"unfetched, the last", true, 2, false, aio.Cancelled, 1},
		{"completed by the device and not yet seen by the host", false, 0, true, aio.OK, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &held{refuse: c.refuse}
			r := newRig(t, rigOptions{medium: m, device: device.Config{Slots: 1}, driver: nvme.Options{Callback: true}})
			p := r.openPort(0, 4)
			ends := map[*driver.Request]aio.Status{}
			p.onEnd = func(q *driver.Request, st aio.Status, _ int64) { ends[q] = st }
			var qs []*driver.Request
			r.at(p, func() { qs = []*driver.Request{p.start(t), p.start(t), p.start(t)}; p.commit() })
			r.run()
			require.Len(t, m.begun, 1)
			if c.late {
				// The completion is posted before the Cancel runs, and its
				// interrupt comes after it.
				r.world.Lane(deviceLane).Post(m.letGo)
				r.world.Lane(firstQueueLane).Post(func() { p.cancel(qs[c.cancel]) })
			} else {
				r.world.Lane(firstQueueLane).Post(func() { p.cancel(qs[c.cancel]) })
			}
			r.run()
			for range 3 {
				r.world.Lane(deviceLane).Post(m.letGo)
				r.run()
			}
			for i, q := range qs {
				if i == c.cancel {
					require.Equal(t, c.want, ends[q])
				} else {
					require.Equal(t, aio.OK, ends[q], i)
				}
			}
			s, d := r.driver.Stats(), r.device.Stats()
			require.Equal(t, c.done, s.AbortsDone)
			require.Equal(t, c.done, s.Cancelled)
			require.Equal(t, c.done, d.Count(spec.AbortRequested))
			require.EqualValues(t, 1, s.AbortsAsked)
			require.Equal(t, s.AbortsAsked, s.AbortsDone+s.AbortsNotDone+s.AbortsDropped)
			r.close()
		})
	}
}

func TestCancelEndsSoonAndNotWhenTheMediumWould(t *testing.T) {
	r := newRig(t, rigOptions{medium: &held{}, driver: nvme.Options{Callback: true}})
	p := r.openPort(0, 4)
	begin := r.world.Now()
	r.at(p, func() { q := p.start(t); p.commit(); p.cancel(q) })
	require.NoError(t, r.world.RunUntil(begin.Add(time.Microsecond)))
	require.Equal(t, 1, p.ends[aio.Cancelled])
	r.close()
}
