// Package example is a complete driver to copy: a device in memory that serves
// each request after a fixed time. disk.go is the whole of it; cancel.go adds the
// cancel callback, which is one method. Leave that file out and the driver has
// none, and is still correct: what was cancelled is then finished all the same.
//
// `blksim new driver` writes these two files into a module of your own, and the
// documentation of [blksim/driver] shows them.
//
// One lane owns a queue with its timers, so nothing is locked. The tag of a
// request is the index of its slot: no two requests that are with the driver
// share one. Nothing is allocated for a request.
package example
