package sched

import (
	"time"

	"blksim/aio"
	"blksim/aio/lane"
)

// kyber gives each class of operations a number of tokens: so many of its
// requests may be with the device. Classes take turns in small batches. Once in a
// window the latencies are looked at. If the 99th percentile of reads or writes
// misses its target, the device is congested, and the classes that keep their
// target by far give up tokens, in proportion; a class that misses its own gets
// more, since what it lacks is a share of the device.
//
// Linux counts tokens for the whole disk; here each hardware queue has its own,
// so that no lane has to ask another.
type kyber struct {
	cfg     Config
	classes [numClasses]class
	turn    int // the class whose batch is sent
	batch   int
	window  lane.Time // when it began
}

const (
	kyberRead = iota
	kyberWrite
	kyberDiscard
	kyberOther
	numClasses
)

type class struct {
	queue  fifo
	tokens int // requests that may be with the device
	most   int
	batch  int
	target time.Duration // 0: none
	out    int           // with the device

	// Latencies of this window: bucket i counts those of up to (i+1)/4 of the
	// target, the last all beyond twice the target.
	buckets [9]int
	samples int
}

var (
	_ Scheduler = (*kyber)(nil)
	_ Feedback  = (*kyber)(nil)
)

func newKyber(c Config, depth int) *kyber {
	setDefault(&c.ReadTarget, 2*time.Millisecond)
	setDefault(&c.WriteTarget, 10*time.Millisecond)
	setDefault(&c.Window, 100*time.Millisecond)
	k := &kyber{cfg: c}
	// Linux's shares of a depth of 256: all, a half, a quarter, a sixteenth.
	for i, share := range []int{1, 2, 4, 16} {
		most := max(depth/share, 1)
		k.classes[i] = class{tokens: most, most: most, batch: []int{16, 8, 1, 1}[i]}
	}
	k.classes[kyberRead].target = c.ReadTarget
	k.classes[kyberWrite].target = c.WriteTarget
	return k
}

func (k *kyber) of(e *Entry) *class {
	switch e.Op {
	case aio.OpRead:
		return &k.classes[kyberRead]
	case aio.OpWrite:
		return &k.classes[kyberWrite]
	case aio.OpDiscard:
		return &k.classes[kyberDiscard]
	}
	return &k.classes[kyberOther]
}

func (k *kyber) Add(e *Entry)    { k.of(e).queue.add(e) }
func (k *kyber) Remove(e *Entry) { k.of(e).queue.remove(e) }

func (k *kyber) Next(lane.Time) *Entry {
	for range numClasses + 1 {
		c := &k.classes[k.turn]
		if c.queue.head != nil && c.out < c.tokens && k.batch < c.batch {
			k.batch++
			c.out++
			return c.queue.pop()
		}
		k.batch = 0
		k.turn = (k.turn + 1) % numClasses
	}
	return nil
}

func (k *kyber) Done(e *Entry, latency time.Duration, now lane.Time) {
	c := k.of(e)
	c.out--
	if latency > 0 && c.target > 0 {
		c.samples++
		c.buckets[min(int64(len(c.buckets)-1), int64(latency-1)*4/int64(c.target))]++
	}
	if now.Sub(k.window) >= k.cfg.Window {
		k.adjust()
		k.window = now
	}
}

// adjust sets the tokens for the next window.
func (k *kyber) adjust() {
	const enough = 16 // samples
	congested := false
	for i := range k.classes {
		if c := &k.classes[i]; c.samples >= enough && c.percentile(99) >= onTarget {
			congested = true
		}
	}
	for i := range k.classes {
		c := &k.classes[i]
		switch {
		case c.target == 0:
			// No latency of its own to keep: it yields while the device is
			// congested, and gets back what it had after.
			if congested {
				c.tokens = max(c.tokens/2, 1)
			} else {
				c.tokens = min(c.tokens+1, c.most)
			}
		case c.samples >= enough:
			p := c.percentile(90)
			if congested || p >= onTarget {
				c.tokens = min(max(c.tokens*(p+1)/onTarget, 1), c.most)
			} else if c.tokens < c.most {
				c.tokens = min(c.tokens+1+c.tokens>>3, c.most)
			}
			c.samples, c.buckets = 0, [9]int{}
		case !congested:
			c.tokens = min(c.tokens+1+c.tokens>>3, c.most)
		}
	}
}

// onTarget is the first bucket beyond the target.
const onTarget = 4

// percentile is the bucket of a percentile, by nearest rank.
func (c *class) percentile(p int) int {
	left := (c.samples*p + 99) / 100
	for i, n := range c.buckets {
		if left -= n; left <= 0 {
			return i
		}
	}
	return len(c.buckets) - 1
}
