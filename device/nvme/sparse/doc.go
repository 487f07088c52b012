// Package sparse holds what a very large device contains in memory that follows
// what was touched, not its capacity: [Table], an array whose pieces are made on
// first use, and [Store], the bytes of a namespace on top of it.
//
// Neither locks: both belong to the lane of the controller that owns them. A
// 2 TiB store that was never written costs 256 KiB of directory.
package sparse
