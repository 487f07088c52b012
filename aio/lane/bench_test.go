package lane_test

import (
	"testing"
	"time"

	"blksim/aio/lane"
)

// A lane posts to itself: the cost of a function on a busy lane.
func BenchmarkPostToSelf(b *testing.B) { benchmarkHops(b, 1, 64) }

// 64 functions go to and fro between two lanes.
func BenchmarkPostAcross(b *testing.B) { benchmarkHops(b, 2, 64) }

// One function goes to and fro: each hop finds its lane parked, or about to be.
func BenchmarkPostWakes(b *testing.B) { benchmarkHops(b, 2, 1) }

func benchmarkHops(b *testing.B, lanes, flying int) {
	r := lane.NewReal(lanes)
	defer r.Close()
	b.ReportAllocs()
	_ = r.Do(0, func(done func()) {
		landed := 0 // owned by lane 0
		end := func() {
			if landed++; landed == flying {
				done()
			}
		}
		for range flying {
			n, at := b.N/flying, 0
			var hop func()
			hop = func() {
				if n--; n < 0 {
					r.Lane(0).Post(end)
					return
				}
				at = (at + 1) % lanes
				r.Lane(at).Post(hop)
			}
			r.Lane(0).Post(hop)
		}
	})
}

// BenchmarkTimerLateness arms one timer after the other on an idle lane and
// reports how late they fire. The runtime's clock granularity sets the floor.
func BenchmarkTimerLateness(b *testing.B) {
	r := lane.NewReal(1)
	defer r.Close()
	const d = 200 * time.Microsecond
	var late time.Duration
	_ = r.Do(0, func(done func()) {
		l := r.Lane(0)
		n := b.N
		var due lane.Time
		var timer lane.Timer
		timer = l.NewTimer(func() {
			late += l.Now().Sub(due)
			if n--; n <= 0 {
				done()
				return
			}
			due = l.Now().Add(d)
			timer.Arm(d)
		})
		due = l.Now().Add(d)
		timer.Arm(d)
	})
	b.ReportMetric(float64(late.Nanoseconds())/float64(b.N), "ns-late/op")
}

func BenchmarkArm(b *testing.B) {
	r := lane.NewReal(1)
	defer r.Close()
	b.ReportAllocs()
	_ = r.Do(0, func(done func()) {
		timer := r.Lane(0).NewTimer(func() {})
		for range b.N {
			timer.Arm(30 * time.Second)
		}
		timer.Stop()
		done()
	})
}
