package main

import (
	"context"
	"fmt"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/bench/figures"
)

// coreRows are aio alone, on one core: submit, a completion at once on the same
// lane, reap; against io_uring's NOP, which the kernel too completes at once.
func coreRows() []row {
	core := func(name string, batch int, b figures.Bar) row {
		return row{name, "of io_uring's time for a NOP", b, func(m *meter) (*figures.Reading, error) {
			nop, end, err := nops(batch)
			if err != nil {
				return nil, err
			}
			defer end()
			l, err := newCoreLoop(batch)
			if err != nil {
				return nil, err
			}
			return m.compare("aio", onCPU(l.piece), "io_uring", onCPU(nop))
		}}
	}
	return []row{
		core("core-b1", 1, figures.AtMost(0.20, 0.14)),
		core("core-b32", 32, figures.AtMost(0.30, 0.20)),
	}
}

// doneAtOnce is a target that completes what it is given.
type doneAtOnce struct{}

var _ aio.BatchTarget = doneAtOnce{}

func (doneAtOnce) Start(l lane.Lane, k aio.Kiocb) { k.Complete(l, aio.OK, k.Len()) }

func (doneAtOnce) StartBatch(l lane.Lane, ks []aio.Kiocb) {
	for _, k := range ks {
		k.Complete(l, aio.OK, k.Len())
	}
}

// pieceOps is how many operations of some 10 to 1,000 ns a piece has.
const pieceOps = 512

// coreLoop submits batches and reaps them.
type coreLoop struct {
	ctx    *aio.Context
	lane   benchLane
	target aio.Target
	ios    []aio.IO
	evs    []aio.Event
	sum    uint64 // of what came back
}

func newCoreLoop(batch int) (*coreLoop, error) {
	l := &coreLoop{target: doneAtOnce{}, ios: make([]aio.IO, batch), evs: make([]aio.Event, batch)}
	buf := make([]byte, 4096)
	for i := range l.ios {
		l.ios[i] = aio.IO{Op: aio.OpRead, Off: int64(i) * 4096, Len: 4096, Buf: buf, Data: uint64(i)}
	}
	var err error
	l.ctx, err = aio.New(aio.Options{Capacity: 1024, Lanes: []lane.Lane{&l.lane}})
	return l, err
}

func (l *coreLoop) piece() (ops int, err error) {
	for ops < pieceOps {
		if err := l.submit(); err != nil {
			return ops, err
		}
		n, err := l.ctx.Events(context.Background(), len(l.ios), l.evs)
		if err != nil || n != len(l.ios) {
			return ops, fmt.Errorf("%d events of %d: %w", n, len(l.ios), err)
		}
		for i := range l.evs {
			l.sum += l.evs[i].Data + uint64(l.evs[i].N)
		}
		ops += n
	}
	return ops, nil
}

// submit takes the call that a user would: Submit for one, SubmitBatch for many.
func (l *coreLoop) submit() error {
	if len(l.ios) == 1 {
		_, err := l.ctx.Submit(&l.lane, l.target, l.ios[0])
		return err
	}
	_, err := l.ctx.SubmitBatch(&l.lane, l.target, l.ios, nil)
	return err
}
