// Package stack puts a whole stack together from what a user says: lanes in
// virtual or real time, a device, a driver and a disk over it.
//
// Queue i is on lane i, with its submitter. A simulated device's controller has
// the lane after them; the driver's admin queue is on lane 0.
package stack
