package convert

import (
	"fmt"
	"math"
	"slices"
	"time"

	"blksim/traces"
)

// Config says what stays of a trace, and how it changes. The zero value changes
// nothing.
type Config struct {
	From, To time.Duration // keep the times from From on and below To; To 0: no end
	Volumes  []string      // keep these; none: all
	Ops      []traces.Op   // keep these; none: all
	// Low and High keep what touches the bytes from Low on and below High; High 0: no
	// end. Under either, flushes are left out: they have no place.
	Low, High int64

	// Then the times are moved by TimeShift and multiplied by TimeScale, the offsets
	// moved by OffsetShift bytes and multiplied by OffsetScale, rounded down to whole
	// Align. A scale of 0 is 1, an Align of 0 is 512.
	TimeShift   time.Duration
	TimeScale   float64
	OffsetShift int64
	OffsetScale float64
	Align       int64

	// Limit ends the trace after so many records; 0: no limit.
	Limit int64
}

// maxScale bounds the scales, either way.
const maxScale = 1e9

// Validate says what is wrong with c, if anything.
func (c Config) Validate() error {
	scale := func(f float64) bool { return f == 0 || f >= 1/maxScale && f <= maxScale }
	switch {
	case c.From < 0 || c.To < 0 || c.To > 0 && c.To <= c.From:
		return fmt.Errorf("convert: from %v to %v: want a range of time", c.From, c.To)
	case c.Low < 0 || c.High < 0 || c.High > 0 && c.High <= c.Low:
		return fmt.Errorf("convert: bytes %d to %d: want a range of the device", c.Low, c.High)
	case !scale(c.TimeScale) || !scale(c.OffsetScale):
		return fmt.Errorf("convert: time scale %g, offset scale %g: want 1e-9 to 1e9", c.TimeScale, c.OffsetScale)
	case c.Align < 0 || c.Limit < 0:
		return fmt.Errorf("convert: align %d, limit %d: want 0 or more", c.Align, c.Limit)
	}
	return nil
}

// Why records were left out.
const (
	beforeFrom = iota
	behindTo
	otherVolume
	otherOp
	elsewhere
	outOfRange
	overLimit
	reasons
)

var reasonNames = [reasons]string{"before the time range", "behind the time range", "other volume", "other op",
	"outside of the address range", "moved out of what a record can hold", "over the limit"}

// Converter applies a Config.
type Converter struct {
	c      Config
	ops    [traces.NumOps]bool
	volume []bool // by index: kept
	kept   int64
	out    [reasons]int64
}

// New returns a converter. It panics if c is not valid.
func New(c Config) *Converter {
	if err := c.Validate(); err != nil {
		panic(err.Error())
	}
	if c.TimeScale == 0 {
		c.TimeScale = 1
	}
	if c.OffsetScale == 0 {
		c.OffsetScale = 1
	}
	if c.Align == 0 {
		c.Align = 512
	}
	v := &Converter{c: c}
	for i := range v.ops {
		v.ops[i] = len(c.Ops) == 0 || slices.Contains(c.Ops, traces.Op(i))
	}
	return v
}

// Apply moves the records that stay to the front of recs, changed, and returns them.
// names are what their indexes stand for.
func (v *Converter) Apply(recs []traces.Record, names traces.Names) []traces.Record {
	for len(v.volume) < len(names.Volumes) {
		name := names.Volumes[len(v.volume)]
		v.volume = append(v.volume, len(v.c.Volumes) == 0 || slices.Contains(v.c.Volumes, name))
	}
	n := 0
	for i := range recs {
		r := recs[i]
		if why, ok := v.one(&r); !ok {
			v.out[why]++
			continue
		}
		recs[n] = r
		n++
		v.kept++
	}
	return recs[:n]
}

// one changes r, or says why it is left out.
func (v *Converter) one(r *traces.Record) (why int, ok bool) {
	c := &v.c
	switch {
	case r.Time < int64(c.From):
		return beforeFrom, false
	case c.To > 0 && r.Time >= int64(c.To):
		return behindTo, false
	case int(r.Volume) < len(v.volume) && !v.volume[r.Volume]:
		return otherVolume, false
	case !v.ops[r.Op]:
		return otherOp, false
	case (c.Low > 0 || c.High > 0) && (r.Length == 0 || r.Offset+r.Length <= c.Low || c.High > 0 && r.Offset >= c.High):
		return elsewhere, false
	case c.Limit > 0 && v.kept >= c.Limit:
		return overLimit, false
	}
	t, ok1 := moved(r.Time, int64(c.TimeShift), c.TimeScale)
	if r.Length > 0 && (c.OffsetShift != 0 || c.OffsetScale != 1) {
		at, ok2 := moved(r.Offset, c.OffsetShift, c.OffsetScale)
		if c.OffsetScale != 1 {
			at -= at % c.Align
		}
		if !ok2 || at > math.MaxInt64-r.Length {
			return outOfRange, false
		}
		r.Offset = at
	}
	if !ok1 {
		return outOfRange, false
	}
	r.Time = t
	return 0, true
}

// moved is (n + shift) * scale, if it is a number from 0 on that fits.
func moved(n, shift int64, scale float64) (int64, bool) {
	sum := n + shift
	if shift > 0 && sum < n || sum < 0 {
		return 0, false
	}
	if scale == 1 {
		return sum, true
	}
	f := float64(sum) * scale
	if !(f < math.MaxInt64) {
		return 0, false
	}
	return int64(f), true
}

// Done says that no later record can stay: the limit is reached.
func (v *Converter) Done() bool {
	return v.c.Limit > 0 && v.kept >= v.c.Limit
}

// Kept is how many records stayed.
func (v *Converter) Kept() int64 { return v.kept }

// Left is how many were left out, by why.
func (v *Converter) Left() []traces.SkipCount {
	var out []traces.SkipCount
	for why, n := range v.out {
		if n > 0 {
			out = append(out, traces.SkipCount{Reason: reasonNames[why], Count: n})
		}
	}
	return out
}
