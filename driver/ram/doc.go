// Package ram is a block device in memory: a complete driver, and with ram.go the
// file to copy when you write your own.
//
// It has one queue, so one lane owns the bytes and nothing needs a lock. It
// finishes each request inside Submit; a driver that finishes one later calls
// its Complete later, on the same lane. It has no Cancel, because nothing is ever
// with it. It cannot fail but for an extent beyond its end.
package ram
