package report

import (
	"errors"
	"fmt"

	"blksim/internal/record"
)

// lists are the columns of counts of a series, which add up.
func (s *Series) lists() []*[]int64 {
	return []*[]int64{&s.Reads, &s.Writes, &s.Others, &s.ReadBytes, &s.WriteBytes, &s.Skipped, &s.Aborted, &s.TooLate, &s.Failed}
}

// means are the columns of means over an interval.
func (s *Series) means() []*[]float64 { return []*[]float64{&s.InFlight, &s.InDevice, &s.Busy} }

// check says what cannot be of a series that was read.
func (s *Series) check() error {
	n := len(s.Heat)
	if s.IntervalNs <= 0 || n > record.MaxIntervals {
		return fmt.Errorf("series: %d intervals of %d ns: want at most %d, longer than 0", n, s.IntervalNs, record.MaxIntervals)
	}
	for _, l := range append(s.lists(), &s.P50, &s.P99, &s.Max) {
		if len(*l) != n {
			return fmt.Errorf("series: a list has %d entries: want %d", len(*l), n)
		}
	}
	for _, l := range s.means() {
		if len(*l) != n {
			return fmt.Errorf("series: a list has %d entries: want %d", len(*l), n)
		}
	}
	for _, heat := range s.Heat {
		if len(heat)%2 != 0 {
			return errors.New("series: heat: want pairs of band and count")
		}
		for i := 0; i < len(heat); i += 2 {
			if heat[i] < 0 || heat[i] >= int64(len(s.HeatFromNs)) || heat[i] >= record.Bands || heat[i+1] < 0 {
				return fmt.Errorf("series: heat: %d in band %d: want bands up to %d", heat[i+1], heat[i], len(s.HeatFromNs)-1)
			}
		}
	}
	return nil
}

// Merge adds o, of a run side by side with that of s. Each may change its width:
// the wider one decides. It fails if no width fits both.
func (s *Series) Merge(o *Series) error {
	for s.IntervalNs < o.IntervalNs {
		s.double()
	}
	for o.IntervalNs < s.IntervalNs {
		o.double()
	}
	if s.IntervalNs != o.IntervalNs {
		return fmt.Errorf("series: intervals of %d and of %d ns: neither is made of the other's", s.IntervalNs, o.IntervalNs)
	}
	n := max(len(s.Heat), len(o.Heat))
	s.grow(n)
	o.grow(n)
	theirs := o.lists()
	for i, l := range s.lists() {
		for k := range *l {
			(*l)[k] += (*theirs[i])[k]
		}
	}
	for k := range n {
		s.InFlight[k] += o.InFlight[k]
		s.InDevice[k] += o.InDevice[k]
		s.Busy[k] = max(s.Busy[k], o.Busy[k]) // of two devices: the busier
		s.Max[k] = max(s.Max[k], o.Max[k])
		s.Heat[k] = addHeat(s.Heat[k], o.Heat[k])
	}
	if len(o.HeatFromNs) > len(s.HeatFromNs) {
		s.HeatFromNs = o.HeatFromNs
	}
	s.percentiles()
	return nil
}

// double makes one interval of each two.
func (s *Series) double() {
	n := (len(s.Heat) + 1) / 2
	s.grow(2 * n)
	for _, l := range s.lists() {
		for k := range n {
			(*l)[k] = (*l)[2*k] + (*l)[2*k+1]
		}
		*l = (*l)[:n]
	}
	for _, l := range s.means() {
		for k := range n {
			(*l)[k] = ((*l)[2*k] + (*l)[2*k+1]) / 2
		}
		*l = (*l)[:n]
	}
	for k := range n {
		s.Max[k] = max(s.Max[2*k], s.Max[2*k+1])
		s.Heat[k] = addHeat(s.Heat[2*k], s.Heat[2*k+1])
	}
	s.Max, s.Heat, s.P50, s.P99 = s.Max[:n], s.Heat[:n], s.P50[:n], s.P99[:n]
	s.IntervalNs *= 2
	s.percentiles()
}

// grow makes it n intervals long.
func (s *Series) grow(n int) {
	for _, l := range append(s.lists(), &s.P50, &s.P99, &s.Max) {
		*l = append(*l, make([]int64, n-len(*l))...)
	}
	for _, l := range s.means() {
		*l = append(*l, make([]float64, n-len(*l))...)
	}
	for len(s.Heat) < n {
		s.Heat = append(s.Heat, []int64{})
	}
}

// addHeat adds two lists of band and count, in the order of the bands.
func addHeat(a, b []int64) []int64 {
	out := []int64{}
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0] < b[0]:
			out, a = append(out, a[0], a[1]), a[2:]
		case len(a) == 0 || b[0] < a[0]:
			out, b = append(out, b[0], b[1]), b[2:]
		default:
			out, a, b = append(out, a[0], a[1]+b[1]), a[2:], b[2:]
		}
	}
	return out
}

// percentiles makes P50 and P99 again from the heat.
func (s *Series) percentiles() {
	for k, heat := range s.Heat {
		v := record.Interval{MaxNs: s.Max[k]}
		for i := 0; i < len(heat); i += 2 {
			v.Heat[heat[i]] = uint32(heat[i+1])
		}
		s.P50[k], s.P99[k] = v.Percentile(50), v.Percentile(99)
	}
}
