// Package ram is a block device in memory: the smallest complete driver. The one to
// copy, which also takes its time and can be cancelled, is driver/example.
//
// It has one queue, so one lane owns the bytes and nothing needs a lock. It
// finishes each request inside Submit; a driver that finishes one later calls
// its Complete later, on the same lane. It has no Cancel, because nothing is ever
// with it. It cannot fail but for an extent beyond its end.
package ram
