package stack

import (
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

// openSim opens the virtual NVMe device and its driver.
func (st *Stack) openSim(s Spec, opts, name string) (driver.Driver, error) {
	callback, err := parseCallback(opts)
	if err != nil {
		return nil, err
	}
	if !callback {
		st.Driver += ",callback=off"
	}
	if name == "" {
		name = profile.Default
	}
	p, err := profile.Load(name)
	if err != nil {
		return nil, err
	}
	st.Device = "sim:" + p.Name
	st.dev = &simDevice{}
	connect := func(mem device.Memory, irq device.Interrupter) (device.Registers, error) {
		l := st.Group.Lane(st.Group.Lanes() - 1)
		c, err := p.Open(l, mem, irq, s.Capacity, sim.NewRand(s.Seed, "device/nvme"))
		st.dev.ctrl = c
		return c, err
	}
	d, err := nvme.Open(nvme.Options{Group: st.Group, Connect: connect, Callback: callback, Queues: s.Queues})
	st.dev.drv = d
	return d, err
}
