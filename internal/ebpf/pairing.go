package ebpf

// pairing makes events of bios and requests from classic tracepoints, which tell of each
// step apart, by place: a request that begins where a bio begins, or where the last
// one that it holds ended, has that bio. It is what blktrace's readers do, and it has the
// same limit: of two I/Os on one place at a time, the first to be queued is taken to be
// the first to end.
type pairing struct {
	queued    map[spot][]*part // bios that wait to be issued, by where their next byte lies
	issued    map[spot][]*part // and parts of them that wait to complete
	requests  map[spot]*pairedRequest
	flushes   map[Dev][]*pairedBio // those without data, which have no place
	underway  int
	last      int64 // time of the last event
	unmatched uint64
	counted   Counts
	out       []Event
}

// spot is where the next byte of an I/O lies. Reads, writes and discards do not mix.
type spot struct {
	dev    Dev
	op     uint8
	sector int64
}

type pairedBio struct {
	Event
	left      int64 // bytes that have not completed
	forgotten bool
}

// part is bytes of a bio that are in one place.
type part struct {
	bio  *pairedBio
	left int64
}

type pairedRequest struct {
	issue    int64
	bytes    int64
	bios     uint16
	requeues uint16
}

// staleAfter is how long a bio may be underway before another one on its place says that
// its end was never seen: as long as drivers wait for a request by default.
const staleAfter = int64(30e9)

func newPairing() *pairing {
	return &pairing{queued: map[spot][]*part{}, issued: map[spot][]*part{}, requests: map[spot]*pairedRequest{}, flushes: map[Dev][]*pairedBio{}}
}

// take takes the next event.
func (p *pairing) take(e stageEvent) {
	p.last = max(p.last, e.time)
	at := spot{e.dev, uint8(e.op), e.sector}
	switch e.action {
	case actQueue:
		p.queue(e, at)
	case actIssue:
		p.issue(e, at)
	case actRequeue:
		p.counted.Requeued++
		if r := p.requests[at]; r != nil {
			r.requeues++
		}
	case actComplete:
		p.complete(e, at)
	case actBioComplete:
		p.bioComplete(e, at)
	}
}

func (p *pairing) queue(e stageEvent, at spot) {
	b := &pairedBio{left: e.bytes}
	b.Event = Event{Kind: Bio, Queue: e.time, Sector: e.sector, Bytes: e.bytes, Dev: e.dev, PID: e.pid, TID: e.tid, Op: e.op, Flags: e.flags, Comm: e.comm}
	p.underway++
	if e.bytes == 0 {
		p.flushes[e.dev] = append(p.flushes[e.dev], b)
		return
	}
	// One whose end was lost must not be taken for what comes now on its place.
	p.forget(p.queued, at, e.time)
	p.forget(p.issued, at, e.time)
	p.queued[at] = append(p.queued[at], &part{b, e.bytes})
}

// forget leaves out a bio that has waited at a place for too long.
func (p *pairing) forget(waiting map[spot][]*part, at spot, now int64) {
	list := waiting[at]
	if len(list) == 0 || now-list[0].bio.Queue <= staleAfter {
		return
	}
	if !list[0].bio.forgotten {
		list[0].bio.forgotten = true
		p.underway--
		p.counted.Stale++
	}
	pop(waiting, at)
}

// pop takes the first of those that wait at a place.
func pop(waiting map[spot][]*part, at spot) *part {
	list := waiting[at]
	if len(list) == 1 {
		delete(waiting, at)
	} else {
		waiting[at] = list[1:]
	}
	return list[0]
}

// walk gives the parts of bios that lie in an extent, from its start on, and how many
// bytes of each do. What is left of a part waits where its next byte lies.
func walk(waiting map[spot][]*part, at spot, bytes int64, visit func(b *pairedBio, at spot, bytes int64)) (rest int64) {
	for bytes > 0 {
		if len(waiting[at]) == 0 {
			return bytes
		}
		x := pop(waiting, at)
		took := min(x.left, bytes)
		from := at
		x.left -= took
		bytes -= took
		at.sector += took / 512
		if x.left > 0 {
			waiting[at] = append(waiting[at], x)
		}
		visit(x.bio, from, took)
	}
	return 0
}

