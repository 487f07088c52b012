package vopr

import (
	"fmt"
	"strconv"
	"strings"

	"blksim/driver/drivertest"
	"blksim/sim"
)

// Knob is one thing that a run has more or less of.
type Knob int

// The knobs. Percentages are of the I/Os.
const (
	Driver     Knob = iota // which, see driverNames
	Callback               // 0: the driver's cancel callback is hidden
	Queues                 // hardware queues
	Submitters             // lanes that submit
	Depth                  // of each hardware queue
	Delay                  // us: mean of a delay before the driver; 0: none
	Errors                 // per mille of the requests that the device fails
	Spikes                 // per mille that take 2 ms longer, or stall all for 1 ms
	Hangs                  // requests that hang until all heals, or the interrupts of which are lost
	Silent                 // writes that are lost: must be found; never drawn, for the tests of the test
	IOs                    // of each submitter
	Window                 // I/Os in flight of each submitter
	Batch                  // I/Os in one submit, at most
	Think                  // us between submits, at most
	Blocks                 // the area that all work on
	Longest                // blocks of an I/O, at most
	Reads                  // percent
	Flushes                // percent
	Discards               // percent, half of them WriteZeroes
	FUA                    // percent of the writes
	Bad                    // percent that no device takes
	Cancels                // percent
	Within                 // us in which a cancel comes
	Again                  // percent of the I/Os that are cancelled when they have ended
	Storms                 // times that everything is cancelled

	// The block layer's.
	Scheduler   // none, deadline, kyber
	NoMerges    // 1: nothing is merged
	Plug        // 1: batches are submitted one by one, behind a plug
	MaxTransfer // blocks a request, at most; 0: what the driver takes
	MaxSegments // buffers a request, at most; 0: what the driver takes
	Boundary    // 2 to the power of this many blocks; 0: none
	MaxDiscard  // blocks a discard or write of zeroes, at most; 0: what the driver takes
	DiscardBy   // what becomes of discards that the driver lacks: refuse, ignore, zero
	Lazy        // 1: what is cancelled is left in the queue
	Reserved    // tags
	Budget      // requests with the driver at most; 0: no other bound
	Timeout     // us; 0: none
	Retries     // after a timeout
	Deadlines   // percent of the I/Os that have a deadline of their own
	Freezes     // times that the disk is frozen or quiesced for a while
	Remove      // 1: the device is removed in the middle

	// Of several disks.
	Stack // one disk, linear, stripe, mirror, mirror with hedged reads
	Legs  // disks of it
	Chunk // 2 to the power of this many blocks, of a stripe
	NumKnobs
)

// knob is a row of the table of knobs.
type knob struct {
	name     string
	simple   int64 // what Shrink tries first; the feature is off
	min, max int64
	off      uint64 // of 100 runs, how many have it at simple
	log      bool   // small values as often as large ones
}

var knobs = [NumKnobs]knob{
	Driver:     {"driver", 0, 0, int64(len(driverNames)) - 1, 0, false},
	Callback:   {"callback", 1, 0, 1, 60, false},
	Queues:     {"queues", 1, 1, 4, 30, false},
	Submitters: {"submitters", 1, 1, 5, 20, false},
	Depth:      {"depth", 32, 1, 32, 20, true},
	Delay:      {"delay", 0, 1, 2000, 60, true},
	Errors:     {"errors", 0, 1, 200, 60, true},
	Spikes:     {"spikes", 0, 1, 100, 60, true},
	Hangs:      {"hangs", 0, 1, 6, 70, false},
	Silent:     {"silent", 0, 0, 100, 100, false},
	IOs:        {"ios", 8, 8, 200, 0, true},
	Window:     {"window", 1, 1, 64, 10, true},
	Batch:      {"batch", 1, 1, 16, 40, true},
	Think:      {"think", 0, 1, 300, 40, true},
	Blocks:     {"blocks", 48, 4, 256, 10, true},
	Longest:    {"longest", 1, 1, 24, 20, true},
	Reads:      {"reads", 50, 0, 100, 20, false},
	Flushes:    {"flushes", 0, 1, 30, 60, true},
	Discards:   {"discards", 0, 1, 40, 60, true},
	FUA:        {"fua", 0, 1, 50, 60, false},
	Bad:        {"bad", 0, 1, 10, 70, false},
	Cancels:    {"cancels", 0, 1, 100, 30, false},
	Within:     {"within", 50, 0, 8000, 10, true},
	Again:      {"again", 0, 1, 50, 50, false},
	Storms:     {"storms", 0, 1, 4, 60, false},

	Scheduler:   {"scheduler", 0, 0, 2, 20, false},
	NoMerges:    {"nomerges", 0, 0, 1, 50, false},
	Plug:        {"plug", 0, 0, 1, 50, false},
	MaxTransfer: {"maxtransfer", 0, 1, 16, 60, false},
	MaxSegments: {"maxsegments", 0, 1, 8, 60, false},
	Boundary:    {"boundary", 0, 1, 4, 70, false},
	MaxDiscard:  {"maxdiscard", 0, 1, 16, 70, false},
	DiscardBy:   {"discardby", 0, 0, 2, 30, false},
	Lazy:        {"lazy", 0, 0, 1, 50, false},
	Reserved:    {"reserved", 0, 1, 3, 70, false},
	Budget:      {"budget", 0, 1, 32, 70, true},
	Timeout:     {"timeout", 0, 100, 20_000, 50, true},
	Retries:     {"retries", 3, 1, 5, 50, false},
	Deadlines:   {"deadlines", 0, 1, 60, 60, false},
	Freezes:     {"freezes", 0, 1, 4, 70, false},
	Remove:      {"remove", 0, 0, 1, 92, false},

	Stack: {"stack", 0, 0, 4, 60, false},
	Legs:  {"legs", 2, 2, 3, 50, false},
	Chunk: {"chunk", 3, 0, 5, 30, false},
}

