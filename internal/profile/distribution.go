package profile

import (
	"fmt"
	"strings"

	"blksim/device/nvme/flash"

	"github.com/pelletier/go-toml/v2/unstable"
)

// spreadWants says what distribution reads.
var spreadWants = fmt.Sprintf(`"fixed", "uniform 10%%" or "triangular 10%%" (1%% to %d%% on each side), "lognormal sigma=0.2" (%s to %s) `+
	`or "lognormal p99/p50=1.6" (1.01 to 16), with " median" at the end if the time is the median and not the mean`,
	flash.MaxSpread, millionths(flash.MinSigma), millionths(flash.MaxSigma))

// distribution reads the shape of array times, strictly: words with one space
// between them.
func distribution(s string) (flash.Distribution, error) {
	name, rest, _ := strings.Cut(s, " ")
	switch name {
	case "fixed":
		if name != s {
			return flash.Distribution{}, fmt.Errorf("fixed has nothing after it")
		}
		return flash.Distribution{Shape: flash.Fixed}, nil
	case "uniform", "triangular":
		shape := map[string]flash.Shape{"uniform": flash.Uniform, "triangular": flash.Triangular}[name]
		n, err := quantity(rest, percent)
		if err == nil && (n < 1 || n > flash.MaxSpread) {
			err = errRange
		}
		return flash.Distribution{Shape: shape, Spread: int(n)}, err
	case "lognormal":
		return lognormal(rest)
	}
	return flash.Distribution{}, fmt.Errorf("unknown shape %q", name)
}

// lognormal reads "sigma=0.2" or "p99/p50=1.6", and " median" after it.
func lognormal(s string) (flash.Distribution, error) {
	d := flash.Distribution{Shape: flash.Lognormal}
	s, d.Median = strings.CutSuffix(s, " median")
	key, number, _ := strings.Cut(s, "=")
	switch key {
	case "sigma":
		n, err := scaled(number, 1e6)
		if err == nil && (n < flash.MinSigma || n > flash.MaxSigma) {
			err = errRange
		}
		d.Sigma = int(n)
		return d, err
	case "p99/p50":
		n, err := scaled(number, 1000)
		if err == nil && (n < 1010 || n > 16_000) {
			err = errRange
		}
		if err == nil {
			d.Sigma = flash.SigmaOfTail(int(n))
		}
		return d, err
	}
	return d, fmt.Errorf("unknown %q after lognormal", key)
}

// pageTimes reads a list of times.
func (o *option) pageTimes(v *unstable.Node) (value, error) {
	if v.Kind != unstable.Array {
		return value{}, fmt.Errorf("%s %s is no list", strings.ToLower(v.Kind.String()), v.Data)
	}
	var out value
	n := 0
	for it := v.Children(); it.Next(); n++ {
		e := it.Node()
		if e.Kind == unstable.Comment {
			n--
			continue
		}
		if e.Kind != unstable.String {
			return value{}, fmt.Errorf("%s %s in the list is no string", strings.ToLower(e.Kind.String()), e.Data)
		}
		d, err := quantity(string(e.Data), time_)
		one, err := o.limit(d, string(e.Data), err)
		if err != nil {
			return value{}, err
		}
		if n < flash.MaxPageTypes {
			out.pages[n] = one.duration()
		}
	}
	if n < 2 || n > flash.MaxPageTypes {
		return value{}, fmt.Errorf("the list has %d", n)
	}
	return out, nil
}

// millionths is n/1e6 as a decimal.
func millionths(n int) string {
	return strings.TrimRight(fmt.Sprintf("%d.%06d", n/1_000_000, n%1_000_000), "0")
}
