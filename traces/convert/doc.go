// Package convert takes records out of a trace and changes the ones that stay:
// filters by time, volume, op and address, then shift and scale. A [Converter]
// works on batches in place, allocates nothing for a record, and counts what it
// leaves out by why. It belongs to one goroutine at a time.
package convert
