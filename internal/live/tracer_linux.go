package live

import (
	"errors"
	"fmt"
	"os"
	"time"

	"blksim/internal/ebpf"
	"blksim/traces"
)

// Tracer is a source of events from the kernel.
type Tracer struct {
	*ebpf.Tracer
	check crossCheck
}

// Open begins to trace. An error that is ebpf.ErrUnavailable says what this machine or
// this user lacks.
func Open(c Config) (*Tracer, error) {
	devices, err := findDevices(c.Devices)
	if err != nil {
		return nil, err
	}
	o := c.options(devices)
	o.RequestsOnly, o.AppIDs = c.Requests, c.AppIDs
	if !c.Own {
		// A view whose output goes to a disk must not see itself write.
		o.SkipPID = uint32(os.Getpid())
	}
	t, err := ebpf.Open(o)
	if err != nil {
		return nil, err
	}
	return &Tracer{t, newCrossCheck(&c, devices, t.Counts, true)}, nil
}

// Now is the time on the events' clock.
func (t *Tracer) Now() int64 { return ebpf.Now() }

// CrossCheck is the completions that it saw, and those in the devices' own counters.
func (t *Tracer) CrossCheck() (seen, device int64, ok bool) { return t.check.result() }

// Stop has it see no more I/Os begin.
func (t *Tracer) Stop(grace time.Duration) error {
	t.check.end()
	return t.Tracer.Stop(grace)
}

// Histograms is a source of distributions from the kernel: a tracer for all that is
// looked at, or for each device.
type Histograms struct {
	tracers []*ebpf.Tracer
	names   []string // of the devices; "": all
	check   crossCheck
}

// OpenHistograms begins to count. Its errors are Open's.
func OpenHistograms(c Config) (_ *Histograms, err error) {
	devices, err := findDevices(c.Devices)
	if err != nil {
		return nil, err
	}
	if c.PerDevice && len(devices) == 0 {
		return nil, errors.New("live: each device by itself: want the devices by name")
	}
	h := &Histograms{}
	defer func() {
		if err != nil {
			h.Close()
		}
	}()
	groups, names := [][]ebpf.Device{devices}, []string{""}
	if c.PerDevice {
		groups, names = nil, nil
		for i := range devices {
			groups, names = append(groups, devices[i:i+1]), append(names, devices[i].Name)
		}
	}
	for i, g := range groups {
		o := c.options(g)
		o.Mode, o.QueueTime = ebpf.Histogram, c.Queue
		t, err := ebpf.Open(o)
		if err != nil {
			return nil, err
		}
		h.tracers, h.names = append(h.tracers, t), append(h.names, names[i])
	}
	h.check = newCrossCheck(&c, devices, h.Counts, c.Queue)
	return h, nil
}

// Distributions are those since the start: of each op by stage, and where the parts are
// known, the whole first.
func (h *Histograms) Distributions() ([]Distribution, error) {
	var all []Distribution
	for i, t := range h.tracers {
		hists, err := t.Histograms()
		if err != nil {
			return nil, err
		}
		for op := range hists[0] {
			for _, stage := range []ebpf.Stage{ebpf.TotalStage, ebpf.QueueStage, ebpf.DeviceStage} {
				if one := &hists[stage][op]; one.Count() > 0 {
					all = append(all, Distribution{Device: h.names[i], Op: traces.Op(op), Stage: stage.String(), Hist: one})
				}
			}
		}
	}
	return all, nil
}

// Now is the time on the kernel's clock.
func (h *Histograms) Now() int64 { return ebpf.Now() }

// Counts are those of all devices.
func (h *Histograms) Counts() (sum ebpf.Counts, err error) {
	for _, t := range h.tracers {
		c, err := t.Counts()
		if err != nil {
			return sum, err
		}
		addCounts(&sum, &c)
	}
	return sum, nil
}

// CrossCheck is the completions that it saw, and those in the devices' own counters.
func (h *Histograms) CrossCheck() (seen, device int64, ok bool) { return h.check.result() }

// Stop has all see no more I/Os begin.
func (h *Histograms) Stop(grace time.Duration) (err error) {
	h.check.end()
	for _, t := range h.tracers {
		err = errors.Join(err, t.Stop(grace))
	}
	return err
}

// Close ends it.
func (h *Histograms) Close() (err error) {
	for _, t := range h.tracers {
		err = errors.Join(err, t.Close())
	}
	return err
}

var (
	_ Source          = (*Tracer)(nil)
	_ HistogramSource = (*Histograms)(nil)
)

func findDevices(names []string) ([]ebpf.Device, error) {
	var all []ebpf.Device
	for _, name := range names {
		d, err := ebpf.FindDevice(name)
		if err != nil {
			return nil, fmt.Errorf("live: %w", err)
		}
		all = append(all, d)
	}
	return all, nil
}

// crossCheck sets what tracers saw beside the kernel's own statistics of the same
// disks, both from when it began until end.
type crossCheck struct {
	disks  []string // empty: nothing to compare
	counts func() (ebpf.Counts, error)
	// bios is whether bios are followed, merged ones and pieces of split ones too, which
	// both sides count the same. Without, it is requests: one that flushes behind its data,
	// as to a device without FUA, is then seen to complete once more than it is counted.
	bios bool
	from pair
	to   pair
}

// pair is the two counts at one moment.
type pair struct {
	seen, stat int64
	ok         bool
}

// newCrossCheck begins to count. Filters that statistics do not have leave nothing to
// compare, as do drivers without requests.
func newCrossCheck(c *Config, devices []ebpf.Device, counts func() (ebpf.Counts, error), bios bool) crossCheck {
	x := crossCheck{counts: counts, bios: bios}
	if len(c.Ops) > 0 || len(c.PIDs) > 0 {
		return x
	}
	for _, d := range devices {
		if d.TakesBios || d.Partition() {
			return x
		}
		x.disks = append(x.disks, d.Name)
	}
	x.from = x.now()
	return x
}

// now reads both, always in the same order. They are of one moment if nothing completed
// in between, for which it tries a few times.
func (x *crossCheck) now() (p pair) {
	last := int64(-1)
	for range 10 {
		p = pair{ok: len(x.disks) > 0}
		for _, d := range x.disks {
			s, err := ebpf.ReadStat(d)
			p.ok = p.ok && err == nil
			if x.bios {
				p.stat += int64(s.Completed())
			} else {
				p.stat += int64(s.Reads + s.Writes + s.Discards + s.Flushes)
			}
		}
		c, err := x.counts()
		p.seen, p.ok = int64(c.Requests), p.ok && err == nil
		if x.bios {
			p.seen = int64(c.Pieces + c.Unmatched)
		}
		if !p.ok || p.seen == last {
			break
		}
		last = p.seen
	}
	return p
}

// end takes the counts at the end.
func (x *crossCheck) end() { x.to = x.now() }

func (x *crossCheck) result() (seen, device int64, ok bool) {
	return x.to.seen - x.from.seen, x.to.stat - x.from.stat, x.from.ok && x.to.ok
}
