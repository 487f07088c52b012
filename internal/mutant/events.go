package mutant

// eventMutants are on the way of an event to its reader.
var eventMutants = []Mutant{
	{
		Name: "tail-before-the-event", File: "ring.go", By: "TestCompleterReusesTheSlot",
		Why: "the reader sees a slot of the ring before the event is in it",
		Old: `
	step.Write(slot)
	*slot = *ev
	step.Write(&r.tail)
	r.tail.Store(t + 1)
`,
		New: `
	step.Write(&r.tail)
	r.tail.Store(t + 1)
	step.Write(slot)
	*slot = *ev
`,
	},
	{
		Name: "head-before-the-event", File: "ring.go", By: "TestRingPushPop",
		Why: "the place is used again before the event is read",
		Old: `
	for i := range n {
		slot := &buf[(h+uint64(i))&uint64(len(buf)-1)]
		step.Read(slot)
		evs[i] = *slot
	}
	step.Write(&r.head)
	r.head.Store(h + uint64(n))
`,
		New: `
	step.Write(&r.head)
	r.head.Store(h + uint64(n))
	for i := range n {
		slot := &buf[(h+uint64(i))&uint64(len(buf)-1)]
		step.Read(slot)
		evs[i] = *slot
	}
`,
	},
	{
		Name: "outside-without-its-lock", File: "ring.go", By: "TestStaleHandlesTouchNothing",
		Why: "two that deliver outside all lanes write the same place of the ring",
		Old: `
	step.Lock(&r.mu)
	r.ring.push(ev, capacity)
	step.Unlock(&r.mu)
`,
		New: `
	r.ring.push(ev, capacity)
`,
	},
	{
		Name: "place-before-the-event", File: "events.go", By: "TestRegisterCancelComplete",
		Why: "the places of the events of no lane are never given back",
		Old: `
	if n < len(evs) {
		n += c.outside.pop(evs[n:])
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
		n += c.outside.pop(evs[n:])
	}
	return n
`,
	},
	{
		Name: "wakes-before-the-push", File: "events.go", By: "TestReaperIsWoken",
		Why: "the reader looks, finds nothing, and sleeps with the event there",
		Old: `
	} else {
		p.ring.push(ev, c.capacity)
		if`,
		New: `
	} else {
		c.wakeUp()
		p.ring.push(ev, c.capacity)
		if c.onEvents == nil {
			return
		}
		if`,
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
		b := make([]Event, 1<<bits.Len(uint(capacity-1)))
`,
		New: `
		b := make([]Event, 1<<(bits.Len(uint(capacity))-1))
`,
	},
}
