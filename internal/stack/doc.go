// Package stack puts a whole stack together from what a user says: lanes in
// virtual or real time, a device, a driver and a disk over it; or several of those,
// and a volume over them.
//
// Queue i of each disk is on lane i, with its submitter. The controllers of simulated
// devices have the lanes after them, one each; the drivers' admin queues are on
// lane 0.
package stack
