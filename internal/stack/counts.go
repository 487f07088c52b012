package stack

import (
	"time"

	"blksim/blk"
	volume "blksim/blk/stack"
	device "blksim/device/nvme"
	"blksim/driver/nvme"
)

// Counts are the counters of the stack's layers, each by itself.
type Counts struct {
	Volume  *volume.Stats  // nil: one disk
	Block   blk.Stats      // of all disks together
	Drivers []nvme.Stats   // by disk; none: the drivers do not count
	Devices []device.Stats // by disk; none: the devices do not count
	Faults  []Rule         // of the fault plan, all disks together
	Real    []RealDisk     // by disk; none: they are simulated
}

// leaveMost is how long Leave waits for the lanes, which may be in system calls that
// do not return.
const leaveMost = 150 * time.Millisecond

// Leave takes the place of Close where I/Os are stuck in the device: the lanes run
// on, and Counts may be read as of now. In real time only.
func (st *Stack) Leave() error {
	answers := make(chan error, st.Group.Lanes())
	for i := range st.Group.Lanes() {
		go func() { answers <- st.Group.Do(i, func(done func()) { done() }) }()
	}
	late := time.After(leaveMost)
	for range st.Group.Lanes() {
		select {
		case err := <-answers:
			if err != nil {
				return err
			}
		case <-late:
			return nil // its counts are as it left them
		}
	}
	return nil
}

// Counts reads the counters. They belong to their lanes: call it after Close.
func (st *Stack) Counts() Counts {
	var c Counts
	if st.volume != nil {
		v := st.volume.Stats()
		c.Volume = &v
	}
	for _, d := range st.Disks {
		s := d.Stats()
		c.Block.Add(&s)
	}
	for _, d := range st.devices {
		c.Drivers, c.Devices = append(c.Drivers, d.drv.Stats()), append(c.Devices, d.ctrl.Stats())
	}
	c.Real = st.RealDisks()
	for i, in := range st.faults {
		for j, r := range in.rules() {
			if i == 0 {
				c.Faults = append(c.Faults, r)
			} else {
				c.Faults[j].Hits += r.Hits
			}
		}
	}
	return c
}
