// Package delay wraps a driver and holds each request for a while before the
// wrapped driver sees it, so that any driver becomes as slow, and as uneven, as a
// study needs. How long is drawn from a [Distribution]; [Parse] reads one from
// text such as "exp:100us" or "99*fixed:80us 1*fixed:10ms".
//
// A request that is held can be cancelled truthfully: the device never saw it.
// So the queues have Cancel, unless Options.NoCancel leaves it out to study a
// driver without the callback. A request that has gone on is the wrapped
// driver's to cancel, if that can. A wrapped driver that says Busy to a request
// that was held gets it again after its next completion, or after
// Limits.RetryDelay if nothing is with it; the request is held meanwhile.
//
// Everything belongs to the queue's lane, which also has the random stream of the
// queue. No request is refused here, and none is allocated for.
package delay
