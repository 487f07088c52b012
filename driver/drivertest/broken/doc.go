// Package broken has block drivers with one mistake each, and one without any:
// the test of the test. [Drivers] lists them with the rule of package drivertest
// that must reject each; a test holds the kit to that, and to nothing else being
// blamed.
//
// [Good] is a device in memory with everything that the contract knows: several
// queues, batches and Commit, Busy, Poll, Cancel, a volatile cache, power cuts. A
// mistake is a wrapper around it (wrap.go) that does one thing wrong.
package broken
