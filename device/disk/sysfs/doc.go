// Package sysfs reads what Linux says of its block devices: which there are, which
// are parts of which and stacked on which, and what each is.
//
// It only reads files below /sys and /run/udev, opens no device, and so needs no
// right. A file that is missing leaves its field at its zero value, since drivers
// differ in what they tell; a tree that is not there at all, as on any other system,
// is an error.
//
// The layout is that of Linux, Documentation/ABI/stable/sysfs-block and
// Documentation/ABI/testing/sysfs-block.
package sysfs
