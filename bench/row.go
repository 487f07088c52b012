package main

import "blksim/bench/figures"

// A row is one line of the report, measured by a meter.
type row struct {
	name string
	unit string // what a ratio of 1 means
	bar  figures.Bar
	run  func(m *meter) (*figures.Reading, error)
}

// rows are all rows, in the order of the report.
func rows(root string, short bool) (all []figures.Row) {
	m := newMeter(root, short)
	for _, some := range [][]row{
		coreRows(), pipelineRows(), scalingRows(), cancelRows(), bytesRows(), stackRows(), sqcqRows(), eventRows(), simulateRows(), mediaRows(),
	} {
		for _, r := range some {
			all = append(all, figures.Row{Name: r.name, Unit: r.unit, Bar: r.bar,
				Run: func() (*figures.Reading, error) { return r.run(m) }})
		}
	}
	return all
}
