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
		Old: "	return a.Swap(0)",
		New: `
	mask = a.Load()
	step.Write(a)
	a.Store(0)
	return mask`,
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
		Name: "give-is-two-steps", File: "tags.go", By: "TestGiveMeetsGiveInTheBitmap",
		Why: "tags that are taken in between are in the bitmap again, and those given are lost",
		Old: `
	if a.Or(mask) == 0 {
`,
		New: `
	was := a.Load()
	step.Write(a)
	if a.Store(was | mask); was == 0 {
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
		Name: "first-generation-is-zero", File: "submit.go", By: "TestRegisterCancelComplete",
		Why: "S11: the first I/O of a slot has the ID of none",
		Old: "gen := max(wordGen(s.word.Load()), 1)",
		New: "gen := max(wordGen(s.word.Load()), 0)",
	},
	{
		Name: "warm-is-a-store", File: "tags.go", By: "TestGiveMeetsGive",
		Why: "tags that come back while others do are lost",
		Old: `
		if p.warm.CompareAndSwap(w, uint64(group)<<32|uint64(uint32(w)|mask)) {
			return
		}
`,
		New: `
		p.warm.Store(uint64(group)<<32 | uint64(uint32(w)|mask))
		return
`,
	},
	{
		Name: "warm-forgets-its-group", File: "tags.go", By: "TestGiveToTwoGroups",
		Why: "tags that come back become those of the group that is there",
		Old: "if uint32(w) == 0 || uint32(w>>32) == group {",
		New: "if group = max(group, uint32(w>>32)); uint32(w) == 0 || uint32(w>>32) == group {",
	},
	{
		Name: "warm-is-taken-twice", File: "tags.go", By: "TestTakeWarm",
		Why: "two lanes take the tags that came back",
		Old: "if w := p.warm.Swap(0); uint32(w) != 0 {",
		New: "if w := p.warm.Load(); uint32(w) != 0 {",
	},
	{
		Name: "hint-is-cleared-for-good", File: "tags.go", By: "TestGiveToTwoGroups",
		Why: "L5: tags that come back while a lane finds their group empty are never found",
		Old: `
			if mask = p.grab(group); mask != 0 {
				c.next = group
				return group, mask
			}
		}
`,
		New: `
		}
`,
	},
	{
		Name: "no-hint", File: "tags.go", By: "TestTakeManyFromTwoGroups",
		Why: "L5: tags that come back to an empty group are never found",
		Old: `
	if a.Or(mask) == 0 {
		p.hint(group)
	}
`,
		New: `
	a.Or(mask)
`,
	},
}
