package report

import (
	"fmt"
	"strconv"
	"time"
)

// Count writes n with thousands set apart.
func Count(n int64) string {
	s := strconv.FormatInt(n, 10)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Amount writes a size with three digits and a binary unit.
func Amount(n float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	u := 0
	for n >= 1024 && u < len(units)-1 {
		n /= 1024
		u++
	}
	return digits(n) + " " + units[u]
}

// Nanos writes a time with three digits.
func Nanos(ns int64) string {
	v := float64(ns)
	switch {
	case ns < 0:
		return "-" + Nanos(-ns)
	case ns < 1_000:
		return fmt.Sprintf("%d ns", ns)
	case ns < 1_000_000:
		return digits(v/1e3) + " us"
	case ns < 1_000_000_000:
		return digits(v/1e6) + " ms"
	case ns < 1000*int64(time.Second):
		return digits(v/1e9) + " s"
	}
	return Count(ns/1_000_000_000) + " s"
}

// digits writes v >= 0 with three significant digits and at most two decimals.
func digits(v float64) string {
	switch {
	case v >= 99.95:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case v == float64(int64(v)):
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// Rate writes something a second.
func Rate(v float64) string {
	if v >= 1000 {
		return Count(int64(v + 0.5))
	}
	return digits(v)
}
