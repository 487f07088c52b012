package mutant

// closeMutants are in the teardown.
var closeMutants = []Mutant{
	{
		Name: "submit-after-close", File: "context.go", By: "TestShutdownMeetsSubmit",
		Why: "a submit succeeds in a context that is closed",
		Old: `
		if s&closedBit != 0 {
			return 0, ErrClosed
		}
		step.Read(&c.reaped)
		got := min(n, c.capacity-int(s-c.reaped.Load()))
`,
		New: `
		step.Read(&c.reaped)
		got := min(n, c.capacity-int(s&^closedBit-c.reaped.Load()))
`,
	},
	{
		Name: "submit-does-not-look-again", File: "submit.go", By: "TestShutdownMeetsSubmit",
		Why: "an I/O that the walk of Shutdown missed is never cancelled",
		Old: `
	if c.isClosed() { // after the publication: either Shutdown's walk sees the I/O, or we see this
`,
		New: `
	if false {
`,
	},
	{
		Name: "walk-before-close", File: "close.go", By: "TestShutdownMeetsSubmit",
		Why: "an I/O that is submitted between the walk and the close is never cancelled",
		Old: `
	step.Write(&c.submitted)
	c.submitted.Or(closedBit)
	c.CancelAll()
`,
		New: `
	c.CancelAll()
	step.Write(&c.submitted)
	c.submitted.Or(closedBit)
`,
	},
	{
		Name: "walk-leaves-out-the-last", File: "cancel.go", By: "TestShutdownAsksTheFirstAndTheLast",
		Why: "the I/O with the last index is not cancelled by a teardown",
		Old: "range uint32(c.capacity) {",
		New: "range uint32(c.capacity - 1) {",
	},
	{
		Name: "in-flight-forgets-what-was-reaped", File: "close.go", By: "TestCloseCountsWhatIsReapedMeanwhile",
		Why: "an event that waits in the rings when it is reaped is counted twice, and Close returns with an I/O in flight",
		Old: `
	n := c.submitted.Load() &^ closedBit
	for _, p := range c.ports {
`,
		New: `
	n := c.submitted.Load()&^closedBit - c.reaped.Load()
	for _, p := range c.ports {
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
		Name: "unreserve-wakes-nobody", File: "context.go", By: "TestCloseMeetsFailedSubmit",
		Why: "who waits for the last place of a closed context sleeps for ever",
		Old: `
	if c.submitted.Add(-int64(n))&closedBit != 0 {
		c.wakeUp()
	}
`,
		New: `
	c.submitted.Add(-int64(n))
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
		Name: "batch-does-not-look-again", File: "submit.go", By: "TestShutdownMeetsBatch",
		Why: "the I/Os of a batch that the walk of Shutdown missed are never cancelled",
		Old: `
	if p.c.isClosed() {
`,
		New: `
	if false {
`,
	},
}
