package stack

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	volume "blksim/blk/stack"
	"blksim/internal/option"
)

// Layout says how several disks make one volume. The zero value is one disk and
// no volume.
type Layout struct {
	Kind  string // linear, stripe or mirror; "": none of them
	Disks int
	Chunk int64 // of a stripe, bytes
}

const (
	// MaxDisks bounds the disks of a volume: each has a controller with a lane.
	MaxDisks = 16

	// defaultChunk is that of mdadm.
	defaultChunk = 512 << 10

	// hedgeUntilSeen is the delay of a hedge at a quantile until enough reads
	// were seen: late for most disks, so that it spends little.
	hedgeUntilSeen = 10 * time.Millisecond
)

// ParseLayout reads linear:N, stripe:N[:CHUNK] or mirror:N; "" and none are the
// zero value.
func ParseLayout(text string) (l Layout, err error) {
	if text == "" || text == "none" {
		return Layout{}, nil
	}
	bad := func(why string, args ...any) (Layout, error) {
		return Layout{}, fmt.Errorf("stack %q: %s: want linear:N, stripe:N[:CHUNK] or mirror:N, such as stripe:3:64KiB", text, fmt.Sprintf(why, args...))
	}
	parts := strings.Split(text, ":")
	l.Kind = parts[0]
	switch l.Kind {
	case "linear", "stripe", "mirror":
	default:
		return bad("no such layout")
	}
	if len(parts) < 2 {
		return bad("no number of disks")
	}
	least := 1
	if l.Kind == "mirror" {
		least = 2 // one leg mirrors nothing
	}
	if l.Disks, err = strconv.Atoi(parts[1]); err != nil || l.Disks < least || l.Disks > MaxDisks {
		return bad("a %s has %d to %d disks, not %q", l.Kind, least, MaxDisks, parts[1])
	}
	if l.Kind == "stripe" {
		l.Chunk = defaultChunk
		if len(parts) == 3 {
			if l.Chunk, err = option.ParseSize(parts[2]); err != nil || l.Chunk == 0 {
				return bad("chunk %q", parts[2])
			}
			parts = parts[:2]
		}
	}
	if len(parts) > 2 {
		return bad("%q too many", strings.Join(parts[2:], ":"))
	}
	return l, nil
}

// String is what ParseLayout reads.
func (l Layout) String() string {
	switch l.Kind {
	case "":
		return ""
	case "stripe":
		return fmt.Sprintf("stripe:%d:%s", l.Disks, option.FormatSize(l.Chunk))
	}
	return fmt.Sprintf("%s:%d", l.Kind, l.Disks)
}

// ParseHedge reads DELAY[:BUDGET%] or pNN[:BUDGET%], such as 500us, p95 or p99.5:2%;
// "" and none are the zero value: no hedging.
func ParseHedge(text string) (h volume.Hedge, err error) {
	if text == "" || text == "none" {
		return volume.Hedge{}, nil
	}
	bad := func(why string) (volume.Hedge, error) {
		return volume.Hedge{}, fmt.Errorf("hedge %q: %s: want DELAY or pNN, and perhaps :BUDGET%%, such as 500us, p95 or p99.5:2%%", text, why)
	}
	when, budget, capped := strings.Cut(text, ":")
	if number, ok := strings.CutPrefix(when, "p"); ok {
		h.Delay = hedgeUntilSeen
		if h.Quantile, ok = thousandths(number); !ok || h.Quantile >= 1000 {
			return bad("a quantile is p0.1 to p99.9, in steps of 0.1")
		}
	} else if h.Delay, err = option.ParseDuration(when); err != nil || h.Delay == 0 {
		return bad("no delay")
	}
	if capped {
		number, ok := strings.CutSuffix(budget, "%")
		if h.Budget, capped = thousandths(number); !ok || !capped {
			return bad("a budget is 0.1% to 100% of the reads, in steps of 0.1")
		}
	}
	return h, nil
}

// thousandths reads a percentage above 0 and up to 100, with one decimal at most.
func thousandths(percent string) (n int, ok bool) {
	v, err := strconv.ParseFloat(percent, 64)
	if err != nil || !(v > 0 && v <= 100) { // NaN fails too
		return 0, false
	}
	n = int(math.Round(v * 10))
	return n, n > 0 && math.Abs(v*10-float64(n)) < 1e-6
}

// FormatHedge writes what ParseHedge reads.
func FormatHedge(h volume.Hedge) string {
	if h.Delay == 0 {
		return ""
	}
	when := option.FormatDuration(h.Delay)
	if h.Quantile > 0 {
		when = fmt.Sprintf("p%g", float64(h.Quantile)/10)
	}
	if h.Budget > 0 {
		when += fmt.Sprintf(":%g%%", float64(h.Budget)/10)
	}
	return when
}
