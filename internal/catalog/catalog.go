// Package catalog names the block drivers that come with blksim, each with a way
// to open it for the conformance kit. A name may be followed by options, as in
// "nvme,callback=off". All of them run anywhere that lanes run; the NVMe
// controller takes the last lane of the group.
package catalog

import (
	"fmt"
	"strings"
	"time"

	device "blksim/device/nvme"
	"blksim/driver"
	"blksim/driver/delay"
	"blksim/driver/drivertest"
	"blksim/driver/drivertest/broken"
	"blksim/driver/example"
	"blksim/driver/fault"
	"blksim/driver/null"
	"blksim/driver/nvme"
	"blksim/driver/ram"
	"blksim/driver/trace"
	"blksim/internal/option"
	"blksim/internal/profile"
	"blksim/sim"
	"blksim/sim/faultplan"
)

// Driver is one that can be opened by its name.
type Driver struct {
	Name  string
	About string
	Check drivertest.Options // what the kit has to know of it
	Open  drivertest.Open
}

const (
	small   = 256 << 10 // bytes: the devices that are memory
	service = 50 * time.Microsecond
)

// Drivers lists them all.
func Drivers() []Driver {
	return []Driver{
		{"null", "does nothing, at once: the yardstick for what is above", drivertest.Options{NoData: true},
			func(drivertest.Env) (driver.Driver, error) { return null.New(null.Options{}) }},
		{"ram", "a slice of bytes, at once", drivertest.Options{}, openRAM},
		{"example", "a slice of bytes that takes its time: the driver to copy", drivertest.Options{}, openExample},
		{"example,callback=off", "the same without the cancel callback", drivertest.Options{}, without(openExample)},
		{"nvme", "an NVMe controller of the simulation; a cancel sends an Abort", drivertest.Options{}, openNVMe("optane", true, nvme.ByAbort)},
		{"nvme,cancel=cancel", "the same; a cancel sends a Cancel command", drivertest.Options{}, openNVMe("tlc-enterprise", true, nvme.ByCancel)},
		{"nvme,callback=off", "the same without the cancel callback", drivertest.Options{}, openNVMe("optane", false, 0)},
		{"delay", "holds requests for a while before another driver (here ram) sees them", drivertest.Options{},
			func(e drivertest.Env) (driver.Driver, error) {
				d, err := openRAM(e)
				if err != nil {
					return nil, err
				}
				return delay.Wrap(d, delay.Options{Delay: delay.Exponential(service), Seed: e.Seed})
			}},
		{"fault", "makes the faults of a plan before another driver (here example): errors, spikes, stalls", drivertest.Options{}, openFault},
		{"trace", "records every call to another driver (here example)", drivertest.Options{},
			func(e drivertest.Env) (driver.Driver, error) {
				d, err := openExample(e)
				if err != nil {
					return nil, err
				}
				rec, err := trace.New(trace.Options{Keep: 64})
				if err != nil {
					return nil, err
				}
				return rec.Wrap(d), nil
			}},
	}
}

// Find finds a driver by its name. "broken:RULE" is one that breaks that rule of
// the contract, to see what it looks like. The error names the nearest.
func Find(name string) (Driver, error) {
	if rule, ok := strings.CutPrefix(name, "broken:"); ok {
		for _, b := range broken.Drivers() {
			if b.Rule == rule {
				return Driver{name, b.Name, drivertest.Options{}, b.Open}, nil
			}
		}
		return Driver{}, fmt.Errorf("no broken driver for rule %q: see blksim check-driver null for the rules", rule)
	}
	var names []string
	for _, d := range Drivers() {
		if d.Name == name {
			return d, nil
		}
		names = append(names, d.Name)
	}
	if near := option.Nearest(name, names); near != "" {
		return Driver{}, fmt.Errorf("no driver %q: did you mean %q?", name, near)
	}
	return Driver{}, fmt.Errorf("no driver %q: want one of %s", name, strings.Join(names, " "))
}

// memory is a ram device whose bytes outlive it.
type memory struct {
	*ram.Disk
	data []byte
}

var _ drivertest.PowerCutter = memory{}

// PowerCut implements [drivertest.PowerCutter]: everything is there at once.
func (m memory) PowerCut() (driver.Driver, error) { return memory{ram.New(m.data), m.data}, nil }

func openRAM(drivertest.Env) (driver.Driver, error) {
	data := make([]byte, small)
	return memory{ram.New(data), data}, nil
}

func openExample(drivertest.Env) (driver.Driver, error) { return example.New(small, service), nil }

// plan is what the catalog's fault driver does: all that a caller can be told of.
const plan = "read-error chance=0.02\nwrite-error chance=0.02\nspike chance=0.05 for=300us\nstall chance=0.01 for=1ms\n"

func openFault(e drivertest.Env) (driver.Driver, error) {
	p, err := faultplan.Parse(plan)
	if err != nil {
		return nil, err
	}
	f, err := fault.New(fault.Options{Plan: p, Seed: e.Seed})
	if err != nil {
		return nil, err
	}
	d, err := openExample(e)
	if err != nil {
		return nil, err
	}
	return f.Wrap(d), nil
}

// without leaves the cancel callback out.
func without(open drivertest.Open) drivertest.Open {
	return func(e drivertest.Env) (driver.Driver, error) {
		d, err := open(e)
		if err != nil {
			return nil, err
		}
		return driver.WithoutCancel(d), nil
	}
}

// openNVMe opens a controller with a profile's medium, and the host driver for it.
func openNVMe(name string, callback bool, by nvme.CancelBy) drivertest.Open {
	return func(e drivertest.Env) (driver.Driver, error) {
		p, err := profile.Load(name)
		if err != nil {
			return nil, err
		}
		last := e.Group.Lanes() - 1
		return nvme.Open(nvme.Options{
			Group: e.Group, Callback: callback, Cancel: by, Queues: 4,
			Connect: func(mem device.Memory, irq device.Interrupter) (device.Registers, error) {
				l := e.Group.Lane(last)
				m, cfg, err := p.Medium(l, sim.NewRand(e.Seed, "device/nvme"), 0)
				if err != nil {
					return nil, err
				}
				cfg.Data = device.Sparse // the profiles are for traces, which have no data
				return device.New(l, mem, irq, m, cfg)
			},
		})
	}
}
