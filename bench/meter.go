package main

import (
	"cmp"
	"fmt"
	"math/bits"
	"runtime"
	"slices"
	"time"

	"blksim/bench/figures"
)

// The machines that this runs on are shared: what else runs there takes turns
// with us by the millisecond. So two things are compared in windows of some 10
// ms, in turn, the order changed from pair to pair, and each pair gives a ratio:
// what changes more slowly than that cancels out, and the median of the ratios
// is not moved by the pairs that something hit in the middle.
//
// Most is timed by the processor time of this process, which does not go on while
// others run. It includes the kernel's work for us, and the collector's, on whatever
// core: nothing here turns the collector off or calls it inside a window. What waits
// for another core is timed by the clock on the wall. Of windows on two cores those
// pairs are kept in which our threads had their cores.

// meter says how long to measure.
type meter struct {
	root   string        // the module's folder
	window time.Duration // of each side of a pair
	row    time.Duration // wall time for a row
	most   int           // pairs
}

// briefly is m with short windows and more of them: so that some are let alone on a
// busy machine, where one thread is let alone more often than two.
func (m *meter) briefly() *meter {
	b := *m
	b.window = min(m.window, 4*time.Millisecond)
	b.most *= 3
	return &b
}

func newMeter(root string, short bool) *meter {
	m := &meter{root: root, window: 12 * time.Millisecond, row: 6 * time.Second, most: 200}
	if short {
		m.window, m.row, m.most = 5*time.Millisecond, 500*time.Millisecond, 10
	}
	return m
}

// sample is one window of one side.
type sample struct {
	ops  int
	took time.Duration
	lost time.Duration // that threads of ours were ready to run and had no core; of windows on the wall
}

// cost is the time of one operation, in ns.
func (s sample) cost() float64 { return float64(s.took) / float64(s.ops) }

// side runs for a window of about d.
type side func(d time.Duration) (sample, error)

// piece does a short piece of work, some 50 us, and says of how many operations.
type piece func() (ops int, err error)

// onCPU times pieces by the processor time of this process.
func onCPU(work piece) side {
	return func(d time.Duration) (s sample, err error) {
		start := processTime()
		for s.took < d {
			n, err := work()
			if err != nil {
				return s, err
			}
			s.ops += n
			s.took = processTime() - start
		}
		return s, nil
	}
}

// crew works on several cores for about d.
type crew func(d time.Duration) (ops int, err error)

// onWall times a crew from its start to its end by the clock on the wall. rest, if
// not nil, follows, and is nobody's time.
func onWall(work crew, rest func()) side {
	start := time.Now()
	return timed(work, func() time.Duration { return time.Since(start) }, rest)
}

// onCores times a crew by the processor time that it used on all its cores.
func onCores(work crew) side { return timed(work, processTime, nil) }

func timed(work crew, clock func() time.Duration, rest func()) side {
	return func(d time.Duration) (s sample, err error) {
		lost, start := runDelay(), clock()
		s.ops, err = work(d)
		s.took = clock() - start
		s.lost = runDelay() - lost
		if rest != nil {
			rest()
		}
		return s, err
	}
}

// pair is a window of each side.
type pair struct{ a, b sample }

// lost is the part of the pair's time that somebody else took from it.
func (p pair) lost() float64 {
	return float64(p.a.lost+p.b.lost) / float64(p.a.took+p.b.took)
}

// compare runs a and b in turn until the row's time is over. The ratio is of
// their costs: less than 1 if a is cheaper.
func (m *meter) compare(nameA string, a side, nameB string, b side) (*figures.Reading, error) {
	pairs, err := m.pairs(a, b)
	if err != nil {
		return nil, err
	}
	r := &figures.Reading{}
	var as, bs []float64
	for _, p := range pairs {
		r.Ratios = append(r.Ratios, p.a.cost()/p.b.cost())
		as, bs = append(as, p.a.cost()), append(bs, p.b.cost())
	}
	costA, _, _ := figures.Spread(as)
	costB, _, _ := figures.Spread(bs)
	r.Detail = fmt.Sprintf("%s %s ns, %s %s ns", nameA, figures.Number(costA), nameB, figures.Number(costB))
	return r, nil
}

func (m *meter) pairs(a, b side) ([]pair, error) {
	runtime.GC() // what other rows left is not theirs
	for _, warmUp := range []side{a, b} {
		if _, err := warmUp(m.window); err != nil {
			return nil, err
		}
	}
	var pairs []pair
	for start := time.Now(); len(pairs) < m.most && (len(pairs) < 3 || time.Since(start) < m.row); {
		var p pair
		var err error
		if len(pairs)%2 == 0 {
			p.a, err = a(m.window)
		}
		if err == nil {
			p.b, err = b(m.window)
		}
		if err == nil && len(pairs)%2 == 1 {
			p.a, err = a(m.window)
		}
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, p)
	}
	return undisturbed(pairs), nil
}

// undisturbed are the pairs of which nobody took more than a part in 50, or, if
// they are few, the better quarter.
func undisturbed(pairs []pair) []pair {
	slices.SortStableFunc(pairs, func(p, q pair) int { return cmp.Compare(p.lost(), q.lost()) })
	n := len(pairs)
	for n > 0 && pairs[n-1].lost() > 0.02 {
		n--
	}
	return pairs[:max(n, (len(pairs)+3)/4)]
}

// random is a generator of a few instructions (xorshift64*), for what must not
// cost more than what is measured.
type random uint64

func (r *random) next() uint64 {
	x := uint64(*r)
	x ^= x >> 12
	x ^= x << 25
	x ^= x >> 27
	*r = random(x)
	return x * 0x2545f4914f6cdd1d
}

// below is a number from 0 to n-1.
func (r *random) below(n int) int {
	hi, _ := bits.Mul64(r.next(), uint64(n))
	return int(hi)
}
