package disk

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// paced has a pace look at a device with so many I/Os in flight, of which the next n come
// back after took(n).
type paced struct {
	pace
	at       time.Time
	total    uint64
	inFlight int
	took     func(n int) time.Duration
}

// run is so many waits, and the mean of I/Os that they were for, and of the time of one.
func (p *paced) run(waits int) (several float64, each time.Duration) {
	start, before := p.at, p.total
	for range waits {
		n := p.several(p.inFlight)
		p.at = p.at.Add(p.took(n))
		p.total += uint64(n)
		p.note(p.at, p.total)
	}
	n := p.total - before
	return float64(n) / float64(waits), p.at.Sub(start) / time.Duration(n)
}

// full is a device that does one I/O after the other.
func full(each time.Duration) func(int) time.Duration {
	return func(n int) time.Duration { return each * time.Duration(n) }
}

// wide is one that does all it has side by side, and so has the fewer to work on the more
// a wait is for.
func wide(latency time.Duration, inFlight int) func(int) time.Duration {
	return func(n int) time.Duration {
		return latency * time.Duration(n) * 2 / time.Duration(2*inFlight-(n-1))
	}
}

func TestAWaitIsForWhatComesInTime(t *testing.T) {
	for name, c := range map[string]struct {
		inFlight int
		took     func(int) time.Duration
		from, to float64
	}{
		"one":                            {1, full(20 * time.Microsecond), 1, 1},
		"few in flight":                  {7, full(4 * time.Microsecond), 1, 1},
		"a quarter of what is in flight": {16, full(time.Microsecond), 3.2, 4},
		"what comes within 50 us":        {1000, full(8 * time.Microsecond), 4.5, 6},
		"as many as are tried":           {1000, full(time.Microsecond), 8, 16},
		"none is late on a slow disk":    {128, full(40 * time.Microsecond), 1, 1},
		"what would leave a device idle": {32, wide(80*time.Microsecond, 32), 1, 3},
		"of many, it does not":           {512, wide(800*time.Microsecond, 512), 6, 16},
	} {
		t.Run(name, func(t *testing.T) {
			p := paced{inFlight: c.inFlight, took: c.took}
			require.Equal(t, 1, p.several(c.inFlight), "nothing is known")
			p.run(200_000) // it takes a while to be believed
			several, each := p.run(200_000)
			require.GreaterOrEqual(t, several, c.from)
			require.LessOrEqual(t, several, c.to)
			require.LessOrEqual(t, float64(each), 1.04*float64(c.took(1)), "at no cost")
		})
	}
}

func TestAWaitIsForOneAfterAStall(t *testing.T) {
	p := paced{inFlight: 64, took: full(time.Microsecond)}
	p.run(200_000)
	more := func() bool { return p.several(64) > 1 || p.climb.window == 0 }
	require.True(t, more())
	p.n = 2
	p.at = p.at.Add(stall + time.Microsecond)
	p.total++
	p.note(p.at, p.total)
	for begin := p.at; p.at.Sub(begin) < pause; {
		require.Equal(t, 1, p.several(64))
		p.at = p.at.Add(10 * time.Microsecond)
		p.total += 10
		p.note(p.at, p.total)
	}
	require.True(t, more())
	p.at = p.at.Add(time.Hour) // nobody had anything to do
	p.total++
	p.note(p.at, p.total)
	require.Equal(t, 1, p.several(64))
}
