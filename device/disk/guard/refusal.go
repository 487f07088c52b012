package guard

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrUnsupported: only Linux has disks that this package can tell apart.
	ErrUnsupported = errors.New("real files and block devices are not supported on this system, only on Linux")

	// ErrNotADisk: the path leads to something else.
	ErrNotADisk = errors.New("neither a regular file nor a block device")
)

// A Refusal is why a target may not be written to.
type Refusal struct {
	Path    string
	Reasons []string // at least one; those that can be overridden alone, or those that cannot
	Wanted  bool     // the reasons are what is on it: Options.Overwrite overrides them
}

func (r *Refusal) Error() string {
	what := "is in use"
	if r.Wanted {
		what = "has something on it"
	}
	return fmt.Sprintf("%s %s, and is not written to: %s", r.Path, what, strings.Join(r.Reasons, "; "))
}
