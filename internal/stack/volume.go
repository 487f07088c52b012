package stack

import (
	"errors"
	"fmt"
	"math"
	"time"

	"blksim/aio"
	"blksim/blk"
	volume "blksim/blk/stack"
	"blksim/driver"
	"blksim/sim"
)

// Target is what I/O goes to: a disk, or a volume.
type Target interface {
	aio.Target
	Limits() driver.Limits
	Check(op aio.Op, off, length int64) aio.Status
}

// disks says how many to open.
func (s *Spec) disks() int { return max(s.Layout.Disks, 1) }

// disk is the spec of disk i. Those of a volume differ in their seeds: two legs of
// a mirror are not slow at the same moments.
func (s *Spec) disk(i int) Spec {
	d := *s
	if s.Layout.Kind != "" {
		d.Seed = sim.NewRand(s.Seed, fmt.Sprintf("stack/disk/%d", i)).Uint64()
	}
	return d
}

// validateLayout checks what can be checked before there is a disk.
func (s *Spec) validateLayout() error {
	n := int64(s.disks())
	switch {
	case s.Hedge.Delay != 0 && s.Layout.Kind != "mirror":
		return specf("hedge %s: only a mirror has a second leg to ask: want stack=mirror:N", FormatHedge(s.Hedge))
	case s.Layout.Disks < 0 || s.Layout.Disks > MaxDisks:
		return specf("stack of %d disks: want 1 to %d", s.Layout.Disks, MaxDisks)
	case s.Capacity > math.MaxInt64/n:
		return specf("capacity %d: too much for each of %d disks", s.Capacity, n)
	}
	return nil
}

// stack makes the target of the disks.
func (st *Stack) stack(s Spec) (err error) {
	o := volume.Options{Lanes: st.Lanes}
	switch s.Layout.Kind {
	case "":
		st.Disk = st.Disks[0]
		return nil
	case "linear":
		st.volume, err = volume.Linear(st.Disks, o)
	case "stripe":
		st.volume, err = volume.Stripe(st.Disks, s.Layout.Chunk, o)
	case "mirror":
		var h *volume.Hedge
		if s.Hedge.Delay != 0 {
			h = &s.Hedge
		}
		st.volume, err = volume.Mirror(st.Disks, h, o)
	default:
		return specf("stack %q: want linear, stripe or mirror", s.Layout.Kind)
	}
	if err != nil {
		return &SpecError{err}
	}
	st.Disk = st.volume
	return nil
}

// drainTimeout is how long Close waits for reads that lost to a hedge and were not
// cancelled in time, on the lanes' clock.
const drainTimeout = 10 * time.Second

// drain waits until the volume has nothing with its disks any more: a hedged read
// completes with its first answer, and the other may come much later.
func (st *Stack) drain() error {
	if st.volume == nil {
		return nil
	}
	var errs []error
	for i, l := range st.Lanes {
		late := false
		err := st.Group.Do(i, func(done func()) {
			limit := l.NewTimer(func() { late = true; done() })
			limit.Arm(drainTimeout)
			st.volume.WhenIdle(l, func() { limit.Stop(); done() })
		})
		if err == nil && late {
			err = fmt.Errorf("stack: queue %d: a read that lost to a hedge did not end within %v", i, drainTimeout)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// closeDisks closes those that are open.
func closeDisks(disks []*blk.Disk) error {
	var errs []error
	for _, d := range disks {
		errs = append(errs, d.Close())
	}
	return errors.Join(errs...)
}
