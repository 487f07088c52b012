package loopdev

import (
	"errors"
	"path/filepath"
)

// TB is what of testing.TB is needed here.
type TB interface {
	Helper()
	TempDir() string
	Cleanup(func())
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// made skips the test if err says that there is no such device here, and else has
// it fail; at its end it has undo.
func made(t TB, err error, undo func() error) {
	t.Helper()
	if errors.Is(err, ErrUnavailable) {
		t.Skipf("skipped: %v", err)
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		if err := undo(); err != nil {
			t.Errorf("%v", err)
		}
	})
}

// LoopFor is a loop device over a sparse file of size bytes, for as long as the test
// runs. The test is skipped where there are none.
func LoopFor(t TB, size int64, o Options) *Loop {
	t.Helper()
	file := filepath.Join(t.TempDir(), "disk")
	if err := Sparse(file, size); err != nil {
		t.Fatalf("%v", err)
	}
	return AttachFor(t, file, o)
}

// AttachFor is a loop device over a file that exists, for as long as the test runs.
func AttachFor(t TB, file string, o Options) *Loop {
	t.Helper()
	l, err := Attach(file, o)
	made(t, err, func() error { return l.Detach() })
	return l
}

// ZramFor is a disk in memory, for as long as the test runs.
func ZramFor(t TB, size int64) *Zram {
	t.Helper()
	z, err := AddZram(size)
	made(t, err, func() error { return z.Remove() })
	return z
}

// MountFor formats a device and mounts it at a folder of the test's own, for as long
// as the test runs.
func MountFor(t TB, device, fstype string) *Mount {
	t.Helper()
	err := Format(device, fstype)
	var m *Mount
	if err == nil {
		m, err = MountAt(device, t.TempDir(), fstype, "")
	}
	made(t, err, func() error { return m.Unmount() })
	return m
}

// ThrottleFor limits a device for as long as the test runs.
func ThrottleFor(t TB, device string, l Limits) {
	t.Helper()
	undo, err := Throttle(device, l)
	made(t, err, func() error { return undo() })
}