func (p *pairing) issue(e stageEvent, at spot) {
	p.counted.Issued++
	if e.bytes == 0 {
		return
	}
	r := p.requests[at]
	if r == nil {
		r = &pairedRequest{}
		p.requests[at] = r
	}
	r.issue, r.bytes = e.time, e.bytes
	if r.requeues > 0 {
		return // its bios have been issued before
	}
	walk(p.queued, at, e.bytes, func(b *pairedBio, at spot, bytes int64) {
		if r.bios++; r.bios > 1 {
			p.counted.BackMerges++ // or a front merge, or one of requests: the result is the same
		}
		if b.Bios++; b.Bios > 1 {
			p.counted.Splits++
		}
		if b.Issue == 0 {
			b.Issue = e.time
		}
		p.issued[at] = append(p.issued[at], &part{b, bytes})
	})
}

func (p *pairing) complete(e stageEvent, at spot) {
	p.counted.Requests++
	if e.status != 0 {
		p.counted.Failed++
	}
	if e.bytes == 0 {
		// The request that asked for a flush completes, and so does the one that
		// did it: the first is the bio's.
		if list := p.flushes[e.dev]; len(list) > 0 {
			p.flushes[e.dev] = list[1:]
			p.counted.Pieces++
			p.end(list[0], e)
		}
		return
	}
	request := Event{Kind: Request, Complete: e.time, Sector: e.sector, Bytes: e.bytes, Dev: e.dev, Op: e.op, Flags: e.flags, Status: errnoOf(e.status)}
	r := p.requests[at]
	if r != nil {
		request.Issue, request.Bios, request.Requeues = r.issue, r.bios, r.requeues
		delete(p.requests, at)
		if r.bytes > e.bytes { // a part of it: the rest goes on from there
			rest := *r
			rest.bytes -= e.bytes
			p.requests[spot{at.dev, at.op, at.sector + e.bytes/512}] = &rest
		}
	} else {
		p.counted.RequestsUnmatched++
	}
	rest := walk(p.issued, at, e.bytes, func(b *pairedBio, _ spot, bytes int64) {
		p.counted.Pieces++
		if request.Queue == 0 {
			request.Queue, request.PID, request.TID, request.Comm = b.Queue, b.PID, b.TID, b.Comm
		}
		if e.status != 0 {
			b.Status = errnoOf(e.status)
		}
		if b.left -= bytes; b.left == 0 && !b.forgotten {
			p.end(b, e)
		}
	})
	if rest > 0 {
		p.unmatched++
	}
	p.out = append(p.out, request)
}

// bioComplete is of a bio that was in no request.
func (p *pairing) bioComplete(e stageEvent, at spot) {
	if e.bytes == 0 {
		if list := p.flushes[e.dev]; len(list) > 0 {
			p.flushes[e.dev] = list[1:]
			p.counted.Unissued++
			p.end(list[0], e)
		}
		return
	}
	if len(p.queued[at]) == 0 {
		return
	}
	b := pop(p.queued, at).bio
	if e.status != 0 {
		b.Status = errnoOf(e.status)
	}
	p.counted.Unissued++
	if !b.forgotten {
		p.end(b, e)
	}
}

func (p *pairing) end(b *pairedBio, e stageEvent) {
	b.Complete = e.time
	b.Bios = max(b.Bios, 1)
	p.underway--
	p.out = append(p.out, b.Event)
}

// oldest is when the first bio was queued that is underway.
func (p *pairing) oldest() int64 {
	oldest := p.last
	for _, waiting := range []map[spot][]*part{p.queued, p.issued} {
		for _, list := range waiting {
			for _, x := range list {
				oldest = min(oldest, x.bio.Queue)
			}
		}
	}
	for _, list := range p.flushes {
		for _, b := range list {
			oldest = min(oldest, b.Queue)
		}
	}
	return oldest
}
