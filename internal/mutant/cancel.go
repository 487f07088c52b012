package mutant

// cancelMutants are in Cancel and in what follows an accepted one.
var cancelMutants = []Mutant{
	{
		Name: "swap-is-a-store", File: "word.go", By: "TestRegisterCancelComplete",
		Why: "what another did between the load and the store is lost",
		Old: `
	step.CAS(a, old)
	return a.CompareAndSwap(old, new)
`,
		New: `
	step.Write(a)
	a.Store(new)
	return true
`,
	},
	{
		Name: "generation-stays", File: "word.go", By: "TestRegisterCancelCompleteReuse",
		Why: "a stale ID is the ID of the next I/O in the slot",
		Old: "return (w | lowMask) + 1 }",
		New: "return w &^ lowMask }",
	},
	{
		Name: "cancel-of-any-generation", File: "word.go", By: "TestRegisterCancelCompleteReuse",
		Why: "a stale ID cancels the next I/O in the slot",
		Old: `
		if !sameGen(w, id) {
			return NotFound, false
		}
		switch {
`,
		New: `
		switch {
`,
	},
	{
		Name: "cancel-of-free", File: "word.go", By: "TestCancelOfTheNextGeneration",
		Why: "defect (k): a cancel of what is not published is accepted",
		Old: `
		case wordState(w) == stateFree:
			return NotFound, false
`,
		New: "",
	},
	{
		Name: "cancel-of-live-is-cancelling", File: "word.go", By: "TestRegisterCancelComplete",
		Why: "defect (a): CANCELLING, and there is no callback",
		Old: `
			next = withState(next, stateCancelled)
		case stateArmed:`,
		New: `
			next = withState(next, stateCancelling)
		case stateArmed:`,
	},
	{
		Name: "cancel-of-armed-calls-nothing", File: "word.go", By: "TestRegisterCancelComplete",
		Why: "the cancel is accepted, and the callback is never called",
		Old: `
			next = withState(next, stateCancelling)
		case stateArming:`,
		New: `
			next = withState(next, stateCancelled)
		case stateArming:`,
	},
	{
		Name: "cancel-of-arming-is-cancelled", File: "word.go", By: "TestRegisterCancelComplete",
		Why: "the registrar is not the only one to leave ARMING",
		Old: `
			// The registrar will find the flag and run the callback.
`,
		New: `
			next = withState(next, stateCancelled)
`,
	},
	{
		Name: "cancel-after-claim", File: "word.go", By: "TestRegisterCancelComplete",
		Why: "a cancel is accepted after the result was decided",
		Old: `
		case wordState(w) == stateDone, w&flagClaimed != 0:
			return TooLate, false
`,
		New: `
		case wordState(w) == stateDone:
			return TooLate, false
`,
	},
	{
		Name: "cancel-of-done-is-accepted", File: "word.go", By: "TestRegisterCancelComplete",
		Why: "accepted, and the event says that nobody cancelled",
		Old: `
		case wordState(w) == stateDone, w&flagClaimed != 0:
			return TooLate, false
`,
		New: `
		case wordState(w) == stateDone, w&flagClaimed != 0:
			return Accepted, false
`,
	},
	{
		Name: "cancel-runs-what-another-runs", File: "word.go", By: "TestRegisterCancelComplete",
		Why: "the callback is called while it is being registered",
		Old: `
			return Accepted, wordState(next) == stateCancelling
`,
		New: `
			return Accepted, wordState(next) != stateCancelled
`,
	},
	{
		Name: "finish-forgets-the-result", File: "word.go", By: "TestRegisterCancelComplete",
		Why: "a result that was left while the callback ran is never delivered",
		Old: `
		if w&flagPending != 0 {
			next = withState(w, stateDone)
		}
		if cas(a, w, next) {
			return w&flagPending != 0
`,
		New: `
		if cas(a, w, next) {
			return false
`,
	},
	{
		Name: "finish-always-delivers", File: "word.go", By: "TestRegisterCancelComplete",
		Why: "the end of the callback is taken for the end of the I/O",
		Old: `
			return w&flagPending != 0
`,
		New: `
			return true
`,
	},
	{
		Name: "deliver-before-finish", File: "cancel.go", By: "TestRegisterCancelComplete",
		Why: "CANCELLING is left before the callback has run, and a completion does not meet it",
		Old: `
	fn(k)
	if cancelFinish(&k.slot.word) {
		c.post(l, k.id.index())
	}
`,
		New: `
	deliver := cancelFinish(&k.slot.word)
	fn(k)
	if deliver {
		c.post(l, k.id.index())
	}
`,
	},
}
