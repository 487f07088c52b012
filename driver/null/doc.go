// Package null is a device that does nothing, at once: every request succeeds
// inside Submit, no data is touched, and a read leaves its buffers as they were.
// Only an extent beyond the end is refused, as every driver refuses one.
// It is the yardstick for everything above a driver.
//
// It holds no state, so its queues may be on any lanes.
package null
