// Package inventory lists the disks of this machine, and says of each whether a run
// may read from it and write to it, and why not. It opens them for reading only.
package inventory
