package vopr

import (
	"fmt"
	"time"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/blk"
	"blksim/blk/sched"
	volume "blksim/blk/stack"
	"blksim/driver"
	"blksim/driver/delay"
	"blksim/driver/drivertest"
	"blksim/driver/drivertest/broken"
	"blksim/driver/fault"
	"blksim/driver/trace"
	"blksim/internal/catalog"
	"blksim/sim"
	"blksim/sim/faultplan"
)

// driverNames are what the knob Driver draws from. cached is a device in memory
// with a volatile cache, Busy, batches and an abort that takes its time; stored is
// the same without the cache.
var driverNames = [...]string{"ram", "example", "stored", "cached", "nvme", "nvme,cancel=cancel"}

// stack is what a run is about.
type stack struct {
	world *sim.World
	lanes []lane.Lane // that submit
	disks []*blk.Disk
	on    aio.Target // the one disk, or the volume over all
	ctx   *aio.Context
	lim   driver.Limits     // of it
	trace []*trace.Recorder // by disk, with history
	fault []*fault.Faults   // of the disks that have any
}

// The values of the knob Stack.
const (
	single int64 = iota
	linear
	stripe
	mirror
	hedged
)

// open puts the stack together. events gets all events.
func (o *Options) open(events func(l lane.Lane, evs []aio.Event)) (*stack, error) {
	queues, submitters := int(o.Set[Queues]), int(o.Set[Submitters])
	st := &stack{world: sim.NewWorld(o.Seed, max(queues, submitters)+1)}
	for i := range submitters {
		st.lanes = append(st.lanes, st.world.Lane(i))
	}
	legs := 1
	if o.Set[Stack] != single {
		legs = int(o.Set[Legs])
	}
	for i := range legs {
		if err := st.openDisk(o, i, queues); err != nil {
			return nil, fmt.Errorf("vopr: open: %w", err)
		}
	}
	if err := st.stack(o); err != nil {
		return nil, fmt.Errorf("vopr: open: %w", err)
	}
	var err error
	st.ctx, err = aio.New(aio.Options{Capacity: submitters * int(o.Set[Window]), Lanes: st.lanes, OnEvents: events})
	return st, err
}

// openDisk opens disk i with its driver.
func (st *stack) openDisk(o *Options, i, queues int) error {
	d, err := st.openDriver(o, i, drivertest.Env{Group: st.world, Seed: o.Seed + uint64(i)<<32})
	if err != nil {
		return err
	}
	if o.History {
		rec, err := trace.New(trace.Options{})
		if err != nil {
			return err
		}
		st.trace = append(st.trace, rec)
		d = rec.Wrap(d)
	}
	lim := d.Limits()
	var on []lane.Lane
	for q := range min(queues, lim.Queues) {
		on = append(on, st.world.Lane(q))
	}
	disk, err := blk.Open(d, o.blockLayer(lim, on, st.lanes))
	st.disks = append(st.disks, disk)
	return err
}

// stack makes one target of the disks.
func (st *stack) stack(o *Options) (err error) {
	st.on, st.lim = st.disks[0], st.disks[0].Limits()
	var v *volume.Volume
	all := volume.Options{Lanes: st.lanes, InFlight: 64} // few, so that some have to wait
	switch o.Set[Stack] {
	case single:
		return nil
	case linear:
		v, err = volume.Linear(st.disks, all)
	case stripe:
		v, err = volume.Stripe(st.disks, int64(st.lim.BlockSize)<<o.Set[Chunk], all)
	case mirror:
		v, err = volume.Mirror(st.disks, nil, all)
	case hedged:
		v, err = volume.Mirror(st.disks, &volume.Hedge{Delay: 200 * time.Microsecond}, all)
	}
	if err == nil {
		st.on, st.lim = v, v.Limits()
	}
	return err
}

// timeout is what the block layer waits for a request. Not under a mirror: a write
// that timed out on both legs may be on one, and then what is read depends on the
// leg.
func (o *Options) timeout() time.Duration {
	if o.Set[Stack] >= mirror {
		return 0
	}
	return time.Duration(o.Set[Timeout]) * time.Microsecond
}

