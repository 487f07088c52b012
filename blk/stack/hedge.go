package stack

import (
	"fmt"
	"math/bits"
	"time"
)

// Hedge says when a read of a mirror is also sent to a second leg.
type Hedge struct {
	// Delay is how long the first leg has. With Quantile it counts until enough
	// reads were seen.
	Delay time.Duration
	// Quantile, in thousandths, has the delay follow the latencies seen: 950
	// sends the second read when the first takes longer than 95 % of those
	// before it. 0: always Delay.
	Quantile int
	// Budget is how many second reads there may be for a thousand reads. 0: 50.
	Budget int
}

// Validate says what is wrong with h.
func (h Hedge) Validate() error {
	switch {
	case h.Delay <= 0:
		return fmt.Errorf("stack: hedge after %v: want more than 0", h.Delay)
	case h.Quantile < 0 || h.Quantile >= 1000:
		return fmt.Errorf("stack: hedge at quantile %d: want 0 to 999 thousandths", h.Quantile)
	case h.Budget < 0 || h.Budget > 1000:
		return fmt.Errorf("stack: hedge budget %d: want 0 to 1000 of a thousand", h.Budget)
	}
	return nil
}

// hedger is one lane's hedging. Its latencies and its budget are its own: no lane
// asks another.
type hedger struct {
	on     bool
	cfg    Hedge
	delay  time.Duration
	tokens int // thousandths of a second read; at most burst

	counts  [hedgeBuckets]int // of latencies: 32 to an octave
	total   int
	sampled int // since the delay was set

	buffers [48][][]byte // by size, a power of two: not in use
}

const (
	hedgeBuckets = 64 << hedgeBits
	hedgeBits    = 5
	hedgeEvery   = 64   // samples between two looks at the quantile
	hedgeMemory  = 4096 // samples after which old ones count half
	hedgeBurst   = 16 * 1000
)

func (h *hedger) init(cfg Hedge) {
	if cfg.Budget == 0 {
		cfg.Budget = 50
	}
	h.on, h.cfg, h.delay, h.tokens = true, cfg, cfg.Delay, 1000
}

// began starts the clock of a read.
func (h *hedger) began(p *parent) {
	if !h.on {
		return
	}
	h.tokens = min(h.tokens+h.cfg.Budget, hedgeBurst)
	p.late.Arm(h.delay)
}

// hedgeDue is the timer: the first leg has not answered.
func (p *parent) hedgeDue() {
	q := p.port
	if !p.active || p.done || p.op != 0 || p.left == 0 || p.k.Cancelled() {
		return
	}
	if q.hedge.tokens < 1000 {
		q.stats.HedgesDenied++
		return
	}
	m := q.v.mirror
	leg := m.pick(p)
	if leg < 0 {
		return
	}
	q.hedge.tokens -= 1000
	q.stats.HedgesIssued++
	m.read(p, leg).hedge = true
	p.send()
}

// sample takes the latency of a read, and now and then sets the delay by what was
// seen.
func (h *hedger) sample(d time.Duration) {
	if !h.on || h.cfg.Quantile == 0 {
		return
	}
	h.counts[hedgeBucket(d)]++
	h.total++
	if h.sampled++; h.sampled < hedgeEvery {
		return
	}
	h.sampled = 0
	rank := (h.total*h.cfg.Quantile + 999) / 1000
	for i, n := range h.counts {
		if rank -= n; rank <= 0 {
			h.delay = max(hedgeTop(i), 1)
			break
		}
	}
	if h.total >= hedgeMemory {
		h.total = 0
		for i := range h.counts {
			h.counts[i] /= 2
			h.total += h.counts[i]
		}
	}
}

// hedgeBucket is the bucket of a latency: its octave and hedgeBits more.
func hedgeBucket(d time.Duration) int {
	v := uint64(max(d, 1))
	octave := bits.Len64(v) - 1
	if octave < hedgeBits {
		return int(v)
	}
	return octave<<hedgeBits + int(v>>(octave-hedgeBits)&(1<<hedgeBits-1))
}

// hedgeTop is the greatest latency of a bucket.
func hedgeTop(i int) time.Duration {
	octave, rest := i>>hedgeBits, i&(1<<hedgeBits-1)
	if octave < hedgeBits {
		return time.Duration(i)
	}
	return time.Duration(uint64(1<<hedgeBits+rest+1)<<(octave-hedgeBits) - 1)
}

// buffer gives n bytes of the lane's own.
func (h *hedger) buffer(n int64) []byte {
	class := bits.Len64(uint64(n - 1))
	list := &h.buffers[class]
	if last := len(*list) - 1; last >= 0 {
		b := (*list)[last]
		*list = (*list)[:last]
		return b[:n]
	}
	return make([]byte, n, 1<<class)
}

func (h *hedger) putBuffer(b []byte) {
	if b != nil {
		class := bits.Len64(uint64(cap(b) - 1))
		h.buffers[class] = append(h.buffers[class], b)
	}
}
