package option

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

var sizeUnits = []struct {
	letter string
	shift  int
}{{"", 0}, {"k", 10}, {"m", 20}, {"g", 30}, {"t", 40}, {"p", 50}}

// ParseSize reads a number of bytes: 4096, 4k, 4KiB, 16M, 1.5GiB, 2TiB; k, M, G
// and T are powers of 1024, as in fio.
func ParseSize(s string) (int64, error) {
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

// FormatSize writes a number of bytes in the largest unit that divides it.
func FormatSize(n int64) string {
	units := []string{"", "KiB", "MiB", "GiB", "TiB", "PiB"}
	u := 0
	for n != 0 && n%1024 == 0 && u < len(units)-1 {
		n /= 1024
		u++
	}
	return strconv.FormatInt(n, 10) + units[u]
}

// ParseDuration reads a time span with its unit: 10us, 2ms, 1.5s.
func ParseDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("duration %q: want a number with its unit, such as 10us, 2ms, 1.5s", s)
	}
	return d, nil
}

// FormatDuration writes a duration in ASCII: 15us, not with the Greek letter.
func FormatDuration(d time.Duration) string { return strings.Replace(d.String(), "\u00b5s", "us", 1) }
