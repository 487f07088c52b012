//go:build !interleave

package step

import "runtime"

// Read stands before a step that only reads the shared word p.
func Read(p any) {}

// Write stands before a step that may write the shared word p.
func Write(p any) {}

// Yield stands where the code can only go on after another actor's step.
func Yield() { runtime.Gosched() }
