// Package figures is what the benchmark programs share: rows, each a number and what
// it has to be; the JSON of a run; and the tables in docs/performance.md, which are
// made from that JSON by a command and never typed.
//
// A program in bench or below it is its rows and a [Program] that runs them:
//
//	func main() { os.Exit(program().Main(os.Args[1:], os.Stdout, os.Stderr)) }
//
// What it has measured goes to results.json beside it, and from there, by -table,
// between two lines of the document that name the program.
package figures
