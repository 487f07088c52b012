package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"blksim/bench/figures"
)

// recording is what the kernel saw of a tool.
type recording struct {
	issues []issue
	turns  []turn
}

// issue is one I/O as the block layer got it.
type issue struct {
	at     time.Duration // on the monotonic clock
	block  int64
	thread int32 // that issued it
}

// turn is a change of a thread: it is woken, or it runs, or it has to stop although it is
// ready to go on, or it stops to wait for something.
type turn struct {
	at     time.Duration
	thread int32
	what   change
}

type change uint8

const (
	stops change = iota
	preempted
	woken // perhaps while it runs
	runs
)

// wait is a time in which a thread was ready and did not run.
type wait struct{ from, to time.Duration }

// waitLeast is how long it is at the least. A thread that is woken on an idle
// processor runs earlier, and what it waits less than this is its own matter.
const waitLeast = 50 * time.Microsecond

// waits are when a thread of the tool waited, in order, and none at the same time as
// another: all of them, because the one that issues may need another one to go on.
func (r *recording) waits() []wait {
	var all []wait
	since, running := map[int32]time.Duration{}, map[int32]bool{}
	for _, t := range r.turns {
		from, waits := since[t.thread]
		switch {
		case t.what == preempted, t.what == woken && !waits && !running[t.thread]:
			since[t.thread] = t.at
		case t.what == runs && waits && t.at-from >= waitLeast:
			all = append(all, wait{from, t.at})
		}
		if t.what == stops || t.what == runs {
			delete(since, t.thread)
		}
		if t.what != woken {
			running[t.thread] = t.what == runs
		}
	}
	slices.SortFunc(all, func(a, b wait) int { return cmp.Compare(a.from, b.from) })
	apart := all[:0]
	for _, w := range all {
		if n := len(apart); n > 0 && w.from <= apart[n-1].to {
			apart[n-1].to = max(apart[n-1].to, w.to)
			continue
		}
		apart = append(apart, w)
	}
	return apart
}

// fidelity is how well a tool kept a schedule.
type fidelity struct {
	all     deviations
	calm    deviations // of what was issued without waiting for a processor
	drift   float64    // slope of the deviations over time, %
	end     float64    // by how much later the last twentieth was than the first, us
	inOrder float64    // part that was issued after all that are before it in the trace
	cpu     float64    // processor time over time, %
	apart   float64    // us from the issue of one I/O to that of the next that is due at the same time
}

// deviations are sorted, and not negative; microseconds.
type deviations []float64

func (d deviations) at(q float64) float64 { return figures.Quantile(d, q) }

// judge compares what was recorded with the schedule.
func judge(s *schedule, got *recording) (*fidelity, error) {
	number := make(map[int64]int, len(s.blocks))
	for i, b := range s.blocks {
		number[b] = i
	}
	issued := make([]issue, len(s.due)) // by number
	last, ordered, distinct := -1, 0, 0
	for _, g := range got.issues {
		i, ok := number[g.block]
		if !ok {
			return nil, fmt.Errorf("block %d was read, which is not in the trace", g.block)
		}
		if issued[i].at != 0 {
			continue // io_uring had tried it without blocking, and has its worker try again
		}
		issued[i] = g
		distinct++
		if i > last {
			last = i
			ordered++
		}
	}
	if distinct != len(s.due) {
		return nil, fmt.Errorf("%d of %d I/Os reached the block layer", distinct, len(s.due))
	}
	f := &fidelity{inOrder: float64(ordered) / float64(len(issued))}
	late := make([]float64, len(s.due)) // us, from an arbitrary start
	for i, g := range issued {
		late[i] = float64(g.at-s.due[i]) / 1e3
	}
	var apart []float64
	for i := 1; i < len(issued); i++ {
		if s.due[i] == s.due[i-1] {
			apart = append(apart, late[i]-late[i-1])
		}
	}
	f.apart, _, _ = figures.Spread(apart)
	waits := got.waits()
	start, _, _ := figures.Spread(late)
	var calm []int
	for range 2 { // the second time from the median of those that had not to wait
		calm = calm[:0]
		var those []float64
		for i, g := range issued {
			due := s.due[i] + time.Duration(start*1e3)
			if !waited(waits, min(due, g.at), g.at) {
				calm, those = append(calm, i), append(those, late[i])
			}
		}
		if len(those) > 0 {
			start, _, _ = figures.Spread(those)
		}
	}
	for _, l := range late {
		f.all = append(f.all, math.Abs(l-start))
	}
	for _, i := range calm {
		f.calm = append(f.calm, math.Abs(late[i]-start))
	}
	slices.Sort(f.all)
	slices.Sort(f.calm)
	f.drift = 100 * slope(s.due, late)
	twentieth := max(len(late)/20, 1)
	first, _, _ := figures.Spread(late[:twentieth])
	final, _, _ := figures.Spread(late[len(late)-twentieth:])
	f.end = final - first
	return f, nil
}

// waited says whether one of the waits was from shortly before a time, when a tool may
// have got up for it, to another.
func waited(waits []wait, from, to time.Duration) bool {
	i, _ := slices.BinarySearchFunc(waits, from-waitLeast, func(w wait, t time.Duration) int { return cmp.Compare(w.to, t) })
	return i < len(waits) && waits[i].from < to
}

// slope is that of the straight line through points of times and microseconds that
// has the least squares of errors; without a unit.
func slope(due []time.Duration, late []float64) float64 {
	var mx, my float64
	for i := range due {
		mx += due[i].Seconds()
		my += late[i] / 1e6
	}
	n := float64(len(due))
	mx, my = mx/n, my/n
	var xx, xy float64
	for i := range due {
		x, y := due[i].Seconds()-mx, late[i]/1e6-my
		xx += x * x
		xy += x * y
	}
	if xx == 0 {
		return 0
	}
	return xy / xx
}

// header and cells are the fidelity as a line of the grid.
var header = []string{"rate", "tool", "p50", "p99", "max", "late at the end", "drift", "out of order", "apart in a burst", "of a core", "undisturbed", "p50", "p99"}

func (f *fidelity) cells(rate, tool string) []string {
	us := func(v float64) string {
		if v >= 1000 {
			return figures.Number(v/1000) + " ms"
		}
		return figures.Number(v) + " us"
	}
	undisturbed := []string{fmt.Sprintf("%.0f %%", 100*float64(len(f.calm))/float64(len(f.all))), "-", "-"}
	if len(f.calm) > 0 {
		undisturbed[1], undisturbed[2] = us(f.calm.at(0.5)), us(f.calm.at(0.99))
	}
	return append([]string{rate, tool, us(f.all.at(0.5)), us(f.all.at(0.99)), us(f.all.at(1)), us(f.end),
		fmt.Sprintf("%+.4f %%", f.drift), fmt.Sprintf("%.2f %%", 100*(1-f.inOrder)), us(f.apart), fmt.Sprintf("%.1f %%", f.cpu)}, undisturbed...)
}

// middle is the run whose p50 is the median.
func middle(runs []*fidelity) *fidelity {
	sorted := slices.SortedFunc(slices.Values(runs), func(a, b *fidelity) int { return cmp.Compare(a.all.at(0.5), b.all.at(0.5)) })
	return sorted[(len(sorted)-1)/2]
}
