package load

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"blksim/internal/option"
)

// Range is sizes from Min to Max, bytes.
type Range struct{ Min, Max int64 }

// Split is sizes with their shares in percent.
type Split []Share

// Share is one size of a Split.
type Share struct {
	Bytes   int64
	Percent uint
}

// Extent is an offset or a size: bytes, or percent of the device.
type Extent struct {
	Bytes   int64
	Percent float64
}

// of is the extent on a device of so many bytes.
func (e Extent) of(capacity int64) int64 {
	if e.Percent > 0 {
		return int64(float64(capacity) / 100 * e.Percent)
	}
	return e.Bytes
}

// Pattern is fio's rw: which operations, in which order of offsets.
type Pattern struct {
	Text   string
	Ops    [3]bool
	Random bool
}

var patterns = map[string]Pattern{
	"read": {Ops: [3]bool{read: true}}, "write": {Ops: [3]bool{write: true}}, "trim": {Ops: [3]bool{trim: true}},
	"randread":  {Ops: [3]bool{read: true}, Random: true},
	"randwrite": {Ops: [3]bool{write: true}, Random: true}, "randtrim": {Ops: [3]bool{trim: true}, Random: true},
	"rw": {Ops: [3]bool{true, true, false}}, "readwrite": {Ops: [3]bool{true, true, false}},
	"randrw": {Ops: [3]bool{true, true, false}, Random: true},
}

func parsePattern(s string) (Pattern, error) {
	p, ok := patterns[s]
	if !ok {
		return p, fmt.Errorf("%q: want read, write, randread, randwrite, rw, randrw, trim or randtrim", s)
	}
	p.Text = s
	return p, nil
}

// perOp reads "A", "A,B" or "A,B,C": for reads, writes and trims; what is not
// given is as what stands before it.
func perOp[T any](s string, parse func(s string) (T, error)) (PerOp[T], error) {
	var v PerOp[T]
	parts := strings.Split(s, ",")
	if len(parts) > len(v) {
		return v, fmt.Errorf("%q: want at most three values: reads,writes,trims", s)
	}
	for i := range v {
		if i >= len(parts) || parts[i] == "" && i > 0 {
			v[i] = v[i-1]
			continue
		}
		one, err := parse(parts[i])
		if err != nil {
			return v, err
		}
		v[i] = one
	}
	return v, nil
}

func writePerOp[T comparable](v PerOp[T], write func(v T) string) string {
	s := write(v[0])
	if v[1] != v[0] || v[2] != v[0] {
		s += "," + write(v[1])
	}
	if v[2] != v[1] {
		s += "," + write(v[2])
	}
	return s
}

func parseRange(s string) (Range, error) {
	low, high, both := strings.Cut(s, "-")
	a, err := option.ParseSize(low)
	if err != nil || !both {
		return Range{a, a}, err
	}
	b, err := option.ParseSize(high)
	if err == nil && b < a {
		err = fmt.Errorf("range %q: want the lesser first", s)
	}
	return Range{a, b}, err
}

func writeRange(r Range) string {
	if r.Min == r.Max {
		return option.FormatSize(r.Min)
	}
	return option.FormatSize(r.Min) + "-" + option.FormatSize(r.Max)
}

// parseSplit reads "4k/60:8k/40"; what has no share gets what is left, evenly.
func parseSplit(s string) (Split, error) {
	var split Split
	left, open := 100, 0
	for _, part := range strings.Split(s, ":") {
		size, share, has := strings.Cut(part, "/")
		n, err := option.ParseSize(size)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, fmt.Errorf("bssplit %q: a size is 0", s)
		}
		p := uint64(0)
		if has && share != "" {
			if p, err = strconv.ParseUint(share, 10, 8); err != nil || p > 100 {
				return nil, fmt.Errorf("bssplit %q: want shares of 0 to 100 percent", s)
			}
			left -= int(p)
		} else {
			open++
			p = openShare
		}
		split = append(split, Share{n, uint(p)})
	}
	for i := range split {
		if split[i].Percent == openShare {
			split[i].Percent = uint(max(left, 0) / open)
			left -= int(split[i].Percent)
			open--
		}
	}
	if left != 0 {
		return nil, fmt.Errorf("bssplit %q: the shares are not 100 percent together", s)
	}
	return split, nil
}

