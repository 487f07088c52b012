// Package report turns finished runs into what a user reads: a table for people,
// with the runs side by side, and JSON for programs. It computes nothing that is
// not in the runs, and the same runs give the same bytes.
package report
