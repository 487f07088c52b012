package summary

import (
	"math"
	"time"
)

// bursts counts records in windows of doubling length, all at once: for each scale
// the sum and the sum of squares of the counts, empty windows included. The last
// window is not over when the trace is, and counts for the peak alone: as a whole
// window it would make every trace look as if it stopped in mid burst.
type bursts struct {
	scales []scale
	first  int64
	last   int64
	n      int64
	gapSum float64
	gapSqr float64
}

type scale struct {
	window int64
	index  int64 // of the window being counted
	count  int64 // in it
	sum    int64 // of the windows that have ended
	sqr    float64
	peak   int64
}

const (
	shortestWindow = 10 * time.Millisecond
	scaleCount     = 24 // up to 23 hours
)

func newBursts() *bursts {
	b := &bursts{}
	for k := range scaleCount {
		b.scales = append(b.scales, scale{window: int64(shortestWindow) << k})
	}
	return b
}

func (b *bursts) add(t int64) {
	if b.n == 0 {
		b.first, b.last = t, t
	} else {
		gap := float64(max(t-b.last, 0))
		b.gapSum += gap
		b.gapSqr += gap * gap
	}
	b.n++
	b.last = max(b.last, t)
	// Only the shortest windows count records; a longer one takes the counts of the
	// shorter ones that it is made of, when they end.
	s := &b.scales[0]
	if k := max(t-b.first, 0) / s.window; k > s.index {
		b.shift(0, k)
	}
	s.count++
}

// shift ends the window of scale i, whose next record is in window k, and hands its
// count on to the scale above.
func (b *bursts) shift(i int, k int64) {
	s := &b.scales[i]
	n := s.count
	s.sum += n
	s.sqr += float64(n) * float64(n)
	s.peak = max(s.peak, n)
	s.count = 0
	was := s.index
	s.index = k
	if i+1 == len(b.scales) {
		return
	}
	up := &b.scales[i+1]
	up.count += n
	if k/2 > was/2 {
		b.shift(i+1, k/2)
	}
}

// arrivals is the result.
func (b *bursts) arrivals() Arrivals {
	a := Arrivals{Scales: []Scale{}}
	if b.n < 2 {
		return a
	}
	gaps := float64(b.n - 1)
	a.MeanGapNs = b.gapSum / gaps
	if a.MeanGapNs > 0 {
		a.GapCV = math.Sqrt(max(b.gapSqr/gaps-a.MeanGapNs*a.MeanGapNs, 0)) / a.MeanGapNs
	}
	var xs, ys []float64
	pending := int64(0) // in the last window
	for i := range b.scales {
		s := &b.scales[i]
		pending += s.count
		windows := s.index
		if windows < shownWindows {
			break
		}
		mean := float64(s.sum) / float64(windows)
		variance := max(s.sqr/float64(windows)-mean*mean, 0)
		peak := float64(max(s.peak, pending))
		a.Scales = append(a.Scales, Scale{WindowNs: s.window, Windows: windows,
			PeakIOPS: peak / time.Duration(s.window).Seconds(), PeakMean: peak / mean, Dispersion: variance / mean})
		if windows >= leastWindows && variance > 0 {
			xs = append(xs, math.Log(float64(s.window)))
			ys = append(ys, math.Log(variance/float64(s.window)/float64(s.window)))
		}
	}
	if len(xs) >= leastScales {
		a.Hurst = min(max(1+slope(xs, ys)/2, 0), 1)
	}
	return a
}

// The Hurst exponent is estimated from scales with enough windows to have a
// variance, and from enough of them to have a slope.
const (
	leastWindows = 32
	leastScales  = 4
	shownWindows = 4 // of a scale that is listed
)

// slope is that of the line of least squares.
func slope(xs, ys []float64) float64 {
	n := float64(len(xs))
	var sx, sy, sxx, sxy float64
	for i, x := range xs {
		sx += x
		sy += ys[i]
		sxx += x * x
		sxy += x * ys[i]
	}
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}

// timeline counts in steps that double when there would be too many of them.
type timeline struct {
	step   int64
	first  int64
	begun  bool
	reads  []int64
	writes []int64
	bytes  []int64
}

const (
	timelineSteps = 512
	shortestStep  = time.Millisecond
)

func (l *timeline) add(t int64, write bool, bytes int64) {
	if !l.begun {
		l.begun, l.first, l.step = true, t, int64(shortestStep)
	}
	at := max(t-l.first, 0)
	for at/l.step >= timelineSteps {
		l.double()
	}
	i := int(at / l.step)
	for len(l.reads) <= i {
		l.reads, l.writes, l.bytes = append(l.reads, 0), append(l.writes, 0), append(l.bytes, 0)
	}
	if write {
		l.writes[i]++
	} else {
		l.reads[i]++
	}
	l.bytes[i] += bytes
}

func (l *timeline) double() {
	l.step *= 2
	for _, list := range []*[]int64{&l.reads, &l.writes, &l.bytes} {
		old := *list
		for i := range old {
			if i%2 == 0 {
				old[i/2] = old[i]
			} else {
				old[i/2] += old[i]
			}
		}
		*list = old[:(len(old)+1)/2]
	}
}
