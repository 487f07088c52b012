package workload

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/pelletier/go-toml/v2"

	"blksim/traces"
)

// Schema names the form of the file.
const Schema = "blksim.workload/v1"

// Patterns of addresses.
const (
	Uniform = "uniform"
	Zipf    = "zipf"
	Hot     = "hot"
)

// Processes of arrivals.
const (
	Poisson = "poisson"
	Steady  = "steady"
)

// Profile describes a load. Shares are from 0 to 1, sizes bytes, rates records a
// second. The zero value is not valid: see Default.
type Profile struct {
	Schema    string    `toml:"schema"`
	Source    string    `toml:"source,omitempty" comment:"the trace that this was fitted to"`
	Duration  Duration  `toml:"duration"`
	Records   int64     `toml:"records,omitempty" comment:"at the most; 0: no limit"`
	Arrivals  Arrivals  `toml:"arrivals"`
	Addresses Addresses `toml:"addresses"`
	Ops       Ops       `toml:"ops"`
	Sizes     Sizes     `toml:"sizes"`
	Cancel    Cancel    `toml:"cancel,omitempty"`
}

// Arrivals is when records come.
type Arrivals struct {
	Process     string   `toml:"process" comment:"poisson, or steady: evenly spaced"`
	Rate        float64  `toml:"rate" comment:"a second, between bursts"`
	BurstEvery  Duration `toml:"burst_every,omitempty" comment:"mean distance of bursts; absent: none"`
	BurstLength Duration `toml:"burst_length,omitempty"`
	BurstRate   float64  `toml:"burst_rate,omitempty"`
}

// Addresses is where they go.
type Addresses struct {
	Capacity   int64   `toml:"capacity" comment:"bytes"`
	Align      int64   `toml:"align" comment:"of offsets and sizes, bytes"`
	Sequential float64 `toml:"sequential" comment:"share that begins where the one before it ended"`
	Pattern    string  `toml:"pattern" comment:"of the others: uniform, zipf over regions, or hot"`
	Regions    int     `toml:"regions,omitempty" comment:"zipf: equal parts of the capacity"`
	Touched    int     `toml:"touched,omitempty" comment:"zipf: how many of them are used; 0: all"`
	Skew       float64 `toml:"skew,omitempty" comment:"zipf: the k-th is 1/k^skew as likely as the first"`
	HotShare   float64 `toml:"hot_share,omitempty" comment:"hot: this share goes to"`
	HotSpace   float64 `toml:"hot_space,omitempty" comment:"hot: this part of the capacity"`
}

// Ops is the mix; the rest are writes.
type Ops struct {
	Read    float64 `toml:"read"`
	Flush   float64 `toml:"flush,omitempty"`
	Discard float64 `toml:"discard,omitempty"`
}

// Sizes are how often sizes come.
type Sizes struct {
	Read  []Size `toml:"read" comment:"sizes and their shares"`
	Write []Size `toml:"write,omitempty" comment:"absent: as those of reads"`
}

// Size is a size and its share against the others.
type Size struct {
	Bytes int64   `toml:"bytes"`
	Share float64 `toml:"share"`
}

// Cancel is how many reads and writes are to be cancelled, and when after their time.
type Cancel struct {
	Share float64  `toml:"share,omitempty"`
	Min   Duration `toml:"min,omitempty"`
	Max   Duration `toml:"max,omitempty"`
}

// Duration is a time.Duration that files write as text: "1m30s".
type Duration time.Duration

// MarshalText writes it.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads it.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("duration %q: want a number with its unit, such as 10us, 2ms, 1m30s", b)
	}
	*d = Duration(v)
	return nil
}

// Default is 10 s of random reads and writes of 4 KiB at 1,000 a second.
func Default() Profile {
	return Profile{Schema: Schema, Duration: Duration(10 * time.Second),
		Arrivals:  Arrivals{Process: Poisson, Rate: 1000},
		Addresses: Addresses{Capacity: 64 << 30, Align: 4096, Pattern: Uniform},
		Ops:       Ops{Read: 0.7},
		Sizes:     Sizes{Read: []Size{{4096, 1}}},
	}
}

