// Package lanetest holds the rules of package lane in a form that any
// [lane.Group] can be put to: the real one and the simulated world both pass
// them, which is what lets the stack run on either without knowing.
//
// A rule never waits for a time to pass by itself: it runs functions with Do,
// and every Do ends when the last function or timer of the rule has run.
package lanetest
