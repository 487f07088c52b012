package delay

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"blksim/sim"
)

// A Distribution draws delays. It has no state: queues share it.
type Distribution interface {
	// Draw draws one, 0 or more.
	Draw(r *sim.Rand) time.Duration

	// String is the text that Parse reads back.
	String() string
}

type fixed struct{ d time.Duration }

// Fixed is always d.
func Fixed(d time.Duration) Distribution { return fixed{max(d, 0)} }

func (f fixed) Draw(*sim.Rand) time.Duration { return f.d }
func (f fixed) String() string               { return "fixed:" + f.d.String() }

type uniform struct{ low, high time.Duration }

// Uniform is anything from low to high, both included.
func Uniform(low, high time.Duration) Distribution {
	return uniform{max(low, 0), max(low, high, 0)}
}

func (u uniform) Draw(r *sim.Rand) time.Duration { return r.Duration(u.low, u.high+1) }
func (u uniform) String() string                 { return fmt.Sprintf("uniform:%v-%v", u.low, u.high) }

type exponential struct{ mean time.Duration }

// Exponential has the given mean, and the memory of none: the service time of
// queueing theory.
func Exponential(mean time.Duration) Distribution { return exponential{max(mean, 0)} }

func (e exponential) Draw(r *sim.Rand) time.Duration { return r.Exp(e.mean) }
func (e exponential) String() string                 { return "exp:" + e.mean.String() }

// Part is a share of a mixture.
type Part struct {
	Weight uint64 // at least 1; relative to the sum of all
	Of     Distribution
}

type mixture []Part

// Mixture draws from one of its parts, each as often as its weight says: a fast
// device with a slow tail, for one.
func Mixture(parts ...Part) Distribution { return mixture(parts) }

func (m mixture) Draw(r *sim.Rand) time.Duration {
	total := uint64(0)
	for _, p := range m {
		total += p.Weight
	}
	if total == 0 {
		return 0
	}
	at := r.Uint64N(total)
	for _, p := range m {
		if at < p.Weight {
			return p.Of.Draw(r)
		}
		at -= p.Weight
	}
	return 0
}

func (m mixture) String() string {
	var parts []string
	for _, p := range m {
		parts = append(parts, fmt.Sprintf("%d*%v", p.Weight, p.Of))
	}
	return strings.Join(parts, " ")
}

// MaxDelay bounds what Parse accepts.
const MaxDelay = time.Hour

// Parse reads a distribution: fixed:D, uniform:LOW-HIGH, exp:MEAN, or a mixture
// of those, each with its weight: "99*exp:80us 1*fixed:10ms". Durations are
// Go's. The error names the part that is wrong.
func Parse(s string) (Distribution, error) {
	fields := strings.Fields(s)
	if len(fields) == 1 && !strings.Contains(s, "*") {
		return parseOne(fields[0])
	}
	var m mixture
	for _, f := range fields {
		weight, of, ok := strings.Cut(f, "*")
		w, err := strconv.ParseUint(weight, 10, 32)
		if !ok || err != nil || w == 0 {
			return nil, fmt.Errorf("delay: %q: want a weight and a distribution, such as 99*exp:80us", f)
		}
		d, err := parseOne(of)
		if err != nil {
			return nil, err
		}
		m = append(m, Part{w, d})
	}
	if len(m) == 0 {
		return nil, fmt.Errorf("delay: %q: want a distribution, such as exp:100us", s)
	}
	return m, nil
}

func parseOne(s string) (Distribution, error) {
	kind, rest, _ := strings.Cut(s, ":")
	switch kind {
	case "fixed", "exp":
		d, err := parseDelay(s, rest)
		if err != nil {
			return nil, err
		}
		if kind == "exp" {
			return Exponential(d), nil
		}
		return Fixed(d), nil
	case "uniform":
		a, b, _ := strings.Cut(rest, "-")
		low, err := parseDelay(s, a)
		if err != nil {
			return nil, err
		}
		high, err := parseDelay(s, b)
		if err != nil {
			return nil, err
		}
		if high < low {
			return nil, fmt.Errorf("delay: %q: %v is less than %v", s, high, low)
		}
		return Uniform(low, high), nil
	}
	return nil, fmt.Errorf("delay: %q: want fixed:D, uniform:LOW-HIGH or exp:MEAN", s)
}

func parseDelay(whole, s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d > MaxDelay {
		return 0, fmt.Errorf("delay: %q: duration %q: want 0s to %v, such as 100us", whole, s, MaxDelay)
	}
	return d, nil
}
