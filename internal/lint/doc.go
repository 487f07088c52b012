// Package lint holds the rules that keep blksim what it is and that no compiler
// knows: determinism, who may import whom, and style. It runs as a test of this
// package, over the whole tree (go test ./internal/lint), and each finding says
// what to write instead.
//
// The rules read the source and nothing else: [Check] takes a file system with a
// go.mod at its root. Most work on one file's syntax. Only the rule about the
// order of maps needs types; it checks packages against stand-ins for the
// standard library, all of whose types are then unknown, so that it needs no
// build and takes milliseconds. What it cannot know (a map that a function of
// the standard library returns) it lets pass, except for package maps.
//
// A rule that has to be broken somewhere is excepted there by name, with the
// reason, in exceptions.go; an exception that nothing needs any more is itself
// a finding.
package lint
