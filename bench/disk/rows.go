package main

import (
	"fmt"
	"strings"
	"time"

	"blksim/aio"
	"blksim/bench/figures"
	"blksim/device/disk"
)

// bench is a run of the program.
type bench struct {
	alternations int
	window       time.Duration

	disks *disks // nil: not made yet
	done  map[spec]*comparison
}

// spec is a load.
type spec struct {
	op     aio.Op
	depth  int
	pinned bool // on one CPU, over the file
}

func (s spec) String() string {
	name := fmt.Sprintf("%v-q%d", s.op, s.depth)
	if s.pinned {
		return "pinned-" + name
	}
	return name
}

// window is what one side did in one turn.
type window struct {
	iops float64
	cpu  float64 // ns an I/O
}

// comparison is the turns of a load, by the alternation. There is nothing bare where
// our engine is not io_uring.
type comparison struct{ ours, tuned, usual, bare []window }

// rows are all rows. Those of one load are of the same turns.
func (b *bench) rows() (rows []figures.Row) {
	b.done = map[spec]*comparison{}
	add := func(s spec, suffix, unit string, bar figures.Bar, ratio func(c *comparison, i int) float64) {
		rows = append(rows, figures.Row{Name: s.String() + suffix, Unit: unit, Bar: bar, Run: func() (*figures.Reading, error) {
			c, err := b.compare(s)
			if err != nil {
				return nil, err
			}
			r := &figures.Reading{Detail: c.String()}
			if strings.Contains(suffix, "bare") && len(c.bare) == 0 {
				return nil, figures.Skip("our engine is not io_uring here")
			}
			for i := range c.ours {
				r.Ratios = append(r.Ratios, ratio(c, i))
			}
			return r, nil
		}})
	}
	tuned := func(c *comparison, i int) float64 { return c.ours[i].iops / c.tuned[i].iops }
	usual := func(c *comparison, i int) float64 { return c.ours[i].iops / c.usual[i].iops }
	bare := func(s spec) {
		add(s, "-bare-vs-tuned", "times tuned fio's IOPS, by a loop without a stack", figures.Bar{}, func(c *comparison, i int) float64 {
			return c.bare[i].iops / c.tuned[i].iops
		})
		add(s, "-bare-cpu", "of tuned fio's CPU time an I/O, by a loop without a stack", figures.Bar{}, func(c *comparison, i int) float64 {
			return c.bare[i].cpu / c.tuned[i].cpu
		})
	}
	for _, op := range []aio.Op{aio.OpRead, aio.OpWrite} {
		for _, depth := range depths {
			s := spec{op: op, depth: depth}
			add(s, "-vs-tuned", "times tuned fio's IOPS", figures.AtLeast(1, 0), tuned)
			add(s, "-vs-default", "times default fio's IOPS", figures.AtLeast(1.15, 0), usual)
			add(s, "-cpu", "of tuned fio's CPU time an I/O", figures.AtMost(0.9, 0), func(c *comparison, i int) float64 {
				return c.ours[i].cpu / c.tuned[i].cpu
			})
			bare(s)
		}
	}
	pinned := spec{op: aio.OpRead, depth: 32, pinned: true}
	add(pinned, "-vs-tuned", "times tuned fio's IOPS", figures.AtLeast(1.3, 0), tuned)
	add(pinned, "-vs-default", "times default fio's IOPS", figures.Bar{}, usual)
	bare(pinned)
	return append(rows, figures.Row{Name: "engines", Unit: "kIOPS of our best engine, 4 KiB reads, 32 at once", Run: b.engines})
}

var depths = []int{1, 8, 32, 128}

// String is what is behind the ratios.
func (c *comparison) String() string {
	of := func(ws []window) string {
		return fmt.Sprintf("%s kIOPS, %s ns of CPU", figures.Number(median(ws, func(w window) float64 { return w.iops / 1000 })),
			figures.Number(median(ws, func(w window) float64 { return w.cpu })))
	}
	text := fmt.Sprintf("ours %s; tuned fio %s; default fio %s", of(c.ours), of(c.tuned), of(c.usual))
	if len(c.bare) > 0 {
		text += "; no stack " + of(c.bare)
	}
	return text
}

