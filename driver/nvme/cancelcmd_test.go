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

var byCancel = nvme.Options{Callback: true, Cancel: nvme.ByCancel}

func TestCancelIsSentInTheCommandsOwnQueue(t *testing.T) {
	r := newRig(t, rigOptions{medium: &held{}, driver: byCancel})
	p := r.openPort(0, 4)
	r.at(p, func() { a := p.start(t); p.start(t); p.commit(); p.cancel(a); p.cancel(a) })
	r.run()
	require.Equal(t, 1, p.ends[aio.Cancelled])
	require.Equal(t, 1, p.inFlight())
	s, d := r.driver.Stats(), r.device.Stats()
	require.EqualValues(t, 1, s.CancelsDone)
	require.Zero(t, s.AbortsSent)
	require.EqualValues(t, 1, d.IO[spec.IOCancel])
	require.Equal(t, d.AbortsAnswered(), d.Count(spec.AbortRequested))
	r.close()
}

func TestCancelThatTheMediumRefusesLeavesTheCommand(t *testing.T) {
	m := &held{refuse: true}
	r := newRig(t, rigOptions{medium: m, driver: byCancel})
	p := r.openPort(0, 4)
	r.at(p, func() { q := p.start(t); p.commit(); p.cancel(q) })
	r.run()
	require.Equal(t, 1, p.inFlight())
	require.EqualValues(t, 1, r.driver.Stats().CancelsNotDone)
	r.world.Lane(deviceLane).Post(m.letGo)
	r.run()
	require.Equal(t, 1, p.ends[aio.OK])
	r.close()
}

// A queue has room for so many Cancels; what is more is aborted over the admin
// queue.
func TestCancelsBeyondTheirRoomAreAborts(t *testing.T) {
	r := newRig(t, rigOptions{medium: &held{}, driver: byCancel})
	p := r.openPort(0, 64)
	r.at(p, func() {
		var qs []*driver.Request
		for range 64 {
			qs = append(qs, p.start(t))
		}
		p.commit()
		for _, q := range qs {
			p.cancel(q)
		}
	})
	r.run()
	require.Equal(t, 64, p.ends[aio.Cancelled])
	s := r.driver.Stats()
	require.EqualValues(t, 16, s.CancelsSent)
	require.EqualValues(t, 16, s.CancelsDone)
	require.EqualValues(t, 48, s.AbortsDone)
	require.Zero(t, p.wrong)
	r.close()
}

func TestIdentifierIsHeldUntilItsCancelIsAnswered(t *testing.T) {
	m := &held{}
	r := newRig(t, rigOptions{medium: m, device: device.Config{Slots: 1}, driver: byCancel})
	p := r.openPort(0, 2)
	// The device holds a; b and its Cancel are unfetched. When a ends, b begins and
	// the Cancel ends it; all along b's tag may be used again only after that.
	var b *driver.Request
	r.at(p, func() { p.start(t); b = p.start(t); p.commit(); p.cancel(b) })
	r.run()
	require.Equal(t, 2, p.inFlight())
	r.world.Lane(deviceLane).Post(m.letGo)
	r.run()
	require.Equal(t, 1, p.ends[aio.OK])
	require.Equal(t, 1, p.ends[aio.Cancelled])
	for range 300 {
		r.at(p, func() { p.start(t); p.start(t); p.commit() })
		r.run()
		r.world.Lane(deviceLane).Post(m.letGo)
		r.run()
		r.world.Lane(deviceLane).Post(m.letGo)
		r.run()
	}
	require.Equal(t, 601, p.ends[aio.OK])
	require.Zero(t, r.driver.Stats().Strays)
	r.close()
}

func TestCancelNeedsTheControllersSupport(t *testing.T) {
	_, err := openFake(t, byCancel, nil)
	require.ErrorIs(t, err, nvme.ErrUnsupported)
	r, err := openFake(t, nvme.Options{Callback: true, Cancel: nvme.ByAuto}, nil)
	require.NoError(t, err)
	p := r.openPort(0, 4)
	r.at(p, func() { q := p.start(t); p.commit(); p.cancel(q) })
	r.run()
	require.EqualValues(t, 1, r.driver.Stats().AbortsSent)

	// The page says so, and not the mere fact that there is one.
	_, err = openFake(t, byCancel, func(f *fake) {
		f.controller.LPA = spec.LPAEffects
		f.effects = map[int]uint32{spec.IORead: 1}
	})
	require.ErrorIs(t, err, nvme.ErrUnsupported)
	_, err = openFake(t, byCancel, func(f *fake) {
		f.controller.LPA = spec.LPAEffects
		f.effects = map[int]uint32{spec.IOCancel: 1}
	})
	require.NoError(t, err)
	require.ErrorContains(t, nvme.Options{Group: sim.NewWorld(1, 1), Connect: func(device.Memory, device.Interrupter) (device.Registers, error) {
		return nil, nil
	}, Cancel: 9}.Validate(), "Cancel 9")
}

func TestDataIsRightUnderCancelCommands(t *testing.T) {
	for _, c := range []struct {
		seed  uint64
		depth int
		slots int
		keeps float64
	}{{1, 8, 0, 0}, {2, 8, 2, 0.3}, {3, 32, 0, 0.1}, {4, 2, 0, 0.2}, {5, 1, 1, 0}} {
		w := sim.NewWorld(c.seed, firstQueueLane+2)
		medium := newSlow(w.Lane(deviceLane), c.seed, 10*time.Microsecond)
		medium.keeps = c.keeps
		r := newRig(t, rigOptions{group: w, medium: medium, driver: byCancel,
			device: device.Config{Capacity: 16 << 20, Slots: c.slots, AbortLimit: 2}})
		a, b := r.openPort(0, c.depth), r.openPort(1, c.depth)
		ca, cb := newChecker(t, a, c.seed, 512, 0, 1<<20), newChecker(t, b, c.seed+100, 512, 8<<20, 1<<20)
		ca.cancels, cb.cancels = 0.3, 0.1
		r.runCheckers(operations(3000), ca, cb)
		r.checkIdentity(a, b)
		require.Positive(t, r.driver.Stats().CancelsDone, "seed %d", c.seed)
		r.close()
	}
}

func TestCancelCommandsOnRealLanes(t *testing.T) {
	g := lane.NewReal(firstQueueLane + 2)
	defer g.Close()
	r := newRig(t, rigOptions{group: g, medium: newSlow(g.Lane(deviceLane), 1, 20*time.Microsecond), driver: byCancel,
		device: device.Config{Capacity: 16 << 20, AbortLimit: 2}})
	a, b := r.openPort(0, 32), r.openPort(1, 4)
	ca, cb := newChecker(t, a, 1, 512, 0, 1<<20), newChecker(t, b, 2, 512, 8<<20, 1<<20)
	ca.cancels, cb.cancels = 0.3, 0.1
	r.runCheckers(operations(4000), ca, cb)
	r.checkIdentity(a, b)
	r.close()
}
