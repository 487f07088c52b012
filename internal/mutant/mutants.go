package mutant

import "slices"

// A Mutant is one change to one file of package aio or aio/lane.
type Mutant struct {
	Name string // that of the model's fault, where there is the same
	File string // below aio
	By   string // the scenario that is tried first, because it kills the mutant; or modelOnly
	Why  string // it is wrong
	Old  string // occurs exactly once; a line feed at its beginning is not part of it
	New  string // likewise
}

// modelOnly is the By of a mutant that breaks a rule of the inside only, which no
// caller of the real code can see: the model has to find it.
const modelOnly = "the model"

// Mutants are all of them.
func Mutants() []Mutant {
	return slices.Concat(cancelMutants, registerMutants, hookMutants, completeMutants, deliverMutants,
		submitMutants, closeMutants, poolMutants, eventMutants,
		inboxMutants, laneMutants)
}

// What was tried and changes nothing that anybody can see:
//
//   - Publishing the word before the body is filled: nobody reads a body before
//     Start is called, and Submit calls it after both.
//   - A cancel of LIVE that only sets the flag and leaves LIVE: each decision about
//     LIVE with the flag is the one about CANCELLED. The state is for readers.
//   - Reading the events of a ring after its head was moved: the places are given
//     back by release, after that, so nobody writes them. As a mutant it is in the
//     list all the same, for the ring by itself does not know of reservations.
//   - A lane that parks although its inbox is closed: close leaves a token in any
//     case, after it has closed, and each token is followed by a look.
