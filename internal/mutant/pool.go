package mutant

// poolMutants are in the tag pool and in the table of pages.
var poolMutants = []Mutant{
	{
		Name: "take-is-a-store", File: "tags.go", By: "TestTakeWhileStolenFrom",
		Why: "a tag that a thief has just taken is taken again",
		Old: `
			step.CAS(&c.word, w)
			if c.word.CompareAndSwap(w, w&^uint64(m)) {
				return uint32(w >> 32), m
			}
			continue // stolen from
`,
		New: `
			step.Write(&c.word)
			c.word.Store(w &^ uint64(m))
			return uint32(w >> 32), m
`,
	},
	{
		Name: "steal-is-a-store", File: "tags.go", By: "TestTakeMeetsGive",
		Why: "a tag that its owner has just taken is taken again",
		Old: `
			step.CAS(&victim.word, w)
			if victim.word.CompareAndSwap(w, w&^uint64(m)) {
				return uint32(w >> 32), m
			}
			step.Read(&victim.word)
			w = victim.word.Load()
`,
		New: `
			step.Write(&victim.word)
			victim.word.Store(w &^ uint64(m))
			return uint32(w >> 32), m
`,
	},
	{
		Name: "refill-is-two-steps", File: "tags.go", By: "TestTakeFromBitmap",
		Why: "two lanes find the same tags, or one that comes back in between is lost",
		Old: "		if mask := p.free[g].Swap(0); mask != 0 {",
		New: `
		mask = p.free[g].Load()
		step.Write(&p.free[g])
		if p.free[g].Store(0); mask != 0 {`,
	},
	{
		Name: "refill-keeps-what-it-took", File: "tags.go", By: "TestRegisterCancelCompleteReuse",
		Why: "a tag that was taken is in the cache as well, to be taken again",
		Old: `
			c.word.Store(uint64(group)<<32 | uint64(rest))
`,
		New: `
			c.word.Store(uint64(group)<<32 | uint64(mask))
`,
	},
	{
		Name: "give-is-two-steps", File: "tags.go", By: "TestCancelAllMeetsCancelAndComplete",
		Why: "tags that are taken in between are in the bitmap again, and those given are lost",
		Old: `
	a.Or(1 << (tag % groupTags))
`,
		New: `
	was := a.Load()
	step.Write(a)
	a.Store(was | 1<<(tag%groupTags))
`,
	},
	{
		Name: "steal-leaves-the-last", File: "tags.go", By: "TestTakeFromBitmap",
		Why: "L5: a single tag in another lane's cache is never found",
		Old: "(bits.OnesCount32(held)+1)/2)",
		New: "bits.OnesCount32(held)/2)",
	},
	{
		Name: "nobody-steals", File: "tags.go", By: "TestTakeFromBitmap",
		Why: "L5: with fewer tags than lanes, a submit waits for a tag that lies in another lane's cache",
		Old: `
			group, mask = p.steal(li)
`,
		New: `
			mask = 0
`,
	},
	{
		Name: "steal-looks-at-one", File: "tags.go", By: "TestTakeFromBitmap",
		Why: "L5: a tag in the cache of the lane after next is never found",
		Old: `
for i := 1; i < len(p.caches); i++ {
		victim`,
		New: `
for i := 1; i < 2; i++ {
		victim`,
	},
	{
		Name: "steal-takes-of-the-wrong-group", File: "tags.go", By: "TestTakeManyFromTwoGroups",
		Why: "the stolen tag is of another group: one is lost, and one is there twice",
		Old: `
			if victim.word.CompareAndSwap(w, w&^uint64(m)) {
				return uint32(w >> 32), m
			}
`,
		New: `
			if victim.word.CompareAndSwap(w, w&^uint64(m)) {
				return p.caches[li].next, m
			}
`,
	},
	{
		Name: "page-of-the-loser", File: "page.go", By: "TestPageIsInstalledOnce",
		Why: "S11: who loses the race for a page publishes on a page that nobody sees",
		Old: `
	if slot.CompareAndSwap(nil, p) {
		return p
	}
	return t.find(index)
`,
		New: `
	slot.CompareAndSwap(nil, p)
	return p
`,
	},
	{
		Name: "page-is-installed-twice", File: "page.go", By: "TestPageIsInstalledOnce",
		Why: "S11: the second page replaces the first, with the I/Os on it",
		Old: `
	if slot.CompareAndSwap(nil, p) {
		return p
	}
	return t.find(index)
`,
		New: `
	slot.Store(p)
	return p
`,
	},
	{
		Name: "page-before-its-words", File: "page.go", By: "TestRegisterCancelComplete",
		Why: "S11: the slots are of generation 0, whose first ID is no ID",
		Old: `
		p.words[i].Store(wordOf(1, stateFree))
`,
		New: `
		p.words[i].Store(stateFree)
`,
	},
}
