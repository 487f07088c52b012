package blk

import (
	"time"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/internal/hist"
)

// Stages is where the time of the I/Os went that the driver had, in nanoseconds.
type Stages struct {
	Queue  [aio.NumOps]hist.Histogram // submitted to its hardware queue: plug and way
	Wait   [aio.NumOps]hist.Histogram // there, until the driver got the first of it
	Device [aio.NumOps]hist.Histogram // from then until all of it was back

}

// dispatched is called when the driver has the first piece of b.
func (t *Stages) dispatched(b *bio, now lane.Time) {
	t.Queue[b.op].Add(int64(max(b.arrived.Sub(b.submitted), 0)))
	t.Wait[b.op].Add(int64(max(now.Sub(b.arrived), 0)))
	b.arrived = now // from here on: when the driver got it
}

// returned is called when all of b is back.
func (t *Stages) returned(b *bio, now lane.Time) {
	t.Device[b.op].Add(int64(max(now.Sub(b.arrived), 0)))
}

func (t *Stages) merge(o *Stages) {
	for op := range t.Queue {
		t.Queue[op].Merge(&o.Queue[op])
		t.Wait[op].Merge(&o.Wait[op])
		t.Device[op].Merge(&o.Device[op])
	}
}

// A Point is a stretch of time with how many requests the driver had in it.
type Point struct {
	At   lane.Time // its beginning
	For  time.Duration
	Mean float64
}

// flight records how many requests the driver has, in flightPoints stretches of
// equal length at the most: when they are used up, pairs become one, and each
// lasts twice as long. So it takes the same memory for a run of any length.
type flight struct {
	start, last lane.Time // last: up to which it is summed up
	now, peak   int
	width       time.Duration
	sums        [flightPoints]float64 // requests times nanoseconds
}

const (
	flightPoints = 64
	flightWidth  = time.Microsecond // at the beginning
)

func (f *flight) begin(now lane.Time) {
	*f = flight{start: now, last: now, width: flightWidth}
}

// change is n more requests with the driver from now on.
func (f *flight) change(now lane.Time, n int) {
	if now > f.last {
		f.sumUp(now)
	}
	f.now += n
	if f.now > f.peak {
		f.peak = f.now
	}
}

// sumUp accounts for the time from last to now.
func (f *flight) sumUp(now lane.Time) {
	for now.Sub(f.start) > f.width*flightPoints {
		for i := range flightPoints / 2 {
			f.sums[i] = f.sums[2*i] + f.sums[2*i+1]
		}
		clear(f.sums[flightPoints/2:])
		f.width *= 2
	}
	for f.last < now {
		i := int(f.last.Sub(f.start) / f.width)
		end := min(f.start.Add(f.width*time.Duration(i+1)), now)
		f.sums[i] += float64(f.now) * float64(end.Sub(f.last))
		f.last = end
	}
}

// points is what was recorded until now.
func (f *flight) points(now lane.Time) []Point {
	g := *f
	g.change(now, 0)
	var ps []Point
	for i := range g.sums {
		at := g.start.Add(g.width * time.Duration(i))
		if at >= g.last {
			break
		}
		length := min(g.width, g.last.Sub(at))
		ps = append(ps, Point{at, length, g.sums[i] / float64(length)})
	}
	return ps
}
