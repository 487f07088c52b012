package mutant

// inboxMutants are in the inbox of a lane: posting, taking, parking and waking.
var inboxMutants = []Mutant{
	{
		Name: "park-does-not-look", File: "lane/inbox.go", By: "TestPostMeetsPark",
		Why: "the lane sleeps on what was posted since it took the last batch",
		Old: "	b.parked = len(b.posted) == 0 && !b.closed\n",
		New: "	b.parked = !b.closed\n",
	},
	{
		Name: "park-looks-before-it-says-so", File: "lane/inbox.go", By: "TestPostMeetsPark",
		Why: "a post between the look and the word sees nobody parked and wakes nobody",
		Old: `
	b.parked = len(b.posted) == 0 && !b.closed
`,
		New: `
	idle := len(b.posted) == 0 && !b.closed
	b.mu.Unlock()
	step.Write(&b.mu)
	b.mu.Lock()
	b.parked = idle
`,
	},
	{
		Name: "park-says-nothing", File: "lane/inbox.go", By: "TestPostMeetsPark",
		Why: "nobody knows that the lane is to be woken",
		Old: `
	parked := b.parked
	b.mu.Unlock()
	return parked
`,
		New: `
	parked := b.parked
	b.parked = false
	b.mu.Unlock()
	return parked
`,
	},
	{
		Name: "post-looks-before-it-appends", File: "lane/inbox.go", By: "TestPostMeetsPark",
		Why: "the lane parks between the look and the append, and is not woken",
		Old: `
	b.posted = append(b.posted, f)
	parked, waiter := b.parked, b.waiter
	b.parked = false
`,
		New: `
	parked, waiter := b.parked, b.waiter
	b.parked = false
	b.mu.Unlock()
	step.Write(&b.mu)
	b.mu.Lock()
	b.posted = append(b.posted, f)
`,
	},
	{
		Name: "post-wakes-before-it-appends", File: "lane/inbox.go", By: "TestPostMeetsPark",
		Why: "the lane wakes, finds nothing, and parks again",
		Old: `
	b.posted = append(b.posted, f)
	parked, waiter := b.parked, b.waiter
	b.parked = false
	b.mu.Unlock()
	if parked {
		b.rouse(waiter)
	}
	return true
`,
		New: `
	parked, waiter := b.parked, b.waiter
	b.parked = false
	b.mu.Unlock()
	if parked {
		b.rouse(waiter)
	}
	step.Write(&b.mu)
	b.mu.Lock()
	b.posted = append(b.posted, f)
	b.mu.Unlock()
	return true
`,
	},
	{
		Name: "post-in-front", File: "lane/inbox.go", By: "TestPostersMeetDrain",
		Why: "a sender's later function overtakes its earlier one",
		Old: "	b.posted = append(b.posted, f)\n",
		New: "	b.posted = append([]func(){f}, b.posted...)\n",
	},
	{
		Name: "post-without-its-lock", File: "lane/inbox.go", By: "TestPostersMeetDrain",
		Why: "of two that append at once one is lost",
		Old: `
	b.posted = append(b.posted, f)
	parked, waiter := b.parked, b.waiter
`,
		New: `
	posted := append(b.posted, f)
	b.mu.Unlock()
	step.Write(&b.mu)
	b.mu.Lock()
	b.posted = posted
	parked, waiter := b.parked, b.waiter
`,
	},
	{
		Name: "post-into-a-closed-inbox", File: "lane/inbox.go", By: "TestPostMeetsStop",
		Why: "a function is accepted that nobody will run",
		Old: `
	if b.closed {
		b.mu.Unlock()
		return false
	}
`,
		New: "",
	},
	{
		Name: "post-looks-for-closed-too-early", File: "lane/inbox.go", By: "TestPostMeetsStop",
		Why: "the lane stops between the look and the append",
		Old: `
		return false
	}
	b.posted = append(b.posted, f)
`,
		New: `
		return false
	}
	b.mu.Unlock()
	step.Write(&b.mu)
	b.mu.Lock()
	b.posted = append(b.posted, f)
`,
	},
	{
		Name: "post-is-refused-and-runs", File: "lane/inbox.go", By: "TestPostMeetsStop",
		Why: "who posted is told that it was refused",
		Old: `
	if b.closed {
		b.mu.Unlock()
		return false
	}
`,
		New: `
	if b.closed {
		b.posted = append(b.posted, f)
		b.mu.Unlock()
		return false
	}
`,
	},
	{
		Name: "take-in-two-steps", File: "lane/inbox.go", By: "TestPostMeetsPark",
		Why: "what is posted between the two is lost",
		Old: `
	batch, b.posted = b.posted, empty
`,
		New: `
	batch = b.posted
	b.mu.Unlock()
	step.Write(&b.mu)
	b.mu.Lock()
	b.posted = empty
`,
	},
	{
		Name: "take-fills-what-it-runs", File: "lane/inbox.go", By: "TestPostDuringDrain",
		Why: "what is posted meanwhile is written over the batch that runs",
		Old: "	batch, b.posted = b.posted, empty\n",
		New: "	batch, b.posted = b.posted, b.posted[:0]\n",
	},
	{
		Name: "take-learns-of-close-too-late", File: "lane/inbox.go", By: "TestPostMeetsStop",
		Why: "what was posted before the close, after an empty batch, never runs",
		Old: `
	b.parked = false
	closed = b.closed
	b.mu.Unlock()
`,
		New: `
	b.parked = false
	b.mu.Unlock()
	step.Write(&b.mu)
	b.mu.Lock()
	closed = b.closed
	b.mu.Unlock()
`,
	},
	{
		Name: "close-wakes-nobody", File: "lane/inbox.go", By: "TestPostMeetsStop",
		Why: "a parked lane sleeps for ever",
		Old: `
	waiter := b.waiter
	b.mu.Unlock()
	b.rouse(waiter)
`,
		New: `
	b.mu.Unlock()
`,
	},
	{
		Name: "close-drops-what-waits", File: "lane/inbox.go", By: "TestPostMeetsStop",
		Why: "what was accepted before the close does not run",
		Old: `
	b.closed = true
	b.parked = false
`,
		New: `
	b.closed = true
	b.posted = b.posted[:0]
	b.parked = false
`,
	},
	{
		Name: "post-wakes-the-inbox-only", File: "lane/inbox.go", By: "TestPostMeetsWait",
		Why: "a lane that waits in a ring is not woken",
		Old: `
	if parked {
		b.rouse(waiter)
`,
		New: `
	if waiter = nil; parked {
		b.rouse(waiter)
`,
	},
	{
		Name: "post-looks-for-the-waiter-too-early", File: "lane/inbox.go", By: "TestAttachMeetsPost",
		Why: "the lane attaches another between the look and the append, and waits in that",
		Old: `
	step.Write(&b.mu)
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return false
	}
	b.posted = append(b.posted, f)
	parked, waiter := b.parked, b.waiter
`,
		New: `
	step.Read(&b.mu)
	waiter := b.waiter
	step.Write(&b.mu)
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return false
	}
	b.posted = append(b.posted, f)
	parked := b.parked
`,
	},
	{
		Name: "close-wakes-the-inbox-only", File: "lane/inbox.go", By: "TestStopMeetsWait",
		Why: "a lane that waits in a ring does not stop",
		Old: `
	waiter := b.waiter
	b.mu.Unlock()
	b.rouse(waiter)
`,
		New: `
	b.mu.Unlock()
	b.wakeUp()
`,
	},
}
