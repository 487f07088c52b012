package figures

import (
	"math"
	"slices"
)

// Spread is the median of some ratios, and their 10th and 90th percentiles. Not a
// mean: one window in which the machine was elsewhere would move it.
func Spread(xs []float64) (median, low, high float64) {
	s := slices.Sorted(slices.Values(xs))
	return Quantile(s, 0.5), Quantile(s, 0.1), Quantile(s, 0.9)
}

// Quantile interpolates between the two nearest of sorted numbers. Of none it is
// not a number.
func Quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i == len(sorted)-1 {
		return sorted[i]
	}
	part := at - float64(i)
	return sorted[i]*(1-part) + sorted[i+1]*part
}
