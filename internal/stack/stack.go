package stack

import (
	"errors"
	"fmt"
	"strings"

	"blksim/aio/lane"
	"blksim/blk"
	"blksim/driver"
	"blksim/driver/null"
	"blksim/driver/ram"
	"blksim/sim"
)

// Spec says what to build.
type Spec struct {
	Device     string // sim[:PROFILE], ram or null
	Profile    string // PROFILE by another way; a TOML file or a preset
	Driver     string // nvme[,callback=on|off], ram, null; "": the device's own
	Capacity   int64  // bytes; 0: the device's own
	Queues     int    // 0: 1
	QueueDepth int    // 0: the driver's, at most DefaultDepth
	Seed       uint64
	Realtime   bool
}

// DefaultDepth bounds the depth of a queue where the user asks for none: beyond
// it a device gains nothing, and what it holds can only be aborted, not skipped.
const DefaultDepth = 128

// DefaultRAM is the capacity of a ram device where the user asks for none.
const DefaultRAM = 1 << 30

// defaultNull is that of a null device.
const defaultNull = 8 << 40

// Stack is what was built.
type Stack struct {
	Group lane.Group
	Lanes []lane.Lane // of the queues and their submitters
	Disk  *blk.Disk

	Device string // name of the device, with its profile
	Driver string // name of the driver, with its options
	dev    *simDevice
}

// Build builds a stack. The error says which part of the spec is wrong, or what
// the device answered.
func Build(s Spec) (*Stack, error) {
	if s.Queues == 0 {
		s.Queues = 1
	}
	if s.Queues < 1 || s.Queues > 64 {
		return nil, fmt.Errorf("%d queues: want 1 to 64", s.Queues)
	}
	kind, profile, _ := strings.Cut(s.Device, ":")
	if profile == "" {
		profile = s.Profile
	} else if s.Profile != "" {
		return nil, fmt.Errorf("device %q and profile %q: want one profile", s.Device, s.Profile)
	}
	if profile != "" && kind != "sim" {
		return nil, fmt.Errorf("profile %q: device %s has none", profile, kind)
	}
	st := &Stack{Device: kind}
	if s.Realtime {
		st.Group = lane.NewReal(s.Queues + 1)
	} else {
		st.Group = sim.NewWorld(s.Seed, s.Queues+1)
	}
	for i := range s.Queues {
		st.Lanes = append(st.Lanes, st.Group.Lane(i))
	}
	if err := st.open(s, kind, profile); err != nil {
		st.closeLanes()
		return nil, err
	}
	return st, nil
}

func (st *Stack) open(s Spec, kind, profile string) error {
	drv, err := st.driver(s, kind, profile)
	if err != nil {
		return err
	}
	depth := s.QueueDepth
	if depth == 0 {
		depth = min(drv.Limits().QueueDepth, DefaultDepth)
	}
	st.Disk, err = blk.Open(drv, blk.Options{Queues: st.Lanes, Depth: depth})
	if err != nil {
		return errors.Join(err, drv.Close())
	}
	return nil
}

// driver opens the device and its driver.
func (st *Stack) driver(s Spec, kind, profile string) (driver.Driver, error) {
	name, opts, _ := strings.Cut(s.Driver, ",")
	own := map[string]string{"sim": "nvme", "ram": "ram", "null": "null"}[kind]
	if own == "" {
		return nil, fmt.Errorf("device %q: want sim[:PROFILE], ram or null", s.Device)
	}
	if name == "" {
		name = own
	}
	if name != own {
		return nil, fmt.Errorf("driver %q: device %s wants driver %s", s.Driver, kind, own)
	}
	st.Driver = name
	if kind == "sim" {
		return st.openSim(s, opts, profile)
	}
	if opts != "" {
		return nil, fmt.Errorf("driver %q: %s has no options", s.Driver, name)
	}
	if kind == "ram" {
		if s.Capacity == 0 {
			s.Capacity = DefaultRAM
		}
		return ram.New(make([]byte, s.Capacity)), nil
	}
	if s.Capacity == 0 {
		s.Capacity = defaultNull
	}
	return null.New(null.Options{Capacity: s.Capacity})
}

// parseCallback reads the options of driver nvme.
func parseCallback(opts string) (bool, error) {
	switch opts {
	case "", "callback=on":
		return true, nil
	case "callback=off":
		return false, nil
	}
	return false, fmt.Errorf("driver nvme: option %q: want callback=on or callback=off", opts)
}

// Close closes the disk and ends the lanes. All I/O has ended.
func (st *Stack) Close() error {
	err := st.Disk.Close()
	st.closeLanes()
	return err
}

func (st *Stack) closeLanes() {
	if r, ok := st.Group.(*lane.Real); ok {
		r.Close()
	}
}
