package blk_test

import (
	"testing"
	"time"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/blk"
	"blksim/blk/sched"
	"blksim/driver/null"
	"blksim/sim"
)

// BenchmarkCost is what each part of the block layer costs an I/O: batches of 32
// reads over a driver that does nothing. Compare the rows of one run.
func BenchmarkCost(b *testing.B) {
	for _, c := range []struct {
		name       string
		sequential bool
		o          blk.Options
	}{
		{"random/none/nomerges", false, blk.Options{NoMerges: true}},
		{"random/none", false, blk.Options{}},
		{"random/mq-deadline", false, blk.Options{Scheduler: sched.Config{Name: sched.Deadline}}},
		{"random/kyber", false, blk.Options{Scheduler: sched.Config{Name: sched.Kyber}}},
		{"random/none/timeout", false, blk.Options{Timeout: time.Second}},
		{"random/none/budget", false, blk.Options{Budget: 64}},
		{"random/none/histograms", false, blk.Options{Histograms: true}},
		{"sequential/none/nomerges", true, blk.Options{NoMerges: true}},
		{"sequential/none", true, blk.Options{}},
		{"sequential/mq-deadline", true, blk.Options{Scheduler: sched.Config{Name: sched.Deadline}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			l := newLoop(b, c.o, c.sequential)
			b.ReportAllocs()
			b.ResetTimer()
			l.run(b.N)
		})
	}
}

// loop keeps batches of reads going.
type loop struct {
	t       testing.TB
	w       *sim.World
	disk    *blk.Disk
	ctx     *aio.Context
	ios     []aio.IO
	offs    []int64
	at      int
	left    int
	pending int
	submit  func()
}

func newLoop(t testing.TB, o blk.Options, sequential bool) *loop {
	l := &loop{t: t, w: sim.NewWorld(1, 1), ios: make([]aio.IO, 32), offs: make([]int64, 1<<12)}
	rand := sim.NewRand(1, "offsets")
	for i := range l.offs {
		if l.offs[i] = int64(i) * 4096; !sequential {
			l.offs[i] = int64(rand.Uint64N(1<<24)) * 8192
		}
	}
	drv, err := null.New(null.Options{})
	if err != nil {
		t.Fatal(err)
	}
	lanes := []lane.Lane{l.w.Lane(0)}
	o.Queues = lanes
	if l.disk, err = blk.Open(drv, o); err != nil {
		t.Fatal(err)
	}
	for i := range l.ios {
		l.ios[i] = aio.IO{Op: aio.OpRead, Len: 4096, Buf: make([]byte, 4096)}
	}
	l.submit = l.next
	l.ctx, err = aio.New(aio.Options{Capacity: 256, Lanes: lanes, OnEvents: func(_ lane.Lane, evs []aio.Event) {
		if l.pending -= len(evs); l.pending == 0 && l.left > 0 {
			l.next()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *loop) next() {
	n := min(len(l.ios), l.left)
	l.left -= n
	l.pending += n
	for i := range n {
		l.ios[i].Off = l.offs[l.at]
		l.at = (l.at + 1) % len(l.offs)
	}
	if _, err := l.ctx.SubmitBatch(l.w.Lane(0), l.disk, l.ios[:n], nil); err != nil {
		l.t.Error(err)
	}
}

func (l *loop) run(n int) {
	l.left = n
	l.w.Lane(0).Post(l.submit)
	if err := l.w.Run(); err != nil {
		l.t.Fatal(err)
	}
}

func TestNoPartOfTheBlockLayerAllocatesForAnIO(t *testing.T) {
	for name, o := range map[string]blk.Options{
		"merges": {}, "mq-deadline": {Scheduler: sched.Config{Name: sched.Deadline}}, "kyber": {Scheduler: sched.Config{Name: sched.Kyber}},
		"splits": {MaxTransfer: 1024}, "timeout, histograms": {Timeout: time.Second, Histograms: true}, "budget": {Budget: 3},
		"depth": {Depth: 2},
	} {
		for _, sequential := range []bool{true, false} {
			l := newLoop(t, o, sequential)
			for i := range l.ios {
				l.ios[i].Deadline = lane.Time(time.Hour)
			}
			round := func() { l.run(64) }
			for range 20 {
				round()
			}
			if n := testing.AllocsPerRun(100, round); n != 0 {
				t.Errorf("%s: %v allocations for 64 I/Os", name, n)
			}
		}
	}
}

// BenchmarkCancelled compares taking cancelled I/Os out of the queue at once with
// leaving them until their turn: the time of an I/O of which half are cancelled,
// and how long (of virtual time) a cancelled one still held its place.
func BenchmarkCancelled(b *testing.B) {
	for _, name := range sched.Names() {
		for _, lazy := range []bool{false, true} {
			b.Run(name+map[bool]string{false: "/eager", true: "/lazy"}[lazy], func(b *testing.B) {
				const many = 256
				w := sim.NewWorld(1, 1)
				lanes := []lane.Lane{w.Lane(0)}
				f := newFake()
				f.service = 100 * time.Microsecond
				disk, err := blk.Open(f, blk.Options{Queues: lanes, Depth: 1, LazyCancel: lazy, NoMerges: true, Scheduler: sched.Config{Name: name}})
				if err != nil {
					b.Fatal(err)
				}
				var cancelled lane.Time
				var held, count float64
				ctx, err := aio.New(aio.Options{Capacity: many, Lanes: lanes, OnEvents: func(_ lane.Lane, evs []aio.Event) {
					for i := range evs {
						if evs[i].Status == aio.Cancelled {
							held += float64(w.Now() - cancelled)
							count++
						}
					}
				}})
				if err != nil {
					b.Fatal(err)
				}
				ids := make([]aio.ID, many)
				buf := make([]byte, 512)
				submit := func() {
					for i := range ids {
						ids[i], _ = ctx.Submit(lanes[0], disk, aio.IO{Op: aio.OpRead, Off: int64(i*7919%many) * 8192, Len: 512, Buf: buf})
					}
				}
				cancel := func() {
					cancelled = w.Now()
					for i := 1; i < many; i += 2 {
						ctx.Cancel(ids[i])
					}
				}
				for n := 0; n < b.N; n += many {
					lanes[0].Post(submit)
					lanes[0].Post(cancel)
					if err := w.Run(); err != nil {
						b.Fatal(err)
					}
					f.queues[0].seen = f.queues[0].seen[:0]
				}
				b.ReportMetric(held/max(count, 1)/1000, "us-held/cancel")
			})
		}
	}
}
