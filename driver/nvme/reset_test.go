package nvme_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	device "blksim/device/nvme"
	"blksim/device/nvme/spec"
	"blksim/driver"
	"blksim/driver/nvme"
	"blksim/sim"
)

// reset resets the driver from the lane of p and waits for the end.
func (r *rig) reset(p *port) (err error) {
	r.t.Helper()
	require.NoError(r.t, r.group.Do(p.lane.Index(), func(done func()) {
		r.driver.Reset(func(e error) { err = e; done() })
	}))
	return err
}

// works is the check that a port takes I/O as if nothing had happened: more of it
// than there are identifiers.
func (r *rig) works(p *port, m *held) {
	r.t.Helper()
	for range 3 * len(p.reqs) {
		before := p.ends[aio.OK]
		r.at(p, func() {
			for len(p.free) > 0 {
				p.start(r.t)
			}
			p.commit()
		})
		r.run()
		for p.inFlight() > 0 && m != nil && len(m.begun) > 0 {
			r.world.Lane(deviceLane).Post(m.letGo)
			r.run()
		}
		require.Equal(r.t, before+len(p.reqs), p.ends[aio.OK])
	}
	require.Zero(r.t, p.wrong)
}

func TestResetEndsWhatTheDeviceHoldsAndTheQueuesGoOn(t *testing.T) {
	for name, by := range map[string]nvme.CancelBy{"aborts": nvme.ByAbort, "cancels": nvme.ByCancel} {
		t.Run(name, func(t *testing.T) {
			m := &held{refuse: true}
			r := newRig(t, rigOptions{medium: m, device: device.Config{Slots: 3}, driver: nvme.Options{Callback: true, Cancel: by}})
			a, b := r.openPort(0, 8), r.openPort(1, 4)
			r.at(a, func() {
				for range 8 {
					p := a.start(t)
					a.commit()
					a.cancel(p) // unanswered, answered and waiting ones
				}
			})
			r.at(b, func() { b.start(t); b.commit() })
			r.run()
			require.NoError(t, r.reset(a))
			require.Equal(t, 8, a.ends[aio.TimedOut]+a.ends[aio.Cancelled])
			require.Equal(t, 1, b.ends[aio.TimedOut])
			require.EqualValues(t, 9, r.driver.Stats().TimedOut+r.driver.Stats().Cancelled)
			m.refuse = false
			r.works(a, m)
			r.works(b, m)
			require.Zero(t, r.driver.Stats().Strays)
			require.Equal(t, device.ErrorStats{}, r.device.Stats().Errors, "no doorbell of a queue that was gone")
			r.close()
		})
	}
}

func TestResetKeepsWhatTheDeviceHadCompleted(t *testing.T) {
	m := &held{}
	r := newRig(t, rigOptions{medium: m})
	p := r.openPort(0, 4)
	r.at(p, func() { p.start(t); p.start(t); p.commit() })
	r.run()
	r.world.Lane(deviceLane).Post(m.letGo) // its interrupt comes after the reset has begun
	require.NoError(t, r.reset(p))
	require.Equal(t, 2, p.ends[aio.OK])
	require.Zero(t, p.ends[aio.TimedOut])
	r.close()
}

func TestResetBringsAFatalControllerBack(t *testing.T) {
	m := &held{}
	r := newRig(t, rigOptions{medium: m})
	p := r.openPort(0, 4)
	r.at(p, func() { p.start(t); p.commit() })
	r.run()
	require.NoError(t, r.group.Do(deviceLane, func(done func()) { r.device.Fail(); done() }))
	require.NoError(t, r.reset(p))
	require.Equal(t, 1, p.ends[aio.TimedOut])
	r.works(p, m)
	r.close()
}

func TestSubmitIsBusyWhileAResetIsUnderWay(t *testing.T) {
	r := newRig(t, rigOptions{device: device.Config{ReadyDelay: time.Millisecond}})
	p := r.openPort(0, 4)
	var during aio.Status
	ends := 0
	r.at(p, func() {
		r.driver.Reset(func(err error) { require.NoError(t, err); ends++ })
		r.driver.Reset(func(err error) { require.NoError(t, err); ends++ })
	})
	require.NoError(t, r.world.RunUntil(r.world.Now().Add(500*time.Microsecond)))
	r.world.Lane(firstQueueLane).Post(func() { during = p.submit(p.get(aio.OpRead, 0, 512, make([]byte, 512))) })
	r.run()
	require.Equal(t, aio.Busy, during)
	require.Equal(t, 2, ends)
	require.EqualValues(t, 1, r.driver.Stats().Resets, "two at once are one")
	r.works(p, nil)
	r.close()
}

