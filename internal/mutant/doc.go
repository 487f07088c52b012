// Package mutant tests the tests of the cancel protocol and of the lanes: it changes
// the real code of package aio or aio/lane in one place, for the worse, and looks
// whether the explorer's scenarios notice. A mutant that survives them is a hole in them.
//
// A [Mutant] is a piece of text that occurs exactly once in a file, and what it is
// replaced by. Nothing is written into the tree: the changed file is laid over the
// real one with the -overlay flag of the go command. The scenarios are the tests
// of the package's files interleave_*_test.go that use the explorer. A mutant counts as
// killed if it compiles and a scenario fails because the explorer found something.
// That it does not compile, crashes, or runs into the time limit does not count.
//
// Where the same change is a model.Fault (package model), the model must find it
// as well; a few break only what no caller can see, and are the model's alone.
//
// There are no equivalent mutants in the list. What was tried and turned out to
// change nothing is said at the end of mutants.go, because it says something about
// the code.
//
// TestEveryMutantIsKilled prints which check caught which. By its name, that is
// all of them:
//
//	go test ./internal/mutant -run TestEveryMutantIsKilled -v
//
// In a run of all tests it is a few, and their number is in the output.
package mutant
