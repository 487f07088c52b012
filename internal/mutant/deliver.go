package mutant

// deliverMutants are in the delivery.
var deliverMutants = []Mutant{
	{
		Name: "tag-before-the-word", File: "context.go", By: "TestRegisterCancelComplete",
		Why: "who takes the tag publishes an I/O, and the old delivery overwrites its word",
		Old: `
	step.Write(&p.words[i])
	p.words[i].Store(freed(w))
	c.tags.give(id.index())
`,
		New: `
	c.tags.give(id.index())
	step.Write(&p.words[i])
	p.words[i].Store(freed(w))
`,
	},
	{
		Name: "event-after-the-slot", File: "context.go", By: "TestRegisterCancelCompleteReuse",
		Why: "the event is made of the body of the next I/O in the slot",
		Old: `
	c.tags.give(id.index())
	c.post(l, &ev)
`,
		New: `
	c.tags.give(id.index())
	step.Read(b)
	ev.Data, ev.N, ev.Status = b.data, b.result, b.status
	c.post(l, &ev)
`,
	},
	{
		Name: "clear-after-the-word", File: "context.go", By: "TestRegisterCancelCompleteReuse",
		Why: "the callback and the buffer of the next I/O are cleared",
		Old: `
	step.Write(&p.cold[i])
	p.cold[i].buf = nil
	if w&flagHasFn != 0 {
		p.cold[i].fn = nil
	}
	step.Write(&p.words[i])
	p.words[i].Store(freed(w))
	c.tags.give(id.index())
`,
		New: `
	step.Write(&p.words[i])
	p.words[i].Store(freed(w))
	c.tags.give(id.index())
	step.Write(&p.cold[i])
	p.cold[i].buf = nil
	if w&flagHasFn != 0 {
		p.cold[i].fn = nil
	}
`,
	},
	{
		Name: "callback-is-kept", File: "context.go", By: "TestRegisterCancelComplete",
		Why: "a free slot keeps its callback, and all that it refers to, alive",
		Old: `
	if w&flagHasFn != 0 {
		p.cold[i].fn = nil
	}
`,
		New: "",
	},
	{
		Name: "event-names-the-next", File: "context.go", By: "TestRegisterCancelComplete",
		Why: "the event names the next I/O of the slot",
		Old: "		ID: id, Data: b.data,",
		New: "		ID: id + 1<<indexBits, Data: b.data,",
	},
	{
		Name: "event-forgets-the-cancel", File: "context.go", By: "TestRegisterCancelComplete",
		Why: "an event that the canceller delivers does not say that there was a cancel",
		Old: "CancelAsked: w&flagAsked != 0,",
		New: "CancelAsked: w&flagAsked != 0 && w&flagPending == 0,",
	},
	{
		Name: "event-before-the-tag", File: "context.go", By: "TestCloseMeetsCompleteAndReap",
		Why: "defect (m): all is delivered, Close returns, and a tag is still out",
		Old: `
	c.tags.give(id.index())
	c.post(l, &ev)
`,
		New: `
	c.post(l, &ev)
	c.tags.give(id.index())
`,
	},
}
