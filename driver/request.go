package driver

import "blksim/aio"

// A Request is one command for a device. The block layer merges I/Os that lie one
// behind the other and splits those that pass the driver's Limits, so a request has
// one buffer or several and keeps every limit: a driver with none walks over Bufs
// and is done.
//
// The block layer makes all requests of a queue when it opens it, one for each tag,
// and uses them again and again; the driver owns a request from a Submit that
// answers OK until Complete.
type Request struct {
	Op   aio.Op
	FUA  bool     // of a Write: it completes when its data is on the medium; set only where Limits.FUA is
	Tag  int      // 0 <= Tag < depth: no two requests that are with the driver share one
	Off  int64    // first byte on the device; a multiple of the block size
	Len  int64    // bytes; 0 for Flush
	Bufs [][]byte // the data, Len bytes in all, for Read and Write: one buffer or several, each of whole blocks; the driver's until Complete

	owner Completer

	Driver any // the driver's own; kept from one use of the request to the next
}

// A Completer gets a request back. The block layer is one; so is a driver that
// wraps another, and a test.
type Completer interface {
	CompleteRequest(r *Request, st aio.Status, n int64)
}

// NewRequest makes a request with the given tag that goes back to owner.
func NewRequest(owner Completer, tag int) *Request {
	return &Request{Tag: tag, owner: owner}
}

// Complete gives r back: st is how it ended and n the bytes transferred. The
// driver calls it exactly once for each Submit that answered OK, on the queue's
// lane, and does not touch r or its buffers afterwards. It never calls back
// into the driver.
//
// With OK and fewer than r.Len bytes the first n are done, and the block layer
// sends the rest again. With any other status they are done too, but the rest is
// not.
func (r *Request) Complete(st aio.Status, n int64) { r.owner.CompleteRequest(r, st, n) }

// Forward makes r ask for what from asks for; tag, owner and Driver stay r's
// own. It is how a driver that wraps another hands a request on.
func (r *Request) Forward(from *Request) {
	r.Op, r.Off, r.Len, r.Bufs, r.FUA = from.Op, from.Off, from.Len, from.Bufs, from.FUA
}
