package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ParsePercentiles reads a list of percentiles as fio has it, "50:99:99.99", as
// millionths of the whole.
func ParsePercentiles(s string) ([]int, error) {
	var list []int
	for _, part := range strings.Split(s, ":") {
		p, err := strconv.ParseFloat(part, 64)
		if err != nil || !(p > 0 && p <= 100) {
			return nil, fmt.Errorf("percentile %q: want more than 0, up to 100", part)
		}
		list = append(list, int(math.Round(p*1e4)))
	}
	return list, nil
}

// FormatPercentiles writes what ParsePercentiles reads.
func FormatPercentiles(list []int) string {
	var parts []string
	for _, p := range list {
		parts = append(parts, strconv.FormatFloat(float64(p)/1e4, 'f', -1, 64))
	}
	return strings.Join(parts, ":")
}

// At is the latency at a percentile, in millionths, by nearest rank.
func (d *Distribution) At(perMillion int) int64 {
	rank := max((d.Count*int64(perMillion)+999_999)/1_000_000, 1)
	seen := int64(0)
	for _, b := range d.Bins {
		if seen += b.Count; seen >= rank {
			return min(max(b.Middle(), d.Min), d.Max)
		}
	}
	return d.Max
}