// Parse reads a profile; name stands for it in errors, which name the line.
func Parse(b []byte, name string) (Profile, error) {
	var p Profile
	d := toml.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return p, tomlError(name, err)
	}
	if p.Schema != Schema {
		return p, fmt.Errorf("%s: schema %q: want %q", name, p.Schema, Schema)
	}
	if err := p.Validate(); err != nil {
		return p, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

func tomlError(name string, err error) error {
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) && len(strict.Errors) > 0 {
		row, _ := strict.Errors[0].Position()
		return fmt.Errorf("%s:%d: no such key: %v", name, row, strict.Errors[0].Key())
	}
	var at *toml.DecodeError
	if errors.As(err, &at) {
		row, _ := at.Position()
		return fmt.Errorf("%s:%d: %w", name, row, err)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// Write writes the profile, with a line on each key that needs one.
func (p Profile) Write(w io.Writer) error {
	return toml.NewEncoder(w).Encode(p)
}

// Validate says what is wrong with p, if anything.
func (p Profile) Validate() error {
	_, err := p.Options()
	return err
}

// Options are what traces.Generate makes the trace from.
func (p Profile) Options() (traces.GenOptions, error) {
	a, ad := &p.Arrivals, &p.Addresses
	o := traces.GenOptions{Duration: time.Duration(p.Duration), Records: p.Records,
		BurstEvery: time.Duration(a.BurstEvery), BurstLength: time.Duration(a.BurstLength),
		Capacity: ad.Capacity, Align: ad.Align,
		CancelMin: time.Duration(p.Cancel.Min), CancelMax: time.Duration(p.Cancel.Max)}
	if p.Duration == 0 && p.Records > 0 {
		o.Duration = math.MaxInt64 / 4 // Records ends it
	}
	var bad error
	note := func(err error) {
		if bad == nil {
			bad = err
		}
	}
	share := func(name string, v float64) int {
		if !(v >= 0 && v <= 1) {
			note(fmt.Errorf("%s %g: want a share from 0 to 1", name, v))
			return 0
		}
		return int(v*1000 + 0.5)
	}
	gap := func(name string, rate float64) time.Duration {
		if !(rate >= 1e-6 && rate <= 1e9) {
			note(fmt.Errorf("%s %g: want 1e-6 to 1e9 a second", name, rate))
			return time.Second
		}
		return max(1, time.Duration(1e9/rate+0.5))
	}
	switch a.Process {
	case Poisson:
	case Steady:
		o.Steady = true
	default:
		note(fmt.Errorf("arrivals.process %q: want poisson or steady", a.Process))
	}
	o.Gap = gap("arrivals.rate", a.Rate)
	if a.BurstEvery != 0 {
		o.BurstGap = gap("arrivals.burst_rate", a.BurstRate)
	}
	o.Sequential = share("addresses.sequential", ad.Sequential)
	switch ad.Pattern {
	case Uniform:
	case Zipf:
		if o.Regions, o.Touched = ad.Regions, ad.Touched; o.Regions == 0 {
			o.Regions = int(min(4096, max(1, ad.Capacity/max(ad.Align, 1))))
		}
		if o.Skew = int(ad.Skew*1000 + 0.5); !(ad.Skew >= 0 && ad.Skew <= 8) {
			note(fmt.Errorf("addresses.skew %g: want 0 to 8", ad.Skew))
		}
	case Hot:
		o.HotShare, o.HotSpace = share("addresses.hot_share", ad.HotShare), share("addresses.hot_space", ad.HotSpace)
		if o.HotShare == 0 {
			note(fmt.Errorf("addresses.hot_share %g: want more than 0", ad.HotShare))
		}
	default:
		note(fmt.Errorf("addresses.pattern %q: want uniform, zipf or hot", ad.Pattern))
	}
	o.Reads, o.Flushes, o.Discards = share("ops.read", p.Ops.Read), share("ops.flush", p.Ops.Flush), share("ops.discard", p.Ops.Discard)
	if over := o.Reads + o.Flushes + o.Discards - 1000; over > 0 && over < 3 { // of rounding
		o.Reads -= min(over, o.Reads)
	}
	o.Cancelled = share("cancel.share", p.Cancel.Share)
	o.Sizes, o.WriteSizes = weights(p.Sizes.Read), weights(p.Sizes.Write)
	if len(o.Sizes) == 0 {
		o.Sizes = o.WriteSizes
	}
	if bad == nil {
		bad = o.Validate()
	}
	return o, bad
}

// weights are shares in millionths, as whole numbers.
func weights(sizes []Size) (out []traces.SizeWeight) {
	for _, s := range sizes {
		out = append(out, traces.SizeWeight{Bytes: s.Bytes, Weight: int64(math.Min(math.Max(s.Share, 0), 1000)*1e6 + 0.5)})
	}
	return out
}
