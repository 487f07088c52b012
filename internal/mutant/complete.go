package mutant

// completeMutants are in TryStart, Requeue and Complete.
var completeMutants = []Mutant{
	{
		Name: "start-after-a-cancel", File: "word.go", By: "TestCancelledBeforeItsStartNeverStarts",
		Why: "the device sees an I/O whose cancel was accepted",
		Old: `
w&(flagAsked|flagClaimed) != 0 {
			return false`,
		New: `
w&flagClaimed != 0 {
			return false`,
	},
	{
		Name: "start-of-any-generation", File: "word.go", By: "TestStaleHandlesTouchNothing",
		Why: "a target that is late starts the next I/O",
		Old: "		if !sameGen(w, id) || st == stateFree || st == stateDone || w&(flagAsked",
		New: "		if st == stateFree || st == stateDone || w&(flagAsked",
	},
	{
		Name: "requeue-after-completion", File: "word.go", By: "TestRequeueAfterCompleteChangesNothing",
		Why: "the event does not tell that the device had the I/O",
		Old: `
		if !sameGen(w, id) || st == stateFree || st == stateDone || w&flagClaimed != 0 {
			return
`,
		New: `
		if !sameGen(w, id) || st == stateFree || st == stateDone {
			return
`,
	},
	{
		Name: "requeue-of-any-generation", File: "word.go", By: "TestStaleRequeueTouchesNothing",
		Why: "a target that is late takes back the start of the next I/O",
		Old: `
		if !sameGen(w, id) || st == stateFree || st == stateDone || w&flagClaimed != 0 {
			return
`,
		New: `
		if st == stateFree || st == stateDone || w&flagClaimed != 0 {
			return
`,
	},
	{
		Name: "requeue-forgets-the-cancel", File: "word.go", By: "TestRequeuedIsCancellable",
		Why: "a cancel that was accepted at the device is lost when the I/O comes back",
		Old: "		if cas(a, w, w&^flagStarted) {",
		New: "		if cas(a, w, w&^(flagStarted|flagAsked)) {",
	},
	{
		Name: "complete-of-any-generation", File: "word.go", By: "TestStaleHandlesTouchNothing",
		Why: "a second completion ends the next I/O in the slot",
		Old: `
		case !sameGen(w, id), bit&(1<<stateFree|1<<stateDone) != 0, w&flagClaimed != 0:
			return completeStale
`,
		New: `
		case bit&(1<<stateFree|1<<stateDone) != 0, w&flagClaimed != 0:
			return completeStale
`,
	},
	{
		Name: "complete-when-done", File: "word.go", By: "TestOneOfTwoCompletionsIsTaken",
		Why: "two completions deliver",
		Old: `
		case !sameGen(w, id), bit&(1<<stateFree|1<<stateDone) != 0, w&flagClaimed != 0:
			return completeStale
`,
		New: `
		case !sameGen(w, id), bit&(1<<stateFree) != 0, w&flagClaimed != 0:
			return completeStale
`,
	},
	{
		Name: "complete-twice", File: "word.go", By: "TestOneOfTwoCompletionsIsTaken",
		Why: "a second completion changes the result that the first has left",
		Old: `
		case !sameGen(w, id), bit&(1<<stateFree|1<<stateDone) != 0, w&flagClaimed != 0:
			return completeStale
`,
		New: `
		case !sameGen(w, id), bit&(1<<stateFree|1<<stateDone) != 0:
			return completeStale
`,
	},
	{
		Name: "complete-while-arming", File: "word.go", By: "TestRegisterCancelComplete",
		Why: "the registrar stores its callback into the next I/O",
		Old: `
		case bit&(1<<stateArming|1<<stateCancelling) != 0:
			next, then = w|flagClaimed, completeStore
`,
		New: `
		case bit&(1<<stateCancelling) != 0:
			next, then = w|flagClaimed, completeStore
`,
	},
	{
		Name: "complete-while-the-callback-runs", File: "word.go", By: "TestRegisterCancelComplete",
		Why: "the I/O is delivered while its callback runs",
		Old: `
		case bit&(1<<stateArming|1<<stateCancelling) != 0:
			next, then = w|flagClaimed, completeStore
`,
		New: `
		case bit&(1<<stateArming) != 0:
			next, then = w|flagClaimed, completeStore
`,
	},
	{
		Name: "pending-before-the-result", File: "word.go", By: "TestRegisterCancelComplete",
		Why: "who leaves CANCELLING delivers a result that is not there yet",
		Old: `
			next, then = w|flagClaimed, completeStore
`,
		New: `
			next, then = w|flagClaimed|flagPending, completeStore
`,
	},
	{
		Name: "result-left-to-nobody", File: "word.go", By: "TestRegisterCancelComplete",
		Why: "the callback has ended, and nobody comes for the result",
		Old: `
		default: // the callback ended in between
			next, then = withState(w, stateDone), completeDeliver
`,
		New: `
		default: // the callback ended in between
			next, then = w|flagPending, completeLeft
`,
	},
	{
		Name: "result-not-pending", File: "word.go", By: "TestRegisterCancelComplete",
		Why: "who ends the callback does not know that there is a result",
		Old: `
			next, then = w|flagPending, completeLeft
`,
		New: `
			next, then = w, completeLeft
`,
	},
	{
		Name: "plain-of-any-generation", File: "word.go", By: "TestStaleHandlesTouchNothing",
		Why: "the short way of Complete ends the next I/O in the slot",
		Old: "	return sameGen(w, id) && (quiet",
		New: "	return (quiet",
	},
	{
		Name: "plain-with-any-flag", File: "word.go", By: "TestOneOfTwoCompletionsIsTaken",
		Why: "the short way of Complete takes an I/O that somebody has touched",
		Old: "(quiet == stateLive || quiet == stateArmed|flagHasFn)",
		New: "(quiet == stateLive || wordState(w) != stateFree)",
	},
	{
		Name: "plain-is-a-store", File: "kiocb.go", By: "TestRegisterCancelComplete",
		Why: "the short way of Complete loses a cancel that comes in between",
		Old: "if w := load(a); plain(w, k.id) && cas(a, w, withState(w, stateDone)) {",
		New: "if w := load(a); plain(w, k.id) && func() bool { step.Write(a); a.Store(withState(w, stateDone)); return true }() {",
	},
	{
		Name: "part-looks-twice", File: "word.go", By: "TestPartsStartTogether",
		Why: "a part is refused for a cancel that came after the other part had started",
		Old: `
		case w&flagStarted != 0:
			return true
		case w&(flagAsked|flagClaimed) != 0:
			return false
		}
		if cas(a, w, w|flagStarted) {
			return true
		}
`,
		New: `
		case w&flagStarted != 0:
			return true
		}
		return startAsk(a, id)
`,
	},
}
