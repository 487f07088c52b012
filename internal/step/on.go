//go:build interleave

package step

import "runtime"

// A Hook is called before each shared step. Yield is a step that needs another
// actor's step first.
type Hook interface {
	Read(p any)
	Write(p any)
	Yield()
}

// The hook belongs to the explorer, which sets it while no actor runs.
var hook Hook

// SetHook installs h and returns the hook before it; nil runs without one.
func SetHook(h Hook) Hook {
	old := hook
	hook = h
	return old
}

// Read stands before a step that only reads the shared word p.
func Read(p any) {
	if hook != nil {
		hook.Read(p)
	}
}

// Write stands before a step that may write the shared word p.
func Write(p any) {
	if hook != nil {
		hook.Write(p)
	}
}

// Yield stands where the code can only go on after another actor's step.
func Yield() {
	if hook != nil {
		hook.Yield()
		return
	}
	runtime.Gosched()
}
