package flash

import "blksim/device/nvme"

// Abort is part of nvme.Medium; the package comment has the rule.
func (f *Flash) Abort(op *nvme.Op) bool {
	r := &f.requests[op.Slot]
	switch r.stage {
	case inFront:
		f.front.list.remove(&r.node)
		f.saveUnissued(r)
	case inLink:
		f.in.list.remove(&r.node)
		f.saveUnissued(r)
	case inBuffer:
		if r.begun {
			return false
		}
		f.buffer.waiting.remove(&r.node)
		f.saveUnissued(r)
	case inDies:
		if op.Kind == nvme.OpWrite && r.begun {
			return false
		}
		f.dropOps(r)
	case inOut:
		// The link has it until Latency before it is done.
		if f.lane.Now() >= r.at.Add(-f.cfg.Latency) {
			return false
		}
		f.out.list.remove(&r.node)
	case inFlush:
		if op.Kind != nvme.OpFlush {
			return false
		}
		f.buffer.marks.remove(&r.node)
	case inAck:
		if op.Kind != nvme.OpTrim {
			return false
		}
		f.ack.list.remove(&r.node)
	default:
		return false
	}
	r.stage, r.op = idle, nil
	return true
}

// saveUnissued counts a command that ends before its operations were made as
// one operation saved; it would have had at least that.
func (f *Flash) saveUnissued(r *request) {
	if r.op.Kind == nvme.OpRead || r.op.Kind == nvme.OpWrite {
		f.stats.Saved++
	}
}

// takeBack removes those of r's operations that no die has begun.
func (f *Flash) takeBack(r *request) {
	for o := r.ops; o != nil; o = o.sibling {
		if o.die.cancel(o) {
			f.stats.Saved++
			o.state = opDone
		}
	}
}

// dropOps rids r of its operations. They are taken back before any is dropped:
// a die that is let go must not begin another of them.
func (f *Flash) dropOps(r *request) {
	f.takeBack(r)
	for o := r.ops; o != nil; {
		next := o.sibling
		switch {
		case o.state == opDone:
			f.freeOp(o)
		case o.state == opWaiting && o.kind == opRead: // in the page register: the die can go on
			f.stats.Dropped++
			o.die.channel.queue.remove(&o.node)
			o.die.release(f.lane.Now())
			f.freeOp(o)
		default: // it ends for nobody
			f.stats.Dropped++
			o.request, o.sibling = nil, nil
		}
		o = next
	}
	r.ops, r.pending = nil, 0
}

// Reset is part of nvme.Medium: every request is forgotten, whatever its stage.
// Rows in the buffer go on to the medium, and so do programs that have begun.
func (f *Flash) Reset() {
	for _, l := range []*line{f.front, f.in, f.out, f.ack} {
		l.reset()
	}
	f.buffer.waiting, f.buffer.marks = list[request]{}, list[request]{}
	for i := range f.requests {
		f.takeBack(&f.requests[i])
	}
	for i := range f.requests {
		r := &f.requests[i]
		f.dropOps(r)
		r.stage, r.op, r.node.next, r.node.prev = idle, nil, nil, nil
	}
}
