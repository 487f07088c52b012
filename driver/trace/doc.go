// Package trace wraps a driver and records every call that crosses the driver
// contract on a queue: submits with their answers, commits, cancels, polls, and
// completions. A reset is passed on, and is seen by what it completes.
// [Write] prints what was recorded, and [OneIO] the story of one request alone.
//
// The wrapper changes nothing: it holds no request back, and its queues can do
// what the wrapped ones can (see [blksim/driver.Optional]). Each queue has a log
// of its own, on its lane, so that nothing is locked; [Recorder.Events] merges
// them and is called when the lanes are at rest, after Close for instance.
//
// With Options.Keep the last events of each queue are kept in a ring, at no
// allocation per request. Recording cannot fail.
package trace
