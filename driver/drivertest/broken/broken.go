package broken

import (
	"slices"

	"blksim/driver/drivertest"
)

// Driver is one that must be rejected.
type Driver struct {
	Name string // the mistake in words
	Rule string // the id of the rule that it breaks
	Open drivertest.Open
}

// Drivers lists them all.
func Drivers() []Driver {
	return slices.Concat(completions(), submits(), data(), cancels(), resets(), worlds())
}
