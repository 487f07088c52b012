package main

import (
	"fmt"
	"strconv"
)

// A row is one line of the report: a ratio, and what it has to be.
type row struct {
	name string
	unit string // what a ratio of 1 means
	bar  bar
	run  func(m *meter) (*reading, error)
}

// errSkip says why a row cannot be run here.
type errSkip string

func (e errSkip) Error() string { return string(e) }

// bar is what a ratio must reach, and what it should. 0: nothing is asked.
type bar struct {
	must, aim float64
	more      bool // more is better: at least must; else at most
}

func atMost(must, aim float64) bar  { return bar{must, aim, false} }
func atLeast(must, aim float64) bar { return bar{must, aim, true} }

// reached says whether x is as good as a limit of the bar.
func (b bar) reached(x, limit float64) bool {
	switch {
	case limit == 0:
		return true
	case b.more:
		return x >= limit
	}
	return x <= limit
}

// limit is a limit of the bar in words.
func (b bar) limit(x float64) string {
	switch {
	case x == 0:
		return "-"
	case b.more:
		return ">= " + number(x)
	}
	return "<= " + number(x)
}

// reading is what a row measured: a ratio for each pair of windows.
type reading struct {
	ratios []float64
	detail string // the costs behind them
}

// result is a row's line in bench/results.json.
type result struct {
	Name  string  `json:"name"`
	Ratio float64 `json:"ratio"` // the median of the pairs' ratios
	Low   float64 `json:"low"`   // their 10th percentile
	High  float64 `json:"high"`  // and their 90th
	N     int     `json:"n"`     // pairs
	Must  float64 `json:"must"`  // 0: none
	Aim   float64 `json:"aim"`   // 0: none
	Unit  string  `json:"unit"`

	Better string `json:"better"` // lower or higher
	Run    about  `json:"run"`
}

func (r *row) result(read *reading, run about) result {
	median, low, high := spread(read.ratios)
	res := result{Name: r.name, Ratio: median, Low: low, High: high, N: len(read.ratios),
		Must: r.bar.must, Aim: r.bar.aim, Unit: r.unit, Better: "lower", Run: run}
	if r.bar.more {
		res.Better = "higher"
	}
	return res
}

func (r *result) bar() bar { return bar{r.Must, r.Aim, r.Better == "higher"} }

func (r *result) missed() bool { return !r.bar().reached(r.Ratio, r.Must) }

// String is the line that is printed.
func (r result) String() string {
	b := r.bar()
	s := fmt.Sprintf("%s %s [%s %s] n=%d must %s aim %s", r.Name, number(r.Ratio), number(r.Low), number(r.High),
		r.N, b.limit(r.Must), b.limit(r.Aim))
	if b.must == 0 {
		s += " (" + r.Unit + ")"
	}
	if r.missed() {
		s += " MISSED"
	}
	return s
}

// number has three digits that count, or all of a large one.
func number(x float64) string {
	if x >= 1000 || x <= -1000 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}

// rows are all rows, in the order of the report.
func rows() []row {
	var all []row
	for _, some := range [][]row{
		coreRows(), pipelineRows(), scalingRows(), cancelRows(), bytesRows(), stackRows(), sqcqRows(), eventRows(), simulateRows(), mediaRows(),
	} {
		all = append(all, some...)
	}
	return all
}
