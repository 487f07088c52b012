package vopr

import (
	"fmt"
	"time"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/blk"
	"blksim/blk/sched"
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
	disk  *blk.Disk
	ctx   *aio.Context
	trace *trace.Recorder // nil: no history
	fault *fault.Faults   // nil: none
	lim   driver.Limits
}

// open puts the stack together. events gets all events.
func (o *Options) open(events func(l lane.Lane, evs []aio.Event)) (*stack, error) {
	queues, submitters := int(o.Set[Queues]), int(o.Set[Submitters])
	st := &stack{world: sim.NewWorld(o.Seed, max(queues, submitters)+1)}
	d, err := st.openDriver(o, drivertest.Env{Group: st.world, Seed: o.Seed})
	if err != nil {
		return nil, fmt.Errorf("vopr: open: %w", err)
	}
	if o.History {
		if st.trace, err = trace.New(trace.Options{}); err != nil {
			return nil, err
		}
		d = st.trace.Wrap(d)
	}
	st.lim = d.Limits()
	queues = min(queues, st.lim.Queues)
	var on []lane.Lane
	for i := range queues {
		on = append(on, st.world.Lane(i))
	}
	for i := range submitters {
		st.lanes = append(st.lanes, st.world.Lane(i))
	}
	if st.disk, err = blk.Open(d, o.blockLayer(st.lim, on, st.lanes)); err != nil {
		return nil, fmt.Errorf("vopr: open: %w", err)
	}
	st.ctx, err = aio.New(aio.Options{Capacity: submitters * int(o.Set[Window]), Lanes: st.lanes, OnEvents: events})
	return st, err
}

// blockLayer is what the knobs say to the block layer.
func (o *Options) blockLayer(lim driver.Limits, queues, submitters []lane.Lane) blk.Options {
	block := int64(lim.BlockSize)
	us := func(k Knob) time.Duration { return time.Duration(o.Set[k]) * time.Microsecond }
	b := blk.Options{
		Queues: queues, Submitters: submitters, Depth: int(o.Set[Depth]),
		Scheduler: sched.Config{Name: sched.Names()[o.Set[Scheduler]]}, NoMerges: o.Set[NoMerges] != 0,
		MaxTransfer: o.Set[MaxTransfer] * block, MaxSegments: int(o.Set[MaxSegments]),
		MaxDiscard: o.Set[MaxDiscard] * block, MaxWriteZeroes: o.Set[MaxDiscard] * block,
		Discard: blk.DiscardPolicy(o.Set[DiscardBy]), LazyCancel: o.Set[Lazy] != 0,
		Budget: int(o.Set[Budget]), Timeout: us(Timeout), Retries: int(o.Set[Retries]), Histograms: o.Seed%2 == 0,
	}
	if n := o.Set[Boundary]; n > 0 && (lim.Boundary == 0 || lim.Boundary%(block<<n) == 0) {
		b.Boundary = block << n
	}
	b.ReservedTags = min(int(o.Set[Reserved]), min(b.Depth, lim.QueueDepth)-1)
	return b
}

// openDriver opens the device with its driver, and what wraps that.
func (st *stack) openDriver(o *Options, e drivertest.Env) (driver.Driver, error) {
	d, err := o.openBare(e)
	if err != nil {
		return nil, err
	}
	// A driver that cannot be reset may do a write after its timeout, and then
	// nothing could be said about the data: faults bring a reset along.
	_, resets := d.(driver.Resetter)
	if plan := o.plan(); len(plan.Rules) > 0 || o.Set[Timeout] > 0 && !resets {
		if st.fault, err = fault.New(fault.Options{Plan: plan, Seed: e.Seed}); err != nil {
			return nil, err
		}
		d = st.fault.Wrap(d)
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

// plan is the plan of faults.
func (o *Options) plan() (p faultplan.Plan) {
	add := func(w faultplan.What, mille int64, count uint64, d time.Duration) {
		if mille > 0 {
			p.Rules = append(p.Rules, faultplan.Rule{What: w, Chance: float64(mille) / 1000, Count: count, Until: faultplan.Forever, For: d})
		}
	}
	add(faultplan.ReadError, o.Set[Errors], faultplan.Any, 0)
	add(faultplan.WriteError, o.Set[Errors], faultplan.Any, 0)
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
