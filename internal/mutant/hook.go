package mutant

// hookMutants are in SetHook, TryStartHook and Batch.
var hookMutants = []Mutant{
	{
		Name: "hook-of-any-generation", File: "hook.go", By: "TestStaleHooksTouchNothing",
		Why: "a target that is late registers its hook for the next I/O",
		Old: "		case !sameGen(w, id), st == stateFree, st == stateDone:",
		New: "		case st == stateFree, st == stateDone:",
	},
	{
		Name: "hook-when-done", File: "hook.go", By: "TestHookCancelComplete",
		Why: "a completed I/O is made one that may be cancelled",
		Old: "		case !sameGen(w, id), st == stateFree, st == stateDone:",
		New: "		case !sameGen(w, id), st == stateFree:",
	},
	{
		Name: "hook-twice", File: "hook.go", By: "TestHookOrFunctionIsTaken",
		Why: "a hook is registered beside a callback",
		Old: `
		case w&flagHasFn != 0:
			return armTwice
`,
		New: "",
	},
	{
		Name: "hook-loses-an-earlier-cancel", File: "hook.go", By: "TestHookAfterACancelRuns",
		Why: "a cancel before the registration never calls back",
		Old: "			next, then = withState(next, stateCancelling), armRun",
		New: "			next, then = withState(next, stateCancelled), armSet",
	},
	{
		Name: "hook-runs-in-cancelled", File: "hook.go", By: "TestHookCancelComplete",
		Why: "the completion is not held off while the callback runs",
		Old: "			next, then = withState(next, stateCancelling), armRun",
		New: "			next, then = withState(next, stateCancelled), armRun",
	},
	{
		Name: "hooked-start-after-a-cancel", File: "hook.go", By: "TestHookedStartMeetsCancel",
		Why: "the device sees an I/O whose cancel was accepted",
		Old: "wordState(w) != stateLive {",
		New: "wordState(w) != stateLive && wordState(w) != stateCancelled {",
	},
	{
		Name: "hooked-start-of-any-generation", File: "hook.go", By: "TestStaleHooksTouchNothing",
		Why: "a target that is late starts the next I/O",
		Old: "		if !sameGen(w, id) || wordState(w) != stateLive {",
		New: "		if wordState(w) != stateLive {",
	},
	{
		Name: "batch-is-not-flushed", File: "batch.go", By: "TestBatchIsReaped",
		Why: "what a batch has completed is never shown",
		Old: "p != nil && p.corked == 0 {",
		New: "p != nil && p.corked > 0 {",
	},
}
