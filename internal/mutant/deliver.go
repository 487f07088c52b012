package mutant

// deliverMutants are in the reaper's work with one I/O.
var deliverMutants = []Mutant{
	{
		Name: "tag-before-the-word", File: "events.go", By: "TestRegisterCancelComplete",
		Why: "who takes the tag publishes an I/O, and the reaper overwrites its word",
		Old: `
		step.Write(&s.word)
		s.word.Store(freed(w))
	}
	c.tags.give(group, mask)
`,
		New: `
		c.tags.give(group, mask)
		mask = 0
		step.Write(&s.word)
		s.word.Store(freed(w))
	}
`,
	},
	{
		Name: "event-after-the-slot", File: "events.go", By: "TestReapMeetsReuse",
		Why: "the event is made of the I/O that comes next in the slot",
		Old: `
		step.Write(&s.word)
		s.word.Store(freed(w))
	}
	c.tags.give(group, mask)
`,
		New: `
		step.Write(&s.word)
		s.word.Store(freed(w))
		c.tags.give(group, mask)
		mask = 0
		step.Read(&s.off)
		ev.Data, ev.N, ev.Status = s.data, s.result>>resultShift, Status(s.result)
	}
`,
	},
	{
		Name: "clear-after-the-word", File: "events.go", By: "TestReapMeetsReuse",
		Why: "the callback and the buffer of the next I/O are cleared",
		Old: `
		step.Write(&s.fn)
		s.buf = nil
		if w&(flagHasFn|hookMask) == flagHasFn {
			s.fn = nil
		}
		step.Write(&s.word)
		s.word.Store(freed(w))
	}
	c.tags.give(group, mask)
`,
		New: `
		step.Write(&s.word)
		s.word.Store(freed(w))
		c.tags.give(group, mask)
		mask = 0
		step.Write(&s.fn)
		s.buf = nil
		if w&(flagHasFn|hookMask) == flagHasFn {
			s.fn = nil
		}
	}
`,
	},
	{
		Name: "callback-is-kept", File: "events.go", By: "TestRegisterCancelComplete",
		Why: "a free slot keeps its callback, and all that it refers to, alive",
		Old: `
		if w&(flagHasFn|hookMask) == flagHasFn {
			s.fn = nil
		}
`,
		New: "",
	},
	{
		Name: "event-names-the-next", File: "events.go", By: "TestRegisterCancelComplete",
		Why: "the event names the next I/O of the slot",
		Old: "= makeID(wordGen(w), index), s.data,",
		New: "= makeID(wordGen(w)+1, index), s.data,",
	},
	{
		Name: "event-forgets-the-cancel", File: "events.go", By: "TestRegisterCancelComplete",
		Why: "an event that the canceller posts does not say that there was a cancel",
		Old: "w&flagStarted != 0, w&flagAsked != 0",
		New: "w&flagStarted != 0, w&flagAsked != 0 && w&flagPending == 0",
	},
	{
		Name: "slot-is-free-when-it-is-done", File: "word.go", By: "TestRegisterCancelComplete",
		Why: "an I/O whose event still waits is not found",
		Old: `
		case wordState(w) == stateFree:
			return NotFound, false
		case w&flagAsked`,
		New: `
		case wordState(w) == stateFree, wordState(w) == stateDone:
			return NotFound, false
		case w&flagAsked`,
	},
	{
		Name: "tag-of-another-group", File: "events.go", By: "TestReapFromTwoGroups",
		Why: "the tags that are reaped go back into another group than theirs",
		Old: `
			group, mask, p = g, 0, c.table.find(index)
`,
		New: `
			group, mask, p = group, 0, c.table.find(index)
`,
	},
	{
		Name: "tags-of-the-first-group-are-kept", File: "events.go", By: "TestReapFromTwoGroups",
		Why: "where a reap meets two groups the tags of the first are lost",
		Old: `
			if mask != 0 {
				c.tags.give(group, mask)
			}
`,
		New: "",
	},
}
