package main

import (
	"context"
	"runtime"
	"time"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/bench/figures"
)

const (
	pipelineBatch = 32
	pipelineDepth = 8 * pipelineBatch
)

// pipelineRows submit and reap on one core and complete on another, against an
// io_uring whose kernel thread takes the submissions on another core. That thread
// polls, and so does its user; our side is what everybody gets: a real lane, which
// parks when it has nothing to do, and a reader that sleeps when there are no events.
func pipelineRows() []row {
	return []row{{"pipeline-b32", "of the time with SQPOLL", figures.AtMost(0.20, 0.12), func(m *meter) (*figures.Reading, error) {
		if runtime.GOMAXPROCS(0) < 2 {
			return nil, figures.Skip("one processor")
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
		return m.briefly().compare("aio", onWall(unlocked(p.work), nil), "io_uring", onWall(polled, rest))
	}}}
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
	given   int // batches handed over
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
	h := &p.batches[p.given%len(p.batches)]
	p.given++
	h.ks = append(h.ks[:0], ks...)
	p.far.Post(h.run)
}

// complete is the other lane's work.
func (h *handed) complete() {
	h.p.ctx.Cork(h.p.far)
	defer h.p.ctx.Uncork(h.p.far)
	for _, k := range h.ks {
		k.Complete(h.p.far, aio.OK, k.Len())
	}
}

// work submits and reaps for d, and then until everything has been reaped.
func (p *pipeline) work(d time.Duration) (ops int, err error) {
	flying := 0
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
		n, err := p.ctx.Events(context.Background(), min(pipelineBatch, flying), p.evs)
		if err != nil {
			return ops, err
		}
		for i := range p.evs[:n] {
			p.sum += p.evs[i].Data
		}
		flying -= n
		ops += n
	}
}