const openShare = 1000 // marks a share that was not given

func writeSplits(v PerOp[Split]) string {
	one := func(s Split) string {
		var parts []string
		for _, share := range s {
			parts = append(parts, fmt.Sprintf("%s/%d", option.FormatSize(share.Bytes), share.Percent))
		}
		return strings.Join(parts, ":")
	}
	a, b, c := one(v[0]), one(v[1]), one(v[2])
	return writePerOp(PerOp[string]{a, b, c}, func(s string) string { return s })
}

// parseExtent reads a size, or a share of the device as "50%".
func parseExtent(s string) (Extent, error) {
	if share, is := strings.CutSuffix(s, "%"); is {
		p, err := strconv.ParseFloat(share, 64)
		if err != nil || !(p > 0 && p <= 100) {
			return Extent{}, fmt.Errorf("%q: want more than 0 and at most 100 percent", s)
		}
		return Extent{Percent: p}, nil
	}
	n, err := option.ParseSize(s)
	return Extent{Bytes: n}, err
}

func writeExtent(e Extent) string {
	if e.Percent > 0 {
		return strconv.FormatFloat(e.Percent, 'g', -1, 64) + "%"
	}
	return option.FormatSize(e.Bytes)
}

// parseCount reads a number with k, M or G, which are powers of 1000 here.
func parseCount(s string) (uint64, error) {
	units := map[byte]uint64{'k': 1e3, 'm': 1e6, 'g': 1e9}
	digits, unit := s, uint64(1)
	if n := len(s); n > 0 {
		if u := units[s[n-1]|0x20]; u > 0 {
			digits, unit = s[:n-1], u
		}
	}
	n, err := strconv.ParseUint(digits, 10, 40)
	if err != nil {
		return 0, fmt.Errorf("%q: want a whole number, with k, M or G for powers of 1000", s)
	}
	return n * unit, nil
}

func writeCount(n uint64) string { return strconv.FormatUint(n, 10) }

// spanIn reads a time: a number without a unit counts in the given one, as in fio.
func spanIn(unit time.Duration) func(s string) (time.Duration, error) {
	return func(s string) (time.Duration, error) {
		if n, err := strconv.ParseFloat(s, 64); err == nil && n >= 0 && n < 1e9 {
			return time.Duration(n * float64(unit)), nil
		}
		if days, is := strings.CutSuffix(s, "d"); is {
			if n, err := strconv.ParseUint(days, 10, 16); err == nil {
				return time.Duration(n) * 24 * time.Hour, nil
			}
		}
		return option.ParseDuration(s)
	}
}

func writeSpan(d time.Duration) string {
	if d == 0 {
		return "0"
	}
	return option.FormatDuration(d)
}

// ParseCancel reads which I/Os are cancelled: none, or random:P[:WITHIN].
func ParseCancel(s string) (Cancel, error) {
	bad := fmt.Errorf("cancel %q: want none or random:P[:WITHIN], such as random:0.1:2ms", s)
	word, rest, _ := strings.Cut(s, ":")
	if s == "none" {
		return Cancel{}, nil
	}
	if word != "random" {
		return Cancel{}, bad
	}
	chance, within, has := strings.Cut(rest, ":")
	p, err := strconv.ParseFloat(chance, 64)
	if err != nil || !(p >= 0 && p <= 1) {
		return Cancel{}, bad
	}
	c := Cancel{int(p*1e6 + 0.5), time.Millisecond}
	if has {
		if c.Within, err = time.ParseDuration(within); err != nil || c.Within <= 0 {
			return Cancel{}, bad
		}
	}
	return c, nil
}

func (c Cancel) String() string {
	if c.Chance == 0 {
		return "none"
	}
	return fmt.Sprintf("random:%g:%s", float64(c.Chance)/1e6, option.FormatDuration(c.Within))
}
