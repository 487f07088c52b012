package main

import (
	"errors"
	"runtime"
	"time"
)

// scalingRows have two contexts on two cores, and one on one: they share nothing
// that is written, so two should do twice as much.
func scalingRows() []row {
	return []row{{"scaling-2", "times the throughput of one core", atLeast(1.9, 1.95), func(m *meter) (*reading, error) {
		if runtime.GOMAXPROCS(0) < 2 {
			return nil, errSkip("one processor")
		}
		var runners [2]*runner
		for i := range runners {
			var err error
			if runners[i], err = newRunner(); err != nil {
				return nil, err
			}
			defer runners[i].end()
		}
		short := *m
		short.window = min(m.window, 4*time.Millisecond) // to be let alone for so long on a busy machine
		short.most = 4 * m.most
		two := func(d time.Duration) (int, error) { return together(runners[:], d) }
		one := func(d time.Duration) (int, error) { return together(runners[:1], d) }
		r, err := short.compare("two", onWall(two, nil), "one", onWall(one, nil))
		if err != nil {
			return nil, err
		}
		for i, x := range r.ratios {
			r.ratios[i] = 1 / x // of throughputs, not of costs
		}
		return r, nil
	}}}
}

// runner is a goroutine with a context of its own.
type runner struct {
	loop *coreLoop
	work chan time.Duration
	done chan ran
}

type ran struct {
	ops int
	err error
}

func newRunner() (*runner, error) {
	l, err := newCoreLoop(32)
	if err != nil {
		return nil, err
	}
	r := &runner{l, make(chan time.Duration), make(chan ran)}
	go func() {
		for d := range r.work {
			var total ran
			for start := time.Now(); total.err == nil && time.Since(start) < d; {
				var n int
				n, total.err = l.piece()
				total.ops += n
			}
			r.done <- total
		}
	}()
	return r, nil
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
