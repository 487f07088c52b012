package figures

import (
	"fmt"
	"strconv"
)

// A Row is one line of the report: a number, mostly a ratio, and what it has to be.
type Row struct {
	Name string
	Unit string // what the number is, or what a ratio of 1 means
	Bar  Bar

	// Run measures. An error that is a [Skip] says why it cannot be done here.
	Run func() (*Reading, error)
}

// Skip says why a row cannot be run here.
type Skip string

func (e Skip) Error() string { return string(e) }

// Bar is what a number must reach, and what it should. 0: nothing is asked.
type Bar struct {
	Must, Aim float64
	More      bool // more is better: at least Must; else at most
}

// AtMost is a bar for what should be small, and AtLeast for what should be large.
func AtMost(must, aim float64) Bar  { return Bar{must, aim, false} }
func AtLeast(must, aim float64) Bar { return Bar{must, aim, true} }

// reached says whether x is as good as a limit of the bar.
func (b Bar) reached(x, limit float64) bool {
	switch {
	case limit == 0:
		return true
	case b.More:
		return x >= limit
	}
	return x <= limit
}

// limit is a limit of the bar in words.
func (b Bar) limit(x float64) string {
	switch {
	case x == 0:
		return "-"
	case b.More:
		return ">= " + Number(x)
	}
	return "<= " + Number(x)
}

// Reading is what a row measured.
type Reading struct {
	Ratios []float64 // one for each pair of windows, or for each repetition; at least one
	Detail string    // the costs behind them: -v prints it
	Grid   *Grid     // more to show than one number; may be nil
}

// Result is a row's line in the JSON.
type Result struct {
	Name  string  `json:"name"`
	Ratio float64 `json:"ratio"` // the median of the reading's
	Low   float64 `json:"low"`   // their 10th percentile
	High  float64 `json:"high"`  // and their 90th
	N     int     `json:"n"`     // how many there were
	Must  float64 `json:"must"`  // 0: none
	Aim   float64 `json:"aim"`   // 0: none
	Unit  string  `json:"unit"`

	Better string `json:"better"` // lower or higher
	Grid   *Grid  `json:"grid,omitempty"`
	Run    About  `json:"run"`
}

func (r *Row) result(read *Reading, run About) Result {
	median, low, high := Spread(read.Ratios)
	res := Result{Name: r.Name, Ratio: median, Low: low, High: high, N: len(read.Ratios),
		Must: r.Bar.Must, Aim: r.Bar.Aim, Unit: r.Unit, Better: "lower", Grid: read.Grid, Run: run}
	if r.Bar.More {
		res.Better = "higher"
	}
	return res
}

func (r *Result) bar() Bar { return Bar{r.Must, r.Aim, r.Better == "higher"} }

// missed says whether the number is not what it must be. One that is none is missed.
func (r *Result) missed() bool { return !r.bar().reached(r.Ratio, r.Must) }

// String is the line that is printed.
func (r Result) String() string {
	b := r.bar()
	s := fmt.Sprintf("%s %s [%s %s] n=%d must %s aim %s", r.Name, Number(r.Ratio), Number(r.Low), Number(r.High),
		r.N, b.limit(r.Must), b.limit(r.Aim))
	if b.Must == 0 {
		s += " (" + r.Unit + ")"
	}
	if r.missed() {
		s += " MISSED"
	}
	return s
}

// Number has three digits that count, or all of a large one.
func Number(x float64) string {
	if x >= 1000 || x <= -1000 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}
