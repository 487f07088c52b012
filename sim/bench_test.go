package sim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio/lane"
	"blksim/sim"
)

func TestPostAndArmDoNotAllocate(t *testing.T) {
	w := sim.NewWorld(1, 2)
	n := 0
	var timers [2]lane.Timer
	var posts [2]func()
	for i := range timers {
		posts[i] = func() { timers[i].Arm(time.Duration(n%3) * 10_000) }
		timers[i] = w.Lane(i).NewTimer(func() {
			n++
			w.Lane(1 - i).Post(posts[1-i])
		})
		w.Lane(i).Post(posts[i])
	}
	steps := func() {
		for range 10_000 {
			w.Step()
		}
	}
	steps()
	require.Zero(t, testing.AllocsPerRun(20, steps))
}

// BenchmarkPost is a Post and the event that it makes.
func BenchmarkPost(b *testing.B) {
	w := sim.NewWorld(1, 2)
	l := w.Lane(1)
	n := b.N
	var f func()
	f = func() {
		if n--; n > 0 {
			l.Post(f)
		}
	}
	b.ReportAllocs()
	for range 64 {
		l.Post(f)
	}
	_ = w.Run()
}

// BenchmarkTimer is an Arm and the event that it makes, with 1,000 pending.
func BenchmarkTimer(b *testing.B) {
	w := sim.NewWorld(1, 1)
	l := w.Lane(0)
	rnd := w.Rand("bench")
	n := b.N
	b.ReportAllocs()
	_ = w.Do(0, func(done func()) {
		for range 1000 {
			var t lane.Timer
			t = l.NewTimer(func() {
				if n--; n > 0 {
					t.Arm(time.Duration(rnd.Uint64() >> 46))
				}
			})
			t.Arm(time.Duration(rnd.Uint64() >> 46))
		}
		done()
	})
	b.ResetTimer()
	_ = w.Run()
}

func BenchmarkRand(b *testing.B) {
	r := sim.NewRand(1, "bench")
	b.Run("Uint64", func(b *testing.B) {
		for b.Loop() {
			r.Uint64()
		}
	})
	b.Run("Int64N", func(b *testing.B) {
		for b.Loop() {
			r.Int64N(1_000_000)
		}
	})
	b.Run("Exp", func(b *testing.B) {
		for b.Loop() {
			r.Exp(time.Millisecond)
		}
	})
}

func BenchmarkNewWorld(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		w := sim.NewWorld(1, 2)
		w.Lane(0).Post(func() {})
		w.Step()
	}
}
