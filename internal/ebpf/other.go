//go:build !linux

package ebpf

import (
	"fmt"
	"io"
	"runtime"
	"time"
)

func unsupported() error {
	return &Missing{What: "Linux", Why: "this is " + runtime.GOOS, Do: "trace on a Linux machine; a recorded trace replays anywhere"}
}

// Tracer is a set of programs in the kernel; there is none on this system.
type Tracer struct{}

// Open fails: programs in the kernel are for Linux.
func Open(o Options) (*Tracer, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	return nil, unsupported()
}

// FindDevice fails, as Open does.
func FindDevice(path string) (Device, error) {
	return Device{}, fmt.Errorf("%s: %w", path, unsupported())
}

// Attached is Auto.
func (t *Tracer) Attached() Attach { return Auto }

// Fallback is "".
func (t *Tracer) Fallback() string { return "" }

// Read is at its end.
func (t *Tracer) Read([]Event, time.Duration) (int, error) { return 0, io.EOF }

// Stop fails.
func (t *Tracer) Stop(time.Duration) error { return unsupported() }

// Close does nothing.
func (t *Tracer) Close() error { return nil }

// Counts fails.
func (t *Tracer) Counts() (Counts, error) { return Counts{}, unsupported() }

// Histograms fails.
func (t *Tracer) Histograms() (*Histograms, error) { return nil, unsupported() }

// Log2Histograms fails.
func (t *Tracer) Log2Histograms() (*Log2Histograms, error) { return nil, unsupported() }

// Settled fails.
func (t *Tracer) Settled() (int64, error) { return 0, unsupported() }

// ReadStat fails.
func ReadStat(name string) (Stat, error) { return Stat{}, fmt.Errorf("%s: %w", name, unsupported()) }

// Diagnose says that this is another system.
func Diagnose() Diagnosis {
	d := Diagnosis{Schema: DoctorSchema}
	d.add("Linux", Lacking, "trace on a Linux machine; a recorded trace replays anywhere", "this is %s", runtime.GOOS)
	return d
}

// Now is 0: there are no events.
func Now() int64 { return 0 }
