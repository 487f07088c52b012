package main

import (
	"errors"
	"fmt"
	"os"

	"blksim/sim/faultplan"
)

// readFaults reads a fault plan; none without a name.
func readFaults(path string) (*faultplan.Plan, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, failed(exitInput, fmt.Errorf("faults: %w", err))
	}
	p, err := faultplan.Parse(string(text))
	var e *faultplan.Error
	if errors.As(err, &e) {
		return nil, failed(exitInput, fmt.Errorf("%s:%d: %w", path, e.Line, e.Err))
	}
	return &p, failed(exitInput, err)
}
