package profile

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// unitNames are the units that a quantity may have, as multiples of its base.
// Decimal and binary prefixes are both there, since drives are sold in one and
// built in the other.
var unitNames = map[unit][]struct {
	name string
	mult int64
}{
	size:    {{"B", 1}, {"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}},
	rate:    {{"B/s", 1}, {"kB/s", 1e3}, {"KB/s", 1e3}, {"MB/s", 1e6}, {"GB/s", 1e9}, {"KiB/s", 1 << 10}, {"MiB/s", 1 << 20}, {"GiB/s", 1 << 30}},
	time_:   {{"ns", 1}, {"us", 1e3}, {"µs", 1e3}, {"ms", 1e6}, {"s", 1e9}},
	percent: {{"%", 1}},
}

var (
	errNoUnit   = errors.New("no unit")
	errNumber   = errors.New("not a number")
	errFraction = errors.New("not a whole number of the smallest unit")
	errTooLarge = errors.New("too large")
	errRange    = errors.New("out of range")
)

// quantity reads a decimal number and a unit, without a space or with one. It
// computes with integers: what is not exact is an error.
func quantity(s string, u unit) (int64, error) {
	i := strings.LastIndexAny(s, "0123456789.") + 1
	number, name := s[:i], strings.TrimSpace(s[i:])
	if name == "" {
		return 0, errNoUnit
	}
	mult := int64(0)
	for _, n := range unitNames[u] {
		if n.name == name {
			mult = n.mult
		}
	}
	if mult == 0 {
		return 0, fmt.Errorf("unknown unit %q", name)
	}
	return scaled(number, mult)
}

// scaled is a decimal number times mult, which must be whole.
func scaled(number string, mult int64) (int64, error) {
	whole, frac, _ := strings.Cut(number, ".")
	if strings.Trim(whole+frac, "0123456789") != "" || whole == "" || len(whole)+len(frac) > 18 || strings.HasSuffix(number, ".") {
		return 0, errNumber
	}
	n, err := strconv.ParseUint(whole+frac, 10, 64)
	if err != nil {
		return 0, errNumber
	}
	hi, lo := bits.Mul64(n, uint64(mult))
	div := uint64(1)
	for range frac {
		div *= 10
	}
	if hi >= div {
		return 0, errTooLarge
	}
	q, rem := bits.Div64(hi, lo, div)
	switch {
	case q > math.MaxInt64:
		return 0, errTooLarge
	case rem != 0:
		return 0, errFraction
	}
	return int64(q), nil
}

// integer reads a TOML integer.
func integer(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 0, 64)
	if err != nil {
		return 0, errNumber
	}
	return n, nil
}

// bytesText is n bytes with the largest binary unit that is exact.
func bytesText(n int64) string {
	for _, u := range []struct {
		name string
		mult int64
	}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if n >= u.mult && n%u.mult == 0 {
			return strconv.FormatInt(n/u.mult, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10) + "B"
}
