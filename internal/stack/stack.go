package stack

import (
	"errors"
	"fmt"
	"strings"

	"blksim/aio/lane"
	"blksim/blk"
	volume "blksim/blk/stack"
	"blksim/device/disk"
	"blksim/device/disk/guard"
	"blksim/driver"
	diskdriver "blksim/driver/disk"
	"blksim/driver/null"
	"blksim/driver/ram"
	"blksim/sim"
	"blksim/sim/faultplan"
)

// Spec says what to build.
type Spec struct {
	Device      string // sim[:PROFILE], ram or null; "" with Real
	Real        *Real  // files or block devices, one for each disk; in real time whatever Realtime says. They stay the caller's to close
	Profile     string // PROFILE by another way; a TOML file or a preset
	Driver      string // nvme[,callback=on|off][,cancel=abort|cancel|auto], ram, null; "": the device's own
	Capacity    int64  // of each device, bytes; 0: the device's own
	Queues      int    // at most MaxQueues; 0: 1
	QueueDepth  int    // requests with the driver, of each queue; at most MaxDepth; 0: DeviceDepth, or the driver's, at most DefaultDepth
	DeviceDepth int    // likewise of all queues of a disk together; 0: as QueueDepth says
	Seed        uint64
	Realtime    bool
	Block       blk.Options                  // of the block layer; Queues, Submitters and Depth are set from what stands above
	Faults      *faultplan.Plan              // what goes wrong, from Seed; nil: nothing. Block.Timeout is then at least set, to 30 s
	Observe     func(disk int) QueueObserver // gives who is told what becomes of the queues of a simulated device, for each disk; nil: nobody is
	KeepData    bool                         // a simulated device keeps what is written, whatever its profile says
	Layout      Layout                       // of the volume over several disks that are all as said above
	Hedge       volume.Hedge                 // of a mirror; Delay 0: reads are not hedged
}

const (
	// MaxQueues bounds the hardware queues: each has a lane of its own.
	MaxQueues = 64

	// MaxDepth bounds the depth of a queue; NVMe has no deeper ones.
	MaxDepth = 65536

	// DefaultDepth bounds the depth of a queue where the user asks for none:
	// beyond it a device gains nothing, and what it holds can only be aborted,
	// not skipped.
	DefaultDepth = 128

	// DefaultRAM is the capacity of a ram device where the user asks for none.
	DefaultRAM = 1 << 30

	// MaxRAM bounds that of a ram device, all of which is memory of the process.
	// Go ends a process that asks for more than there is, so the bound is a size
	// that a machine has, and not one that it might have.
	MaxRAM = 16 << 30

	// defaultNull is the capacity of a null device.
	defaultNull = 8 << 40
)

// SpecError is what is wrong with a Spec: a mistake of the user's, and not what
// a device answered.
type SpecError struct{ Err error }

func (e *SpecError) Error() string { return e.Err.Error() }
func (e *SpecError) Unwrap() error { return e.Err }

func specf(format string, args ...any) error {
	return &SpecError{fmt.Errorf(format, args...)}
}

// Validate says what is wrong with the numbers; the names are looked up by Build.
func (s Spec) Validate() error {
	switch {
	case s.Queues < 0 || s.Queues > MaxQueues:
		return specf("%d queues: want 1 to %d", s.Queues, MaxQueues)
	case s.QueueDepth < 0 || s.QueueDepth > MaxDepth:
		return specf("queue depth %d: want 1 to %d", s.QueueDepth, MaxDepth)
	case s.DeviceDepth < 0 || s.DeviceDepth > MaxDepth:
		return specf("device depth %d: want 1 to %d", s.DeviceDepth, MaxDepth)
	case s.Capacity < 0:
		return specf("capacity %d: want more than 0", s.Capacity)
	}
	if s.Real != nil {
		if err := s.validateReal(); err != nil {
			return err
		}
	}
	return s.validateLayout()
}

// Stack is what was built.
type Stack struct {
	Group lane.Group
	Lanes []lane.Lane // of the queues and their submitters
	Disks []*blk.Disk
	Disk  Target // the one disk, or the volume over all

	Device  string // name of the device, with its profile
	Driver  string // name of the driver, with its options
	Data    bool   // what is written can be read back
	volume  *volume.Volume
	devices []simDevice // by disk
	real    []*diskdriver.Disk
	targets []*guard.Target // of real
	engines *disk.Engines   // of real
	faults  []*injected     // by disk; none: there is no plan
}

// Build builds a stack. The error is a *SpecError if a part of the spec is wrong,
// a *profile.Error if the profile's text is, or else what the device answered.
func Build(s Spec) (*Stack, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if s.Queues == 0 {
		s.Queues = 1
	}
	if s.Real != nil {
		st := &Stack{targets: s.Real.Targets, Device: s.Real.name()}
		s.Realtime = true
		return st.start(s, "", "")
	}
	kind, profile, _ := strings.Cut(s.Device, ":")
	if profile == "" {
		profile = s.Profile
	} else if s.Profile != "" {
		return nil, specf("device %q and profile %q: want one profile", s.Device, s.Profile)
	}
	if profile != "" && kind != "sim" {
		return nil, specf("profile %q: device %s has none", profile, kind)
	}
	st := &Stack{Device: kind}
	return st.start(s, kind, profile)
}

