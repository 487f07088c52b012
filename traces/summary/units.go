package summary

import (
	"fmt"
	"strconv"
	"strings"
)

// number writes n with commas: 1,234,567.
func number(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// three writes v with about three digits.
func three(v float64) string {
	switch {
	case v >= 1000:
		return number(int64(v + 0.5))
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// size writes bytes in powers of 1024.
func size(n float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	u := 0
	for n >= 1024 && u < len(units)-1 {
		n /= 1024
		u++
	}
	s := three(n)
	return strings.TrimSuffix(strings.TrimSuffix(s, ".00"), ".0") + " " + units[u]
}

// span writes ns in the unit that fits.
func span(ns float64) string {
	switch {
	case ns == 0:
		return "0 s"
	case ns < 1e3:
		return three(ns) + " ns"
	case ns < 1e6:
		return three(ns/1e3) + " us"
	case ns < 1e9:
		return three(ns/1e6) + " ms"
	case ns < 120e9:
		return three(ns/1e9) + " s"
	case ns < 2*3600e9:
		return three(ns/60e9) + " min"
	case ns < 48*3600e9:
		return three(ns/3600e9) + " h"
	}
	return three(ns/(24*3600e9)) + " days"
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

// bars draws values as a line of blocks, as many columns as there are values but
// at most width: neighbours are summed up. The highest is a full block; what is not
// 0 is at least the lowest.
func bars(values []int64, width int) (line string, high int64, per int) {
	per = (len(values) + width - 1) / max(width, 1)
	per = max(per, 1)
	var sums []int64
	for i, v := range values {
		if i%per == 0 {
			sums = append(sums, 0)
		}
		sums[len(sums)-1] += v
	}
	for _, v := range sums {
		high = max(high, v)
	}
	const blocks = " ▁▂▃▄▅▆▇█"
	var sb strings.Builder
	for _, v := range sums {
		k := 0
		if v > 0 {
			k = max(1, int(float64(v)/float64(high)*8+0.5))
		}
		sb.WriteRune([]rune(blocks)[k])
	}
	return sb.String(), high, per
}
