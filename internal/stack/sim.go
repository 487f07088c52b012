package stack

import (
	"fmt"

	device "blksim/device/nvme"
	"blksim/device/nvme/spec"
	"blksim/driver"
	"blksim/driver/nvme"
	"blksim/internal/profile"
	"blksim/internal/report"
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

// account puts the controller's own counters into d. The lanes have stopped.
func (s *simDevice) account(d *report.Device) {
	c := s.ctrl.Stats()
	d.Counted = true
	d.Commands = int64(c.IOCommands())
	d.ByOp = map[string]int64{}
	for code, n := range c.IO {
		if n > 0 {
			d.ByOp[ioName(byte(code))] = int64(n)
		}
	}
	d.Bytes = map[string]int64{"read": int64(c.ReadBytes), "written": int64(c.WrittenBytes)}
	a := &c.Aborts
	d.Aborts = &report.Aborts{Asked: int64(a.Asked), Aborted: int64(a.Aborted), NotAborted: int64(a.NotAborted),
		OverLimit: int64(a.LimitExceeded), Completed07: int64(c.Count(spec.AbortRequested))}
	m := &c.Medium
	d.Media = map[string]int64{"reads": int64(m.Reads), "programs": int64(m.Programs), "erases": int64(m.Erases),
		"saved": int64(m.Saved), "dropped": int64(m.Dropped)}
	d.PeakDepth = int64(c.PeakIO)
}

// ioName is the name of an I/O command set opcode.
func ioName(code byte) string {
	switch code {
	case spec.IOFlush:
		return "flush"
	case spec.IOWrite:
		return "write"
	case spec.IORead:
		return "read"
	case spec.IOWriteZeroes:
		return "write-zeroes"
	case spec.IODatasetManagement:
		return "dataset-management"
	}
	return fmt.Sprintf("%02Xh", code)
}
