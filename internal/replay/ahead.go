package replay

import (
	"sync/atomic"

	"blksim/traces"
)

// aheadBatches is how many batches the reader may be ahead of the pump.
const aheadBatches = 8

// ahead reads a source on a goroutine of its own, ahead of the pump: to read 512
// records takes 50 us and more, and the lane that submits has no such time to spare.
// Only for real lanes: in a simulation reading takes no time, and everything comes
// in one order.
type ahead struct {
	src  Source
	free chan *batch   // to the reader
	full chan *batch   // and back
	quit chan struct{} // closed: the reader is to end
	left chan struct{} // closed: it has

	wake   func()      // tells the pump that there is a batch again
	waiter atomic.Bool // the pump waits for that; it is set before the pump looks again, and read after a batch is there
}

// batch is records that were read together.
type batch struct {
	recs  []traces.Record
	n     int
	err   error // what the source said after them
	bytes int64 // of the input consumed by then
}

// newAhead begins to read. wake is called on the reader's goroutine, until stop has
// returned.
func newAhead(src Source, wake func()) *ahead {
	a := &ahead{src: src, wake: wake, free: make(chan *batch, aheadBatches), full: make(chan *batch, aheadBatches),
		quit: make(chan struct{}), left: make(chan struct{})}
	for range aheadBatches {
		a.free <- &batch{recs: make([]traces.Record, readBatch)}
	}
	go a.read()
	return a
}

// read is the reader. Sending never blocks: there is room for all batches there are.
func (a *ahead) read() {
	defer close(a.left)
	for {
		var b *batch
		select {
		case b = <-a.free:
		case <-a.quit:
			return
		}
		b.n, b.err = a.src.Read(b.recs)
		b.bytes = bytesRead(a.src)
		last := b.err != nil
		a.full <- b
		if a.waiter.Swap(false) {
			a.wake()
		}
		if last {
			return
		}
	}
}

// next takes the next batch and gives back the one before, if there was one. nil:
// there is none yet, and wake will be called. Not after the batch with the error.
func (a *ahead) next(before *batch) *batch {
	if before != nil {
		a.free <- before
	}
	for look := range 2 {
		select {
		case b := <-a.full:
			return b
		default:
		}
		if look == 0 {
			a.waiter.Store(true)
		}
	}
	return nil
}

// stop ends the reader and waits for it: then the source is its owner's again.
func (a *ahead) stop() {
	close(a.quit)
	<-a.left
}
