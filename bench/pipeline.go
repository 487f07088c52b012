package main

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"blksim/aio"
	"blksim/aio/lane"
)

const (
	pipelineBatch = 32
	pipelineDepth = 8 * pipelineBatch
)

// pipelineRows submit and reap on one core and complete on another, against an
// io_uring whose kernel thread takes the submissions on another core. That thread
// polls, and its user polls for completions; so both of our sides poll too, for
// the length of a window. What it costs to have a lane sleep and wake is another
// question: the second row has a real lane complete, and its user wait.
func pipelineRows() []row {
	against := func(name string, b bar, work func(p *pipeline) crew) row {
		return row{name, "of the time with SQPOLL", b, func(m *meter) (*reading, error) {
			if runtime.GOMAXPROCS(0) < 2 {
				return nil, errSkip("one processor")
			}
			polled, end, err := polledNops()
			if err != nil {
				return nil, err
			}
			defer end()
			p, err := newPipeline()
			if err != nil {
				return nil, err
			}
			defer p.group.Close()
			// The kernel's thread goes to sleep 1 ms after its last work.
			rest := func() { time.Sleep(2 * time.Millisecond) }
			return m.briefly().compare("aio", onWall(unlocked(work(p)), nil), "io_uring", onWall(polled, rest))
		}}
	}
	return []row{
		against("pipeline-b32", atMost(0.20, 0.12), func(p *pipeline) crew { return p.polling }),
		against("pipeline-b32-real-lane", bar{}, func(p *pipeline) crew { return p.waiting }),
	}
}

// unlocked has work done on a goroutine that is not locked to a thread, as the
// ring's is: a locked one is slow to wait.
func unlocked(work crew) crew {
	return func(d time.Duration) (ops int, err error) {
		done := make(chan struct{})
		go func() {
			ops, err = work(d)
			close(done)
		}()
		<-done
		return ops, err
	}
}

// pipeline is a context with two lanes: the caller's, and a far one that completes
// what it is handed, by the batch.
type pipeline struct {
	ctx   *aio.Context
	lane  benchLane
	group *lane.Real
	far   lane.Lane
	ios   []aio.IO
	evs   []aio.Event
	sum   uint64

	// A batch is free again when its events have been reaped, and there are twice
	// as many as can be on their way.
	batches [2 * pipelineDepth / pipelineBatch]handed
	post    bool // to the real lane; else it polls
	_       [64]byte
	given   atomic.Uint64 // batches handed over; pairs with taken's loop
	_       [64]byte
	taken   uint64 // the far side's
}

// handed is a batch on its way to the other lane.
type handed struct {
	p   *pipeline
	ks  []aio.Kiocb
	run func() // complete, bound once
}

func newPipeline() (*pipeline, error) {
	p := &pipeline{lane: benchLane{1}, group: lane.NewReal(1)}
	p.far = p.group.Lane(0)
	p.ios, p.evs = make([]aio.IO, pipelineBatch), make([]aio.Event, pipelineDepth)
	buf := make([]byte, 4096)
	for i := range p.ios {
		p.ios[i] = aio.IO{Op: aio.OpRead, Off: int64(i) * 4096, Len: 4096, Buf: buf, Data: uint64(i)}
	}
	for i := range p.batches {
		h := &p.batches[i]
		h.p, h.run = p, h.complete
	}
	var err error
	p.ctx, err = aio.New(aio.Options{Capacity: 1024, Lanes: []lane.Lane{&p.lane, p.far}})
	return p, err
}

var _ aio.BatchTarget = (*pipeline)(nil)

// Start is not called: everything is submitted in batches.
func (p *pipeline) Start(_ lane.Lane, k aio.Kiocb) { k.Complete(&p.lane, aio.NotSupported, 0) }

// StartBatch hands a batch over.
func (p *pipeline) StartBatch(_ lane.Lane, ks []aio.Kiocb) {
	n := p.given.Load()
	h := &p.batches[n%uint64(len(p.batches))]
	h.ks = append(h.ks[:0], ks...)
	p.given.Store(n + 1)
	if p.post {
		p.far.Post(h.run)
	}
}

// complete is the other lane's work.
func (h *handed) complete() {
	h.p.ctx.Cork(h.p.far)
	defer h.p.ctx.Uncork(h.p.far)
	for _, k := range h.ks {
		k.Complete(h.p.far, aio.OK, k.Len())
	}
}

// waiting works with the real lane, which parks when it has nothing to do, as the
// reaper sleeps when there are no events.
func (p *pipeline) waiting(d time.Duration) (ops int, err error) {
	p.post = true
	return p.work(d, func(most int) int { return min(pipelineBatch, most) })
}

// polling works with a goroutine that takes the far lane's part for the window.
// Nothing is posted to the real lane meanwhile, so it has no part.
func (p *pipeline) polling(d time.Duration) (ops int, err error) {
	p.post = false
	p.taken = p.given.Load()
	var stop atomic.Bool
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for idle := 0; !stop.Load(); {
			if p.taken == p.given.Load() {
				idle = pause(idle)
				continue
			}
			p.batches[p.taken%uint64(len(p.batches))].complete()
			p.taken++
			idle = 0
		}
	}()
	ops, err = p.work(d, func(int) int { return 0 })
	stop.Store(true)
	<-stopped
	return ops, err
}

// pause lets others run from time to time, while a loop has nothing to do.
func pause(idle int) int {
	if idle++; idle%1000 == 0 {
		runtime.Gosched()
	}
	return idle
}

// work submits and reaps for d, and then until everything has been reaped. least
// is how many events to wait for, of so many to come.
func (p *pipeline) work(d time.Duration, least func(most int) int) (ops int, err error) {
	flying, idle := 0, 0
	for start := time.Now(); ; {
		if time.Since(start) < d {
			for flying+pipelineBatch <= pipelineDepth {
				if _, err := p.ctx.SubmitBatch(&p.lane, p, p.ios, nil); err != nil {
					return ops, err
				}
				flying += pipelineBatch
			}
		} else if flying == 0 {
			return ops, nil
		}
		n, err := p.ctx.Events(context.Background(), least(flying), p.evs)
		if err != nil {
			return ops, err
		}
		if n == 0 {
			idle = pause(idle)
		}
		for i := range p.evs[:n] {
			p.sum += p.evs[i].Data
		}
		flying -= n
		ops += n
	}
}
