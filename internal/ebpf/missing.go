package ebpf

import (
	"errors"
	"fmt"
)

// ErrUnavailable is in every error of Open that says that this machine, or this user,
// cannot trace.
var ErrUnavailable = errors.New("tracing by eBPF is not possible here")

// Missing is one thing that is missing, and what to do about it.
type Missing struct {
	What string // "CAP_BPF"
	Why  string // what was seen
	Do   string // what helps
}

func (m *Missing) Error() string {
	s := "ebpf: " + m.What + " is missing"
	if m.Why != "" {
		s += fmt.Sprintf(" (%s)", m.Why)
	}
	if m.Do != "" {
		s += ": " + m.Do
	}
	return s
}

// Unwrap makes it ErrUnavailable.
func (m *Missing) Unwrap() error { return ErrUnavailable }
