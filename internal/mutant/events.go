package mutant

// eventMutants are on the way of an event to its reader.
var eventMutants = []Mutant{
	{
		Name: "tail-before-the-event", File: "ring.go", By: "TestCompleterReusesTheSlot",
		Why: "the reader sees a place of the ring before there is an index in it",
		Old: `
	step.Write(slot)
	*slot = index
	r.staged++
}
`,
		New: `
	r.staged++
	r.publish()
	step.Write(slot)
	*slot = index
}
`,
	},
	{
		Name: "outside-without-its-lock", File: "ring.go", By: "TestStaleHandlesTouchNothing",
		Why: "two that deliver outside all lanes write the same place of the ring",
		Old: `
	step.Lock(&r.mu)
	r.make(capacity)
	r.stage(index)
	r.publish()
	step.Unlock(&r.mu)
`,
		New: `
	r.make(capacity)
	r.stage(index)
	r.publish()
`,
	},
	{
		Name: "place-before-the-event", File: "events.go", By: "TestRegisterCancelComplete",
		Why: "the places of the events of no lane are never given back",
		Old: `
	if n < len(evs) {
		n += c.reapRing(&c.outside.ring, evs[n:])
	}
	if n > 0 {
		c.release(n)
	}
	return n
`,
		New: `
	if n > 0 {
		c.release(n)
	}
	if n < len(evs) {
		n += c.reapRing(&c.outside.ring, evs[n:])
	}
	return n
`,
	},
	{
		Name: "wakes-before-the-push", File: "events.go", By: "TestReaperIsWoken",
		Why: "the reader looks, finds nothing, and sleeps with the event there",
		Old: `
	p.ring.publish()
	p.sendHandler()
	p.c.wakeUp()
`,
		New: `
	p.c.wakeUp()
	p.ring.publish()
	p.sendHandler()
`,
	},
	{
		Name: "handled-wakes-nobody", File: "events.go", By: "TestCloseMeetsHandler",
		Why: "where there is a handler, who closes sleeps for ever",
		Old: `
	p.sendHandler()
	p.c.wakeUp()
`,
		New: `
	p.sendHandler()
	if p.c.onEvents == nil {
		p.c.wakeUp()
	}
`,
	},
	{
		Name: "batch-is-not-published", File: "submit.go", By: "TestBatchCompletesAtOnce",
		Why: "what a batch completed at once stays staged, and nobody sees it",
		Old: `
	p.uncork()
	if p.c.isClosed`,
		New: `
	p.corked--
	if p.c.isClosed`,
	},
	{
		Name: "batch-stays-corked", File: "submit.go", By: "TestBatchCompletesAtOnce",
		Why: "what completes after the batch stays staged",
		Old: `
	p.uncork()
	if p.c.isClosed`,
		New: `
	p.publish()
	if p.c.isClosed`,
	},
	{
		Name: "reaper-looks-before-it-says-so", File: "events.go", By: "TestCompleterReusesTheSlot",
		Why: "the event comes between the look and the sleep, and wakes nobody",
		Old: `
	c.sleepers(waitReaper, true)
	defer c.sleepers(waitReaper, false)
	for {
		if n += c.reap(evs[n:]); n >= min {
			return n, nil
		}
`,
		New: `
	for {
		if n += c.reap(evs[n:]); n >= min {
			return n, nil
		}
		c.sleepers(waitReaper, true)
		defer c.sleepers(waitReaper, false)
`,
	},
	{
		Name: "drain-posted-too-long", File: "events.go", By: "TestHandlerSubmitsWhatCompletesAtOnce",
		Why: "an event that the handler's own submits complete is not drained",
		Old: `
	p.posted = false
	p.handle(&p.ring)
`,
		New: `
	p.handle(&p.ring)
	p.posted = false
`,
	},
	{
		Name: "outside-drain-posted-too-long", File: "events.go", By: "TestHandlerGetsEveryEvent",
		Why: "an event that is pushed while the lane drains is not drained",
		Old: `
	step.Write(&p.c.outPosted)
	p.c.outPosted.Store(false)
	p.handle(&p.c.outside.ring)
`,
		New: `
	p.handle(&p.c.outside.ring)
	step.Write(&p.c.outPosted)
	p.c.outPosted.Store(false)
`,
	},
	{
		Name: "place-after-the-handler", File: "events.go", By: "TestHandlerSubmitsWhatCompletesAtOnce",
		Why: "a handler that submits finds no room for what it replaces",
		Old: `
		c.release(got)
		c.onEvents(p.lane, p.evs[:got])
`,
		New: `
		c.onEvents(p.lane, p.evs[:got])
		c.release(got)
`,
	},
	{
		Name: "ring-for-fewer", File: "ring.go", By: "TestRingHasRoomForEveryIO",
		Why: "the ring has no room for every I/O of the context",
		Old: `
	r.own = make([]uint32, 1<<bits.Len(uint(capacity-1)))
`,
		New: `
	r.own = make([]uint32, 1<<(bits.Len(uint(capacity))-1))
`,
	},
}
