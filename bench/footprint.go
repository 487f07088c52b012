package main

import (
	"context"
	"fmt"
	"runtime"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/bench/figures"
)

// uringBytes is what an I/O in flight takes in io_uring: struct io_kiocb, four
// cache lines (256 bytes, Linux 5.x and 6.x on 64-bit machines; the command's
// own data is in it), a submission entry of 64 and a completion entry of 16.
// What is allocated beside it (async data, poll entries) is not counted.
const uringBytes = 256 + 64 + 16

func bytesRows() []row {
	return []row{{"bytes-per-io", "of io_uring's 336 bytes", figures.AtMost(0.38, 0.25), func(m *meter) (*figures.Reading, error) {
		r := &figures.Reading{}
		var last float64
		for range 5 {
			var err error
			if last, err = bytesPerIO(many); err != nil {
				return nil, err
			}
			r.Ratios = append(r.Ratios, last/uringBytes)
		}
		r.Detail = fmt.Sprintf("%.1f bytes, io_uring %d", last, uringBytes)
		return r, nil
	}}}
}

// bytesPerIO is the growth of the heap by a context with n I/Os in flight, its
// completion ring included, for each of them.
func bytesPerIO(n int) (float64, error) {
	l := &benchLane{}
	before := liveHeap()
	ctx, err := aio.New(aio.Options{Capacity: n, Lanes: []lane.Lane{l}})
	if err != nil {
		return 0, err
	}
	// The ring is made with the first completion.
	if _, err := ctx.Submit(l, doneAtOnce{}, aio.IO{}); err != nil {
		return 0, err
	}
	var evs [1]aio.Event
	if _, err := ctx.Events(context.Background(), 1, evs[:]); err != nil {
		return 0, err
	}
	target := untilCancelled{}
	for range n {
		if _, err := ctx.Submit(l, target, aio.IO{Op: aio.OpRead, Len: 4096}); err != nil {
			return 0, err
		}
	}
	grown := liveHeap() - before
	if f := ctx.InFlight(); f != n {
		return 0, fmt.Errorf("%d in flight: want %d", f, n)
	}
	return float64(grown) / float64(n), nil
}

// liveHeap is the size of what is live on the heap.
func liveHeap() uint64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.GC() // twice: what the first found may have had finalizers
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}
