package stack

import (
	"errors"
	"fmt"

	device "blksim/device/nvme"
	"blksim/driver"
	"blksim/driver/nvme"
	"blksim/internal/profile"
	"blksim/sim"
)

// simDevice is a virtual controller with its driver.
type simDevice struct {
	ctrl *device.Controller
	drv  *nvme.Driver
}

// QueueObserver is told what becomes of the queues, by the controller and by the
// driver: on the device's lane and on those of the queues.
type QueueObserver interface {
	device.QueueObserver
	nvme.CQObserver
}

// openSim opens the virtual NVMe device of disk i and its driver.
func (st *Stack) openSim(s Spec, i int, opts, name string) (driver.Driver, error) {
	o, canonical, err := parseNVMe(opts)
	if err != nil {
		return nil, err
	}
	st.Driver += canonical
	if name == "" {
		name = profile.Default
	}
	p, err := loadProfile(name)
	if err != nil {
		return nil, err
	}
	if s.KeepData {
		p.Controller.Data = device.Sparse
	}
	var observer nvme.CQObserver // nil where there is none, and not an interface with a nil in it
	if s.Observe != nil {
		both := s.Observe(i)
		observer, p.Controller.Observer = both, both
	}
	st.injectDevice(s, &p.Controller)
	st.Device, st.Data = "sim:"+p.Name, p.Controller.Data == device.Sparse
	dev := simDevice{}
	connect := func(mem device.Memory, irq device.Interrupter) (device.Registers, error) {
		l := st.Group.Lane(s.Queues + i)
		c, err := p.Open(l, mem, irq, s.Capacity, sim.NewRand(s.Seed, "device/nvme"))
		if err != nil && s.Capacity != 0 {
			// The profile is good by itself: Load has checked it.
			err = specf("capacity %d: %w", s.Capacity, err)
		}
		dev.ctrl = c
		return c, err
	}
	d, err := nvme.Open(nvme.Options{Group: st.Group, Connect: connect, Callback: o.callback, Cancel: o.cancel,
		Queues: s.Queues, Observer: observer})
	if err != nil {
		return nil, err
	}
	dev.drv = d
	st.devices = append(st.devices, dev)
	return d, nil
}

// loadProfile tells a name that leads to no profile, which is the user's mistake,
// from a profile with a mistake in it.
func loadProfile(name string) (*profile.Profile, error) {
	p, err := profile.Load(name)
	var inside *profile.Error
	if err != nil && !errors.As(err, &inside) {
		return nil, &SpecError{err}
	}
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	return p, nil
}