func TestResetThatFailsIsTheEndOfTheDriver(t *testing.T) {
	for name, c := range map[string]struct {
		breakIt func(f *fake)
		want    error
	}{
		"does not disable":           {func(f *fake) { f.setCSTS = func(spec.CC) uint32 { return uint32(spec.CSTSReady) } }, nvme.ErrTimeout},
		"is gone":                    {func(f *fake) { f.setCSTS = func(spec.CC) uint32 { return 0xffff_ffff } }, nvme.ErrGone},
		"is fatal when enabled":      {func(f *fake) { f.setCSTS = fatalWhenEnabled }, nvme.ErrFatal},
		"does not answer":            {func(f *fake) { f.silent[spec.AdminSetFeatures] = true }, nvme.ErrTimeout},
		"refuses a completion queue": {func(f *fake) { f.refuse[spec.AdminCreateCQ] = spec.InvalidQueueSize }, nvme.ErrStatus},
		"refuses a submission queue": {func(f *fake) { f.refuse[spec.AdminCreateSQ] = spec.InvalidQueueSize }, nvme.ErrStatus},
	} {
		t.Run(name, func(t *testing.T) {
			r := newFakeRig(t, nvme.Options{AdminTimeout: time.Second}, nil)
			p := r.openPort(0, 4)
			r.at(p, func() { p.start(t); p.commit() })
			r.run()
			c.breakIt(r.fake)
			begin := r.world.Now()
			require.ErrorIs(t, r.reset(p), c.want)
			require.Less(t, time.Duration(r.world.Now()-begin), 3*time.Second, "bounded")
			require.ErrorIs(t, r.reset(p), c.want, "again")
			r.at(p, func() { require.Equal(t, aio.Gone, p.submit(p.get(aio.OpRead, 0, 512, make([]byte, 512)))) })
			begin = r.world.Now()
			require.ErrorIs(t, r.driver.Close(), c.want)
			require.Less(t, time.Duration(r.world.Now()-begin), 3*time.Second, "bounded")
			require.ErrorIs(t, r.reset(p), c.want, "after Close")
		})
	}
}

func fatalWhenEnabled(cc spec.CC) uint32 {
	if cc.EN() {
		return uint32(spec.CSTSFatal)
	}
	return 0
}

func TestResetAfterCloseIsRefused(t *testing.T) {
	r := newRig(t, rigOptions{})
	p := r.openPort(0, 4)
	r.close()
	require.ErrorIs(t, r.reset(p), nvme.ErrClosed)
}

// storm keeps a port busy with reads, cancels some, and counts their ends.
type storm struct {
	t    testing.TB
	p    *port
	rnd  *sim.Rand
	left int
	idle func()
}

func (s *storm) pump() {
	for s.left > 0 && len(s.p.free) > 0 {
		q := s.p.get(aio.OpRead, 0, 4096, make([]byte, 4096))
		if s.p.submit(q) != aio.OK {
			s.p.lane.Post(s.pump) // a reset is under way
			return
		}
		s.left--
		if s.rnd.IntN(4) == 0 {
			s.p.commit()
			s.p.cancel(q)
		}
	}
	s.p.commit()
	if s.left == 0 && s.p.inFlight() == 0 && s.idle != nil {
		idle := s.idle
		s.idle = nil
		idle()
	}
}

func TestResetsUnderLoadOnRealLanes(t *testing.T) {
	for _, by := range []nvme.CancelBy{nvme.ByAbort, nvme.ByCancel} {
		g := lane.NewReal(firstQueueLane + 2)
		r := newRig(t, rigOptions{group: g, medium: newSlow(g.Lane(deviceLane), 1, 50*time.Microsecond),
			device: device.Config{Capacity: 16 << 20, AbortLimit: 2}, driver: nvme.Options{Callback: true, Cancel: by}})
		ports := []*port{r.openPort(0, 16), r.openPort(1, 4)}
		n := operations(3000)
		ended := make(chan struct{}, len(ports))
		for i, p := range ports {
			s := &storm{t: t, p: p, rnd: sim.NewRand(uint64(i), "storm"), left: n, idle: func() { ended <- struct{}{} }}
			p.onEnd = func(*driver.Request, aio.Status, int64) { p.lane.Post(s.pump) }
			p.lane.Post(s.pump)
		}
		for range 15 {
			require.NoError(t, r.reset(ports[0]))
			time.Sleep(time.Millisecond)
		}
		for range ports {
			<-ended
		}
		for _, p := range ports {
			total := 0
			for _, k := range p.ends {
				total += k
			}
			require.Equal(t, n, total, "each request has one end")
			require.Zero(t, p.wrong)
			require.Zero(t, p.ends[aio.Gone]+p.ends[aio.IOError])
		}
		s := r.driver.Stats()
		require.EqualValues(t, s.Submitted, s.Completions+s.TimedOut)
		require.Zero(t, s.Strays)
		require.EqualValues(t, 15, s.Resets)
		r.close()
		g.Close()
	}
}