func median(ws []window, of func(window) float64) float64 {
	var xs []float64
	for _, w := range ws {
		xs = append(xs, of(w))
	}
	m, _, _ := figures.Spread(xs)
	return m
}

// compare has the sides of a load take turns, each time another one first.
func (b *bench) compare(s spec) (*comparison, error) {
	if c := b.done[s]; c != nil {
		return c, nil
	}
	path, err := b.path(s)
	if err != nil {
		return nil, err
	}
	ours, err := openOurs(path, "auto", s)
	if err != nil {
		return nil, err
	}
	defer ours.close()
	c := &comparison{}
	type side struct {
		run func() (window, error)
		to  *[]window
	}
	sides := []side{
		{func() (window, error) { return ours.run(b.window) }, &c.ours},
		{func() (window, error) { return b.fio(path, ours.kind, s, true) }, &c.tuned},
		{func() (window, error) { return b.fio(path, ours.kind, s, false) }, &c.usual},
	}
	if ours.kind == string(disk.IOURing) {
		sides = append(sides, side{func() (window, error) { return bareRun(path, s, b.window) }, &c.bare})
	}
	for i := range b.alternations {
		for j := range sides {
			side := sides[(i+j)%len(sides)]
			w, err := side.run()
			if err != nil {
				return nil, err
			}
			*side.to = append(*side.to, w)
		}
	}
	b.done[s] = c
	return c, nil
}

// engines measures every engine at every depth, in turns too, fewer of them.
func (b *bench) engines() (*figures.Reading, error) {
	g := &figures.Grid{Title: "4 KiB random I/O on a loop device over a file on ext4 on zram, thousands of IOPS (medians of " +
		fmt.Sprint(b.fewer()) + " turns):", Header: []string{"", "at once", "ours io_uring", "ours libaio", "ours sync",
		"fio io_uring default / tuned", "fio libaio default / tuned"}}
	read := &figures.Reading{Grid: g}
	for _, op := range []aio.Op{aio.OpRead, aio.OpWrite} {
		for _, depth := range depths {
			s := spec{op: op, depth: depth}
			cells, best, err := b.line(s)
			if err != nil {
				return nil, err
			}
			if op == aio.OpRead && depth == 32 {
				read.Ratios = []float64{best}
			}
			g.Lines = append(g.Lines, append([]string{op.String(), fmt.Sprint(depth)}, cells...))
		}
	}
	return read, nil
}

func (b *bench) fewer() int { return max(1, b.alternations/3) }

// line measures one load with every engine; best is that of ours.
func (b *bench) line(s spec) (cells []string, best float64, err error) {
	path, err := b.path(s)
	if err != nil {
		return nil, 0, err
	}
	var turns []func() (window, error)
	kinds := []string{"io_uring", "libaio", "sync"}
	for _, kind := range kinds {
		o, err := openOurs(path, kind, s)
		if err != nil {
			return nil, 0, err
		}
		defer o.close()
		turns = append(turns, func() (window, error) { return o.run(b.window) })
	}
	for _, kind := range kinds[:2] {
		for _, tuned := range []bool{false, true} {
			turns = append(turns, func() (window, error) { return b.fio(path, kind, s, tuned) })
		}
	}
	got := make([][]window, len(turns))
	for range b.fewer() {
		for i, turn := range turns {
			w, err := turn()
			if err != nil {
				return nil, 0, err
			}
			got[i] = append(got[i], w)
		}
	}
	number := func(i int) float64 { return median(got[i], func(w window) float64 { return w.iops / 1000 }) }
	for i := range kinds {
		cells = append(cells, figures.Number(number(i)))
		best = max(best, number(i))
	}
	for i := len(kinds); i < len(turns); i += 2 {
		cells = append(cells, figures.Number(number(i))+" / "+figures.Number(number(i+1)))
	}
	return cells, best, nil
}
