package stack

import (
	"blksim/blk"
	device "blksim/device/nvme"
	"blksim/driver/nvme"
)

// Counts are the counters of the stack's layers, each by itself.
type Counts struct {
	Block  blk.Stats
	Driver *nvme.Stats   // nil: the driver does not count
	Device *device.Stats // nil: the device does not count
	Faults []Rule        // of the fault plan
}

// Leave takes the place of Close where I/Os are stuck in the device: the lanes run
// on, and Counts may be read as of now. In real time only.
func (st *Stack) Leave() error {
	for i := range st.Group.Lanes() {
		if err := st.Group.Do(i, func(done func()) { done() }); err != nil {
			return err
		}
	}
	return nil
}

// Counts reads the counters. They belong to their lanes: call it after Close.
func (st *Stack) Counts() Counts {
	c := Counts{Block: st.Disk.Stats()}
	if st.dev != nil {
		drv, dev := st.dev.drv.Stats(), st.dev.ctrl.Stats()
		c.Driver, c.Device = &drv, &dev
	}
	if st.faults != nil {
		c.Faults = st.faults.rules()
	}
	return c
}
