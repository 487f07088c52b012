package main

import (
	"sync"

	"blksim/bench/figures"
	"blksim/internal/loopdev"
)

// lab is where the experiments are made: its parts are there from the first on.
type lab struct {
	root  string
	short bool
	undo  *loopdev.Undo

	once   sync.Once
	err    error
	dir    string // for files
	device string // a loop device
	tools  []tool // ours first
	trace  *ftrace
}

// tool replays a schedule with a program.
type tool struct {
	name string
	skip string // why it is not run; "": it is
	args func(s *schedule) ([]string, error)
}

// experiment is all runs of one rate.
type experiment struct {
	lab  *lab
	iops int

	once sync.Once
	err  error
	ours []*fidelity
	fio  []*fidelity
	grid *figures.Grid
}

// reading is one row of an experiment: a value for each run of ours, with the run of
// fio that was beside it.
func (e *experiment) reading(value func(ours, fio *fidelity) float64) (*figures.Reading, error) {
	e.once.Do(func() { e.err = e.run() })
	if e.err != nil {
		return nil, e.err
	}
	r := &figures.Reading{Grid: e.grid}
	e.grid = nil // with the first row
	for i := range e.ours {
		r.Ratios = append(r.Ratios, value(e.ours[i], e.fio[min(i, len(e.fio)-1)]))
	}
	return r, nil
}