// blockLayer is what the knobs say to the block layer.
func (o *Options) blockLayer(lim driver.Limits, queues, submitters []lane.Lane) blk.Options {
	block := int64(lim.BlockSize)
	b := blk.Options{
		Queues: queues, Submitters: submitters, Depth: int(o.Set[Depth]),
		Scheduler: sched.Config{Name: sched.Names()[o.Set[Scheduler]]}, NoMerges: o.Set[NoMerges] != 0,
		MaxTransfer: o.Set[MaxTransfer] * block, MaxSegments: int(o.Set[MaxSegments]),
		MaxDiscard: o.Set[MaxDiscard] * block, MaxWriteZeroes: o.Set[MaxDiscard] * block,
		Discard: blk.DiscardPolicy(o.Set[DiscardBy]), LazyCancel: o.Set[Lazy] != 0,
		Budget: int(o.Set[Budget]), Timeout: o.timeout(), Retries: int(o.Set[Retries]), Histograms: o.Seed%2 == 0,
	}
	if n := o.Set[Boundary]; n > 0 && (lim.Boundary == 0 || lim.Boundary%(block<<n) == 0) {
		b.Boundary = block << n
	}
	b.ReservedTags = min(int(o.Set[Reserved]), min(b.Depth, lim.QueueDepth)-1)
	return b
}

// openDriver opens the device with its driver, and what wraps that.
func (st *stack) openDriver(o *Options, i int, e drivertest.Env) (driver.Driver, error) {
	d, err := o.openBare(e)
	if err != nil {
		return nil, err
	}
	// A driver that cannot be reset may do a write after its timeout, and then
	// nothing could be said about the data: faults bring a reset along.
	_, resets := d.(driver.Resetter)
	if plan := o.plan(i); len(plan.Rules) > 0 || o.timeout() > 0 && !resets {
		f, err := fault.New(fault.Options{Plan: plan, Seed: e.Seed})
		if err != nil {
			return nil, err
		}
		st.fault = append(st.fault, f)
		d = f.Wrap(d)
	}
	if us := o.Set[Delay]; us > 0 {
		mean := time.Duration(us) * time.Microsecond
		d, err = delay.Wrap(d, delay.Options{Seed: e.Seed, Delay: delay.Mixture(
			delay.Part{Weight: 1, Of: delay.Fixed(0)}, delay.Part{Weight: 8, Of: delay.Exponential(mean)},
			delay.Part{Weight: 1, Of: delay.Fixed(20 * mean)})})
		if err != nil {
			return nil, err
		}
	}
	if o.Set[Callback] == 0 {
		d = driver.WithoutCancel(d)
	}
	return d, nil
}

// plan is the plan of faults of disk i. Of a mirror only the first leg fails: a leg
// that fails a write is out, and one must stay.
func (o *Options) plan(i int) (p faultplan.Plan) {
	add := func(w faultplan.What, mille int64, count uint64, d time.Duration) {
		if mille > 0 {
			p.Rules = append(p.Rules, faultplan.Rule{What: w, Chance: float64(mille) / 1000, Count: count, Until: faultplan.Forever, For: d})
		}
	}
	if o.Set[Stack] < mirror || i == 0 {
		add(faultplan.ReadError, o.Set[Errors], faultplan.Any, 0)
		add(faultplan.WriteError, o.Set[Errors], faultplan.Any, 0)
	}
	add(faultplan.Spike, o.Set[Spikes], faultplan.Any, 2*time.Millisecond)
	add(faultplan.Stall, o.Set[Spikes]/8, faultplan.Any, time.Millisecond)
	if n := o.Set[Hangs]; n > 0 {
		add(faultplan.Hang, 50, uint64(n), 0)
		add(faultplan.LostInterrupt, 50, uint64(n), 0)
	}
	add(faultplan.LostWrite, o.Set[Silent], faultplan.Any, 0)
	return p
}

func (o *Options) openBare(e drivertest.Env) (driver.Driver, error) {
	if o.Open != nil {
		return o.Open(e)
	}
	switch name := driverNames[o.Set[Driver]]; name {
	case "stored", "cached":
		return broken.NewGood(e.Seed, name == "cached"), nil
	default:
		d, err := catalog.Find(name)
		if err != nil {
			return nil, err
		}
		return d.Open(e)
	}
}
