// Package threshold reads and checks what a user demands of a result:
// "p(99.9)<2ms", "read.p(99)<=1ms", "iops>10000", "cancelled<1%". A result that
// does not meet one is told with its figure.
//
//	[OP.][STAGE.]p(N)|mean|min|max  <|<=|>|>=  a duration
//	iops|bandwidth                  ...        a number, or a size a second
//	failed|cancelled|late|too_late|submitted|completed ... a number, or percent of the submitted
//
// OP is read, write, flush, discard, write-zeroes or all (without one: all); STAGE
// is queue, device, service, slip or cancel (without one: from due to the event).
// Of a comparison the demand is on the change from the first to the second run, in
// percent: "p(99)<+5%", "iops>-3%".
//
// A [Slip] is a demand on how exactly a run kept its times: "1ms", "1ms:0.1%".
//
// Nothing here keeps state; any goroutine may call it.
package threshold
