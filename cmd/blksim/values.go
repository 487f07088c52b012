package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// The kinds of values that options take. Each reads what it writes.

// sizeValue is a number of bytes: 4096, 4k, 4KiB, 16M, 1.5GiB, 2TiB; k, M, G and T are
// powers of 1024, as in fio.
type sizeValue int64

func (v *sizeValue) Set(s string) error {
	n, err := parseSize(s)
	*v = sizeValue(n)
	return err
}
func (v *sizeValue) Type() string   { return "size" }
func (v *sizeValue) String() string { return formatSize(int64(*v)) }

var sizeUnits = []struct {
	letter string
	shift  int
}{{"", 0}, {"k", 10}, {"m", 20}, {"g", 30}, {"t", 40}, {"p", 50}}

func parseSize(s string) (int64, error) {
	bad := fmt.Errorf("size %q: want a number of bytes, with k, M, G, T or KiB, MiB, GiB, TiB (powers of 1024)", s)
	low := strings.ToLower(strings.TrimSpace(s))
	low = strings.TrimSuffix(strings.TrimSuffix(low, "b"), "i")
	digits := strings.TrimRight(low, "kmgtp")
	for _, u := range sizeUnits {
		if low[len(digits):] != u.letter {
			continue
		}
		f, err := strconv.ParseFloat(digits, 64)
		if err != nil || !(f >= 0) || strings.ContainsAny(digits, "xeinp") {
			return 0, bad
		}
		if f *= float64(int64(1) << u.shift); f >= math.MaxInt64 || f != math.Trunc(f) {
			return 0, bad
		}
		return int64(f), nil
	}
	return 0, bad
}

func formatSize(n int64) string {
	units := []string{"", "KiB", "MiB", "GiB", "TiB", "PiB"}
	u := 0
	for n != 0 && n%1024 == 0 && u < len(units)-1 {
		n /= 1024
		u++
	}
	return strconv.FormatInt(n, 10) + units[u]
}

// enumValue is one of a few words.
type enumValue struct {
	value string
	among []string
}

func (v *enumValue) Set(s string) error {
	for _, w := range v.among {
		if s == w {
			v.value = s
			return nil
		}
	}
	return fmt.Errorf("want %s", strings.Join(v.among, ", "))
}
func (v *enumValue) Type() string   { return strings.Join(v.among, "|") }
func (v *enumValue) String() string { return v.value }

// durationValue is a time span with its unit: 10us, 2ms, 1.5s.
type durationValue time.Duration

func (v *durationValue) Set(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return fmt.Errorf("duration %q: want a number with its unit, such as 10us, 2ms, 1.5s", s)
	}
	*v = durationValue(d)
	return nil
}
func (v *durationValue) Type() string { return "duration" }
func (v *durationValue) String() string {
	if *v == 0 {
		return ""
	}
	return formatDuration(time.Duration(*v))
}

// formatDuration writes a duration in ASCII: 15us, not with the Greek letter.
func formatDuration(d time.Duration) string { return strings.Replace(d.String(), "\u00b5s", "us", 1) }

// driversValue is a list of driver specs; each use of the flag adds one, since
// a spec may hold commas.
type driversValue []string

func (v *driversValue) Set(s string) error { *v = append(*v, s); return nil }
func (v *driversValue) Type() string       { return "driver" }
func (v *driversValue) String() string     { return strings.Join(*v, " ") }

var (
	_ pflag.Value = (*sizeValue)(nil)
	_ pflag.Value = (*enumValue)(nil)
	_ pflag.Value = (*durationValue)(nil)
	_ pflag.Value = (*driversValue)(nil)
)