// start makes the lanes and opens the disks on them.
func (st *Stack) start(s Spec, kind, profile string) (*Stack, error) {
	lanes := s.Queues
	if s.Real == nil {
		lanes += s.disks() // of the simulated controllers
	}
	if s.Realtime {
		st.Group = lane.NewReal(lanes)
	} else {
		st.Group = sim.NewWorld(s.Seed, lanes)
	}
	for i := range s.Queues {
		st.Lanes = append(st.Lanes, st.Group.Lane(i))
	}
	if err := st.open(s, kind, profile); err != nil {
		err = errors.Join(err, st.closeEngines())
		st.closeLanes()
		return nil, err
	}
	return st, nil
}

// open opens the disks and what stacks them, all or none.
func (st *Stack) open(s Spec, kind, profile string) error {
	for i := range s.disks() {
		if err := st.openDisk(s.disk(i), i, kind, profile); err != nil {
			return errors.Join(err, closeDisks(st.Disks))
		}
	}
	if err := st.stack(s); err != nil {
		return errors.Join(err, closeDisks(st.Disks))
	}
	return nil
}

func (st *Stack) openDisk(s Spec, i int, kind, profile string) error {
	open := func() (driver.Driver, error) { return st.driver(s, i, kind, profile) }
	if s.Real != nil {
		open = func() (driver.Driver, error) { return st.openReal(s, i) }
	}
	drv, err := open()
	if err != nil {
		return err
	}
	lim := drv.Limits()
	if s.Queues > lim.Queues {
		return errors.Join(specf("%d queues: the driver has %d", s.Queues, lim.Queues), drv.Close())
	}
	most := lim.QueueDepth // of a real disk: of the kernel's queue behind all of ours
	if s.Real == nil {
		most *= s.Queues
	}
	if s.DeviceDepth > most {
		return errors.Join(specf("device depth %d: the device takes %d", s.DeviceDepth, most), drv.Close())
	}
	dsk, err := blk.Open(drv, s.blockOptions(st.Lanes, s.depth(lim)))
	if err != nil {
		return errors.Join(err, drv.Close())
	}
	st.Disks = append(st.Disks, dsk)
	return nil
}

// depth is how many requests each queue may have with its driver.
func (s *Spec) depth(lim driver.Limits) int {
	switch {
	case s.QueueDepth > 0:
		return s.QueueDepth
	case s.DeviceDepth > 0:
		return min(s.DeviceDepth, lim.QueueDepth)
	case s.Real != nil:
		// The queues of a real disk end in the one of the kernel: beyond what that
		// holds a submit blocks, and its lane with it.
		return max(1, min(lim.QueueDepth/s.Queues, DefaultDepth))
	}
	return min(lim.QueueDepth, DefaultDepth)
}

func (s *Spec) blockOptions(lanes []lane.Lane, depth int) blk.Options {
	o := s.Block
	o.Queues, o.Submitters, o.Depth, o.Budget = lanes, nil, depth, s.DeviceDepth
	if s.Faults != nil && o.Timeout == 0 {
		o.Timeout = faultTimeout
	}
	return o
}

// driver opens the device of disk i and its driver.
func (st *Stack) driver(s Spec, i int, kind, profile string) (driver.Driver, error) {
	name, opts, _ := strings.Cut(s.Driver, ",")
	own := map[string]string{"sim": "nvme", "ram": "ram", "null": "null"}[kind]
	if own == "" {
		return nil, specf("device %q: want sim[:PROFILE], ram or null, or the path of a file or block device, with a slash (./NAME)", s.Device)
	}
	if name == "" {
		name = own
	}
	if name != own {
		return nil, specf("driver %q: device %s wants driver %s", s.Driver, kind, own)
	}
	st.Driver = name
	if kind == "sim" {
		return st.openSim(s, i, opts, profile)
	}
	if opts != "" {
		return nil, specf("driver %q: %s has no options", s.Driver, name)
	}
	if kind == "ram" {
		d, err := openRAM(s.Capacity, s.disks())
		if err != nil {
			return nil, err
		}
		st.Data = true
		return st.injectDriver(s, d)
	}
	if s.Capacity == 0 {
		s.Capacity = defaultNull
	}
	d, err := null.New(null.Options{Capacity: s.Capacity})
	if err != nil {
		return nil, &SpecError{err}
	}
	return st.injectDriver(s, d)
}

// openRAM opens one of so many RAM disks.
func openRAM(capacity int64, disks int) (driver.Driver, error) {
	if capacity == 0 {
		capacity = DefaultRAM
	}
	if capacity < 512 || capacity > MaxRAM {
		return nil, specf("capacity %d: device ram is memory: want 512 B to %d GiB (%d)", capacity, MaxRAM>>30, int64(MaxRAM))
	}
	if capacity > MaxRAM/int64(disks) {
		return nil, specf("capacity %d: device ram is memory, and %d disks want %d of it each: want %d GiB together at most", capacity, disks, capacity, MaxRAM>>30)
	}
	return ram.New(make([]byte, capacity)), nil
}

// Close closes the disks and ends the lanes. All I/O has ended.
func (st *Stack) Close() error {
	err := errors.Join(st.drain(), closeDisks(st.Disks), st.closeEngines())
	st.closeLanes()
	return err
}

func (st *Stack) closeLanes() {
	if r, ok := st.Group.(*lane.Real); ok {
		r.Close()
	}
}
