//go:build !linux

package main

import "time"

// began is when the program started: the clock's zero.
var began = time.Now()

// processTime is the time on the wall: here nobody tells processor time finely
// enough.
func processTime() time.Duration { return time.Since(began) }

// runDelay is not known here.
func runDelay() time.Duration { return 0 }
