package mutant

// registerMutants are in SetCancelFunc.
var registerMutants = []Mutant{
	{
		Name: "register-twice", File: "word.go", By: "TestOneOfTwoRegistrationsIsTaken",
		Why: "a second registration replaces the callback of the first",
		Old: `
		case w&flagHasFn != 0:
			return armTwice
`,
		New: `
		case w&flagHasFn != 0 && st != stateArmed:
			return armTwice
		case st == stateArmed:
			next, then = withState(w, stateArming), armStore
`,
	},
	{
		Name: "register-while-the-callback-runs", File: "word.go", By: "TestOneOfTwoRegistrationsIsTaken",
		Why: "defect (e): a second registration leaves CANCELLING",
		Old: `
		case w&flagHasFn != 0:
			return armTwice
`,
		New: "",
	},
	{
		Name: "register-when-done", File: "word.go", By: "TestRegisterCancelComplete",
		Why: "defect (g): the callback of a completed I/O is called",
		Old: `
		case !sameGen(w, id), st == stateFree, st == stateDone:
			return armLate
`,
		New: `
		case !sameGen(w, id), st == stateFree:
			return armLate
`,
	},
	{
		Name: "register-of-any-generation", File: "word.go", By: "TestRegisterCancelCompleteReuse",
		Why: "a target that is late registers a callback for the next I/O",
		Old: `
		case !sameGen(w, id), st == stateFree, st == stateDone:
			return armLate
`,
		New: `
		case st == stateFree, st == stateDone:
			return armLate
`,
	},
	{
		Name: "register-loses-an-earlier-cancel", File: "word.go", By: "TestRefusalsTellTheReason",
		Why: "a cancel before the registration never calls back",
		Old: `
			next, then = withState(w, stateCancelling)|flagHasFn, armRun
`,
		New: `
			next, then = w|flagHasFn, armSet
`,
	},
	{
		Name: "immediate-call-in-cancelled", File: "word.go", By: "TestRegisterCancelComplete",
		Why: "defect (f): the completion is not held off while the callback runs",
		Old: `
			next, then = withState(w, stateCancelling)|flagHasFn, armRun
`,
		New: `
			next, then = w|flagHasFn, armRun
`,
	},
	{
		Name: "register-without-arming", File: "word.go", By: "TestRegisterCancelComplete",
		Why: "the word promises a callback before it is stored",
		Old: `
			next, then = withState(w, stateArming)|flagHasFn, armStore
`,
		New: `
			next, then = withState(w, stateArmed)|flagHasFn, armStore
`,
	},
	{
		Name: "arming-loses-a-cancel", File: "word.go", By: "TestRegisterCancelComplete",
		Why: "a cancel that comes while the callback is stored never calls back",
		Old: `
		case w&flagAsked != 0:
			next, then = withState(w, stateCancelling), armRun
		default:`,
		New: "		default:",
	},
	{
		Name: "arming-loses-a-result", File: "word.go", By: "TestRegisterCancelComplete",
		Why: "a result that was left for the registrar is never delivered",
		Old: `
		case w&flagPending != 0:
			next, then = withState(w, stateDone), armDeliver
`,
		New: "",
	},
	{
		Name: "arming-calls-after-a-completion", File: "word.go", By: modelOnly,
		Why: "the callback is called after Complete was, and may find its state freed",
		Old: `
		case w&flagClaimed != 0 && w&flagAsked != 0:
			next, then = withState(w, stateCancelled), armLate
`,
		New: "",
	},
}
