package main

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"blksim/bench/figures"
	"blksim/internal/loopdev"
)

const (
	reads     = 256
	readSize  = 4096
	patience  = 100 * time.Millisecond // then every second read is cancelled
	ourDepth  = 4
	moreDepth = 16
)

// victim says whether a read is to be cancelled.
func victim(i int) bool { return i%2 == 1 }

// offset is where read i reads: apart from its neighbours, so that none are merged.
func offset(i int) int64 { return int64(i*97%reads) * (deviceSize / reads) }

// A way is one way to cancel. run submits all reads, cancels the victims after
// patience, waits for all of them, and notes in log when each ended; with teardown set
// it gives everything up at that time instead, as a program that has to end would.
type way struct {
	name   string
	kernel bool // all are in the kernel at once
	run    func(device string, log *endings, teardown bool) error
}

// endings is when the reads of one run ended. Of one thread at a time.
type endings struct {
	start time.Duration // the first was submitted
	asked time.Duration // the victims were cancelled
	at    [reads]time.Duration
	how   [reads]how
}

// how a read ended.
type how uint8

const (
	notEnded how = iota
	completed
	cancelled
	failed
)

func (e *endings) end(i int, h how) { e.at[i], e.how[i] = monotonic(), h }

// outcome sums up a run, or several.
type outcome struct {
	done      int       // victims that had ended before they were cancelled
	cancelled int       // victims that were cancelled
	tooLate   int       // and that completed all the same
	ends      durations // from the cancel to the end, of all victims that had not ended before
	others    time.Duration
	total     time.Duration
	teardown  time.Duration
}

type durations []time.Duration // sorted

func (d durations) at(q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	return d[min(int(q*float64(len(d))), len(d)-1)]
}

// sum sums a run up, in which every read must have ended once, with its data or as
// cancelled.
func (e *endings) sum() (*outcome, error) {
	o := &outcome{}
	for i := range reads {
		switch {
		case e.how[i] == notEnded || e.how[i] == failed:
			return nil, fmt.Errorf("read %d has failed or not ended", i)
		case e.how[i] == cancelled && !victim(i):
			return nil, fmt.Errorf("read %d was cancelled, which nobody has asked for", i)
		}
		o.total = max(o.total, e.at[i]-e.start)
		if !victim(i) {
			o.others = max(o.others, e.at[i]-e.start)
			continue
		}
		switch {
		case e.how[i] == cancelled:
			o.cancelled++
		case e.at[i] < e.asked:
			o.done++
			continue
		default:
			o.tooLate++
		}
		o.ends = append(o.ends, max(e.at[i]-e.asked, 0))
	}
	slices.Sort(o.ends)
	return o, nil
}

// lab has the runs, which are made for the first row.
type lab struct {
	short bool
	undo  *loopdev.Undo

	once   sync.Once
	err    error
	ours   []*outcome
	kernel []*outcome // the best of the kernel's ways, by the total
	grid   *figures.Grid
}

// reading is one row: a value for each repetition.
func (l *lab) reading(value func(ours, kernel *outcome) float64) (*figures.Reading, error) {
	l.once.Do(func() { l.err = l.run() })
	if l.err != nil {
		return nil, l.err
	}
	r := &figures.Reading{Grid: l.grid}
	l.grid = nil // with the first row
	for i := range l.ours {
		r.Ratios = append(r.Ratios, value(l.ours[i], l.kernel[i]))
	}
	return r, nil
}

var header = []string{"way", "cancelled", "too late", "ended before", "cancel to end p50", "max", "others ended after", "total", "torn down in"}

// cells are an outcome as a line of the grid.
func (o *outcome) cells(name string) []string {
	ms := func(d time.Duration) string { return figures.Number(d.Seconds()*1e3) + " ms" }
	return []string{name, fmt.Sprint(o.cancelled), fmt.Sprint(o.tooLate), fmt.Sprint(o.done), ms(o.ends.at(0.5)), ms(o.ends.at(1)),
		ms(o.others), ms(o.total), ms(o.teardown)}
}

// middle is the outcome whose total is the median.
func middle(all []*outcome) *outcome {
	sorted := slices.SortedFunc(slices.Values(all), func(a, b *outcome) int { return cmp.Compare(a.total, b.total) })
	return sorted[(len(sorted)-1)/2]
}
