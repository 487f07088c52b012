package main

import (
	"errors"
	"runtime"
	"time"

	"blksim/bench/figures"
)

// scalingRows have two contexts on two cores, and one on one. They share nothing
// that is written, so two should do twice as much. It is by processor time: two
// threads on a busy machine do not have two cores, but what they do to each other,
// by lines of the cache that both write, costs processor time.
//
// So does sharing the units of one core, and the two processors of a virtual
// machine may be two threads of one core at times. The second row tells: it is the
// same for a loop that touches no memory at all, and nothing can do better.
func scalingRows() []row {
	scaling := func(name string, b figures.Bar, work func() (piece, error)) row {
		return row{name, "times the throughput of one core", b, func(m *meter) (*figures.Reading, error) {
			if runtime.GOMAXPROCS(0) < 2 {
				return nil, figures.Skip("one processor")
			}
			var runners [2]*runner
			for i := range runners {
				p, err := work()
				if err != nil {
					return nil, err
				}
				runners[i] = newRunner(p)
				defer runners[i].end()
			}
			two := func(d time.Duration) (int, error) { return together(runners[:], d) }
			one := func(d time.Duration) (int, error) { return together(runners[:1], d) }
			r, err := m.briefly().compare("two", onCores(two), "one", onCores(one))
			if err != nil {
				return nil, err
			}
			for i, x := range r.Ratios {
				r.Ratios[i] = 2 / x // twice the cores at x times the cost
			}
			return r, nil
		}}
	}
	return []row{
		scaling("scaling-2", figures.AtLeast(1.9, 1.95), func() (piece, error) {
			l, err := newCoreLoop(32)
			if err != nil {
				return nil, err
			}
			return l.piece, nil
		}),
		scaling("scaling-2-of-the-machine", figures.Bar{More: true}, func() (piece, error) { return arithmetic(), nil }),
	}
}

// arithmetic is a loop in registers, with as much to do at a time as a core can.
func arithmetic() piece {
	sum := uint64(0)
	return func() (ops int, err error) {
		const some = 20_000
		var a, b, c, d, e, f uint64 = 1, 2, 3, 4, 5, sum
		for i := range uint64(some) {
			a, b, c = a+i, b^i, c+i
			d, e, f = d^i, e+i, f^i
			a, b, c = a^1, b+3, c^5
			d, e, f = d+7, e^9, f+11
		}
		sum = a + b + c + d + e + f
		return some, nil
	}
}

// runner is a goroutine that works when it is told to.
type runner struct {
	work chan time.Duration
	done chan ran
}

type ran struct {
	ops int
	err error
}

func newRunner(work piece) *runner {
	r := &runner{make(chan time.Duration), make(chan ran)}
	go func() {
		for d := range r.work {
			var total ran
			for start := time.Now(); total.err == nil && time.Since(start) < d; {
				var n int
				n, total.err = work()
				total.ops += n
			}
			r.done <- total
		}
	}()
	return r
}

func (r *runner) end() { close(r.work) }

// together has runners work for d at the same time.
func together(rs []*runner, d time.Duration) (ops int, err error) {
	for _, r := range rs {
		r.work <- d
	}
	for _, r := range rs {
		got := <-r.done
		ops += got.ops
		err = errors.Join(err, got.err)
	}
	return ops, err
}
