package mutant

// submitMutants are in Submit, and in what it reserves.
var submitMutants = []Mutant{
	{
		Name: "failed-submit-keeps-the-tag", File: "submit.go", By: "TestFailedPageLosesNoTag",
		Why: "defect (c): each page that could not be had costs a tag for ever",
		Old: `
		c.tags.give(group, mask)
		c.unreserve(1)
`,
		New: `
		c.unreserve(1)
`,
	},
	{
		Name: "failed-submit-keeps-the-place", File: "submit.go", By: "TestFailedPageLosesNoTag",
		Why: "each page that could not be had makes the context smaller",
		Old: `
		c.tags.give(group, mask)
		c.unreserve(1)
`,
		New: `
		c.tags.give(group, mask)
`,
	},
	{
		Name: "reserve-is-a-store", File: "context.go", By: "TestShutdownMeetsSubmit",
		Why: "two submits count as one, and the rings have one place too few",
		Old: `
		step.CAS(&c.submitted, s)
		if c.submitted.CompareAndSwap(s, s+int64(got)) {
			return got, nil
		}
`,
		New: `
		step.Write(&c.submitted)
		c.submitted.Store(s + int64(got))
		return got, nil
`,
	},
	{
		Name: "reserve-one-too-many", File: "context.go", By: "TestOnePlaceThreeLanes",
		Why: "one more I/O is let in than there are tags and places",
		Old: "got := min(n, c.capacity-int(s-c.reaped.Load()))",
		New: "got := min(n, c.capacity+1-int(s-c.reaped.Load()))",
	},
	{
		Name: "failed-batch-keeps-its-tags", File: "submit.go", By: "TestFailedBatchLosesNothing",
		Why: "the tags that the batch had taken for its other I/Os are lost",
		Old: `
			c.tags.give(group, mask)
			c.unreserve(n - done)
`,
		New: `
			c.unreserve(n - done)
`,
	},
	{
		Name: "failed-batch-keeps-its-places", File: "submit.go", By: "TestFailedBatchLosesNothing",
		Why: "the places of the I/Os that were not submitted are lost",
		Old: `
			c.unreserve(n - done)
`,
		New: `
			c.unreserve(1)
`,
	},
	{
		Name: "generation-of-the-page", File: "submit.go", By: "TestRegisterCancelCompleteReuse",
		Why: "every I/O of a slot has the same ID",
		Old: "gen := max(wordGen(s.word.Load()), 1)",
		New: "gen := uint64(1)",
	},
}
