// Package faultplan is the language of faults: what goes wrong, with which
// operations, where, how likely, how often and when. A plan is text, one rule a
// line, and the same for every layer that can make faults:
//
//	# the middle of the device is bad, at times
//	read-error lba=1000-1999 chance=0.01 count=5
//	write-error op=write,trim lba=5000
//	spike op=read chance=0.001 for=5ms
//	hang count=1 after=10ms until=20ms
//	lost-interrupt chance=0.1 until=1s
//	power-cut after=30ms
//
// The first word is what ([What]); the others are key=value, in any order:
//
//	op      operations: read, write, flush, trim, with commas; none: all that the fault can meet
//	lba     logical blocks, first-last, or one; none: all, and operations without blocks
//	chance  0 to 1, that an operation in question is hit; none: 1
//	count   how many are hit at most; none: any number
//	after   from which time on, since the start; none: 0
//	until   up to which time, not included; none: for ever
//	for     how long a spike or a stall lasts
//
// Lines that are empty or begin with # are kept. [Parse] is strict: a word that it
// does not know, a key twice, a key that has no use for this fault, or a value out
// of its range is an error that names the line. [Plan.String] prints the plan with
// the keys in the order above; what it prints, Parse reads back as the same plan,
// and a text in that form is printed back byte for byte.
//
// A plan is a value; an [Injector] is a plan at work: it counts, and draws its
// chances from a stream of the caller's, so that a run follows from its seed. It
// belongs to one lane.
package faultplan
