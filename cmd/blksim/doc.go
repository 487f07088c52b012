// Command blksim is a block I/O laboratory: it replays traces of block I/O over
// a virtual NVMe device, in virtual or in real time, and measures what became of
// each request, cancelled ones above all.
//
// "blksim help" lists the commands; ARCHITECTURE.md is the map of the code. This
// package has flags and wiring, and no logic beyond that.
package main
