package mutant

// submitMutants are in Submit, and in what it reserves.
var submitMutants = []Mutant{
	{
		Name: "failed-submit-keeps-the-tag", File: "context.go", By: "TestFailedPageLosesNoTag",
		Why: "defect (c): each page that could not be had costs a tag for ever",
		Old: `
	if p == nil {
		c.tags.give(tag)
		return 0
	}
`,
		New: `
	if p == nil {
		return 0
	}
`,
	},
	{
		Name: "failed-submit-keeps-the-place", File: "context.go", By: "TestFailedPageLosesNoTag",
		Why: "each page that could not be had makes the context smaller",
		Old: `
	if id == 0 {
		c.release(1)
		return 0, ErrNoMemory
	}
`,
		New: `
	if id == 0 {
		return 0, ErrNoMemory
	}
`,
	},
	{
		Name: "reserve-is-a-store", File: "context.go", By: "TestShutdownMeetsSubmit",
		Why: "two submits count as one, and the rings have one place too few",
		Old: `
		step.CAS(&c.reserved, r)
		if c.reserved.CompareAndSwap(r, r+int64(got)) {
			return got, nil
		}
`,
		New: `
		step.Write(&c.reserved)
		c.reserved.Store(r + int64(got))
		return got, nil
`,
	},
	{
		Name: "reserve-one-too-many", File: "context.go", By: "TestOnePlaceThreeLanes",
		Why: "one more I/O is let in than there are tags and places",
		Old: "got := min(n, c.capacity-int(r))",
		New: "got := min(n, c.capacity+1-int(r))",
	},
	{
		Name: "failed-batch-keeps-its-tags", File: "context.go", By: "TestFailedBatchLosesNothing",
		Why: "the tags that the batch had taken for its other I/Os are lost",
		Old: `
				for ; mask != 0; mask &= mask - 1 {
					c.tags.give(tagOf(group, mask&-mask))
				}
`,
		New: `
`,
	},
	{
		Name: "failed-batch-keeps-its-places", File: "context.go", By: "TestFailedBatchLosesNothing",
		Why: "the places of the I/Os that were not submitted are lost",
		Old: `
				c.release(n - len(batch))
`,
		New: `
				c.release(1)
`,
	},
	{
		Name: "generation-of-the-page", File: "context.go", By: "TestRegisterCancelCompleteReuse",
		Why: "every I/O of a slot has the same ID",
		Old: `
	gen := wordGen(p.words[i].Load()) // ours alone: the tag is
`,
		New: `
	gen := min(wordGen(p.words[i].Load()), 1)
`,
	},
}
