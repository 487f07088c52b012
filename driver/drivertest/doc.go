// Package drivertest checks a block driver against the contract of package driver.
// [Run] does so in a test:
//
//	func TestDriver(t *testing.T) {
//		drivertest.Run(t, func(drivertest.Env) (driver.Driver, error) {
//			return example.New(1<<20, time.Millisecond), nil
//		})
//	}
//
// [Check] returns an error instead, and [Examine] a verdict for each of [Rules]:
// pass, fail, not claimed (the driver has no such operation or method), or not
// judged (another rule that this one builds on is broken: mend that first).
//
// # How it checks
//
// The kit plays the block layer. In a simulated world ([blksim/sim]) it opens the
// driver, offers it random requests, cancels, polls, cuts the power and closes, as
// the rule's scenario has it, on hundreds of seeds; each seed is a run of its own
// and runs the same way every time. The host (port.go) watches every call; a model
// ([blksim/internal/blockmodel]) knows what each block may have. One scenario runs
// the queues on real lanes, in parallel: with -race it finds what they share.
//
// The driver of a real device cannot live in virtual time. With Options.RealTime all
// lanes are one goroutine in real time, so that the host can look at them all, and
// most rules are checked as they are otherwise, on a few seeds.
//
// The host is as rude as the contract allows. It overwrites buffers the moment a
// request is complete, takes the tag that was free longest so that a second
// completion finds its tag unused, cancels before the commit, twice, too late, and
// after every single step of a request's way, and goes on watching after Close.
//
// # Whose break it is
//
// Rules are watched everywhere, and build on each other. A break of complete-once,
// say, that is seen only when cancels come twice is the break of cancel-twice; one
// that is seen without any cancel is complete-once's own, and then the cancel rules
// are not judged. So a driver with one mistake breaks one rule. The drivers in
// package broken show that: each has one mistake, and a test that says which rule
// finds it.
//
// # What cannot be found
//
// A driver that blocks its lane looks the same in virtual time. A goroutine that
// lives only within one step of the world is not seen. What depends on more than
// a few dozen requests needs more seeds or a longer run: see sim/vopr.
package drivertest
