// Package cacheline makes slices whose memory begins at a line of the processor's cache,
// for elements that are made to fill whole lines.
package cacheline

import "unsafe"

// alone is the size from which on Go's allocator gives an object pages of its own. What
// is smaller and has pointers begins behind a header of the allocator.
const alone = 32 << 10

// Make makes a slice of n zero elements.
func Make[T any](n int) []T {
	var element T
	least := alone/max(int(unsafe.Sizeof(element)), 1) + 1
	return make([]T, max(n, least))[:n:n]
}