// Options are a run: a seed, which draws the workload, and what the knobs are set
// to.
type Options struct {
	Seed uint64
	Set  [NumKnobs]int64

	// Open, if set, opens the driver in place of what the knob says.
	Open drivertest.Open
	// History has the run's history kept for its report.
	History bool
}

// Draw makes the options of a seed. Each knob has a stream of its own.
func Draw(seed uint64) Options {
	o := Options{Seed: seed}
	for i := range knobs {
		o.Set[i] = knobs[i].draw(seed)
	}
	return o
}

func (k *knob) draw(seed uint64) int64 {
	r := sim.NewRand(seed, "vopr/"+k.name)
	if r.Bool(k.off, 100) {
		return k.simple
	}
	if !k.log {
		return k.min + r.Int64N(k.max-k.min+1)
	}
	top := k.min
	for top < k.max && r.Bool(4, 5) {
		top = min(2*top+1, k.max)
	}
	return k.min + r.Int64N(top-k.min+1)
}

// String lists what differs from the draw of the seed, as Parse takes it: "" for
// a seed as it is drawn.
func (o Options) String() string {
	drawn := Draw(o.Seed)
	var all []string
	for i, k := range knobs {
		if o.Set[i] != drawn.Set[i] {
			all = append(all, fmt.Sprintf("%s=%s", k.name, o.value(Knob(i))))
		}
	}
	return strings.Join(all, ",")
}

// Describe lists all knobs.
func (o Options) Describe() string {
	var all []string
	for i, k := range knobs {
		all = append(all, fmt.Sprintf("%s=%s", k.name, o.value(Knob(i))))
	}
	return strings.Join(all, " ")
}

func (o Options) value(k Knob) string {
	if k == Driver {
		return strings.ReplaceAll(driverNames[o.Set[k]], ",", "+")
	}
	return strconv.FormatInt(o.Set[k], 10)
}

// Parse sets knobs from text: name=value, separated by commas.
func (o *Options) Parse(s string) error {
	for _, part := range strings.Split(s, ",") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		if err := o.parseOne(name, value); err != nil {
			return err
		}
	}
	return nil
}

func (o *Options) parseOne(name, value string) error {
	for i, k := range knobs {
		if k.name != name {
			continue
		}
		if Knob(i) == Driver {
			for j, d := range driverNames {
				if strings.ReplaceAll(d, ",", "+") == value {
					o.Set[i] = int64(j)
					return nil
				}
			}
			return fmt.Errorf("vopr: driver=%s: want one of %s", value, strings.ReplaceAll(strings.Join(driverNames[:], " "), ",", "+"))
		}
		v, err := strconv.ParseInt(value, 10, 64)
		if err != nil || v < min(k.min, k.simple) || v > k.max {
			return fmt.Errorf("vopr: %s=%s: want %d to %d", name, value, min(k.min, k.simple), k.max)
		}
		o.Set[i] = v
		return nil
	}
	var names []string
	for _, k := range knobs {
		names = append(names, k.name)
	}
	return fmt.Errorf("vopr: no option %q: want one of %s", name, strings.Join(names, ", "))
}
