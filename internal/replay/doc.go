// Package replay runs a stream of records over a disk and measures what became
// of each.
//
// # What runs where
//
// The pump owns the stream and the clock of the run, on lane 0: it decides when
// each record is due. Workers, one a lane, own the I/Os: they submit on their
// lane, arm the timers that cancel, and take the events. Records go from the
// pump to the workers in chunks, round robin, and room goes back as a count.
// Counters and histograms belong to their worker and are added up at the end, so
// nothing is locked, and in a simulation the run is a function of its input and
// seed.
//
// # Time
//
// A record is due at its time in the trace (times TimeScale), counted from the
// start of the run; with the other timings it is due when it is taken. Latency
// counts from when the record was due, not from when it was submitted: a late
// submit is the run's fault and must show.
//
// # Real time
//
// On real lanes the source is read ahead by a goroutine of its own, and the lane of
// the pump looks for the next due time rather than sleep through it (lane.Spinner).
// Due times are absolute, so what is late makes nothing after it late. I/Os are
// submitted when they are due, in the order of the trace: up to 8 that are due together
// by one call, and those that are too late anyway in larger batches. With one lane
// nothing overtakes; with several, I/Os hop to theirs, and may be some 50 us late for it.
// [Pace] and Tally.Slip tell how well that went: up to the submit, behind which the
// stack has its own times. See docs/adr/0044.
package replay
