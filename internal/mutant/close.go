package mutant

// closeMutants are in the teardown.
var closeMutants = []Mutant{
	{
		Name: "submit-after-close", File: "context.go", By: "TestShutdownMeetsSubmit",
		Why: "a submit succeeds in a context that is closed",
		Old: `
		if r&closedBit != 0 {
			return 0, ErrClosed
		}
		got := min(n, c.capacity-int(r))
`,
		New: `
		got := min(n, c.capacity-int(r&^closedBit))
`,
	},
	{
		Name: "submit-does-not-look-again", File: "context.go", By: "TestShutdownMeetsSubmit",
		Why: "an I/O that the walk of Shutdown missed is never cancelled",
		Old: `
	t.Start(l, Kiocb{c, id})
	c.closedMeanwhile(id)
`,
		New: `
	t.Start(l, Kiocb{c, id})
`,
	},
	{
		Name: "walk-before-close", File: "close.go", By: "TestShutdownMeetsSubmit",
		Why: "an I/O that is submitted between the walk and the close is never cancelled",
		Old: `
	step.Write(&c.reserved)
	c.reserved.Or(closedBit)
	c.CancelAll()
`,
		New: `
	c.CancelAll()
	step.Write(&c.reserved)
	c.reserved.Or(closedBit)
`,
	},
	{
		Name: "walk-leaves-out-the-last", File: "cancel.go", By: "TestShutdownAsksTheFirstAndTheLast",
		Why: "the I/O with the last index is not cancelled by a teardown",
		Old: "range uint32(c.capacity) {",
		New: "range uint32(c.capacity - 1) {",
	},
	{
		Name: "in-flight-counts-the-rings-first", File: "close.go", By: "TestCloseCountsWhatIsReapedMeanwhile",
		Why: "an event that is reaped in between is counted as two, and Close returns with an I/O in flight",
		Old: `
	// In this order: what leaves the rings in between was reserved before.
	step.Read(&c.reserved)
	n := int(c.reserved.Load() &^ closedBit)
	for _, p := range c.lanes {
		if p != nil {
			n -= p.ring.len()
		}
	}
	return max(n-c.outside.len(), 0)
`,
		New: `
	n := -c.outside.len()
	for _, p := range c.lanes {
		if p != nil {
			n -= p.ring.len()
		}
	}
	step.Read(&c.reserved)
	return max(n+int(c.reserved.Load()&^closedBit), 0)
`,
	},
	{
		Name: "closer-looks-before-it-says-so", File: "close.go", By: "TestCloseMeetsCompleteAndReap",
		Why: "the last event comes between the look and the sleep, and wakes nobody",
		Old: `
	c.sleepers(waitCloser, true)
	defer c.sleepers(waitCloser, false)
	for {
		if c.InFlight() == 0 {
			return nil
		}
`,
		New: `
	for {
		if c.InFlight() == 0 {
			return nil
		}
		c.sleepers(waitCloser, true)
		defer c.sleepers(waitCloser, false)
`,
	},
	{
		Name: "release-wakes-nobody", File: "context.go", By: "TestCloseMeetsCompleteAndReap",
		Why: "who waits for the last place of a closed context sleeps for ever",
		Old: `
	if c.reserved.Add(-int64(n))&closedBit != 0 {
		c.wakeUp()
	}
`,
		New: `
	c.reserved.Add(-int64(n))
`,
	},
	{
		Name: "wakes-one-kind", File: "events.go", By: "TestCloseMeetsCompleteAndReap",
		Why: "while somebody reaps, who closes is not woken",
		Old: `
	if w&waitReaper != 0 {
		signal(c.wake)
	}
	if w&waitCloser`,
		New: `
	if w&waitReaper != 0 {
		signal(c.wake)
	} else if w&waitCloser`,
	},
	{
		Name: "batch-does-not-look-again", File: "context.go", By: "TestShutdownMeetsBatch",
		Why: "the I/Os of a batch that the walk of Shutdown missed are never cancelled",
		Old: `
	for _, k := range batch {
		p.c.closedMeanwhile(k.id)
	}
`,
		New: `
`,
	},
}
