package main

import (
	"errors"
	"fmt"
	"time"

	"blksim/bench/figures"
	"blksim/internal/ebpf"
)

// bench is a run of the program.
type bench struct {
	pairs  int
	window time.Duration

	disk   *disk         // nil: not made yet
	grid   *figures.Grid // of all rows that were run
	events *total        // nil: not run yet
}

// tracer looks at a device until it is stopped.
type tracer interface {
	// seen is how many I/Os it has seen complete until now; ok is false if it cannot say.
	seen() (n int64, ok bool)
	// stop ends it, and gives its account; nil where it has none.
	stop() (*ebpf.Counts, error)
}

// side is a tracer that is measured.
type side struct {
	name string
	open func(d *disk) (tracer, error)
	bar  figures.Bar
}

// atRate is a load of so many IOPS; 0: as fast as it goes.
const atRate = 100_000

func (b *bench) rows() []figures.Row {
	b.grid = &figures.Grid{Title: "What each tracer saw complete, and what the device counted by itself in the same windows (all pairs together; -: it does not say). Lost, not followed and never seen to end are of the whole time that it was attached:",
		Header: []string{"", "kIOPS without", "kIOPS with", "device counted", "seen", "lost", "not followed", "never seen to end"}}
	full := []side{
		{"histogram", openHistogram(false), figures.AtLeast(0.95, 1)},
		{"histogram-queue", openHistogram(true), figures.Bar{More: true}},
		{"events", openEvents, figures.AtLeast(0.85, 0.9)},
		{"bpftrace", openBpftrace, figures.Bar{More: true}},
		{"tracefs", openTracefs, figures.Bar{More: true}},
	}
	slow := []side{
		{"histogram", openHistogram(false), figures.AtLeast(0.97, 1)},
		{"events", openEvents, figures.AtLeast(0.97, 1)},
		{"bpftrace", openBpftrace, figures.Bar{More: true}},
		{"tracefs", openTracefs, figures.Bar{More: true}},
	}
	var rows []figures.Row
	add := func(s side, suffix string, rate int) {
		name := s.name + suffix
		rows = append(rows, figures.Row{Name: name, Unit: "of the IOPS without a tracer", Bar: s.bar, Run: func() (*figures.Reading, error) {
			return b.measure(name, s, rate)
		}})
	}
	for _, s := range full {
		add(s, "", 0)
	}
	for _, s := range slow {
		add(s, "-100k", atRate)
	}
	return append(rows, figures.Row{Name: "events-not-told", Unit: "of the I/Os that were started at full speed", Run: b.notTold})
}

// measure has fio run, and a tracer look every other turn.
func (b *bench) measure(name string, s side, rate int) (*figures.Reading, error) {
	if b.disk == nil {
		d, err := makeDisk()
		if err != nil {
			return nil, err
		}
		b.disk = d
	}
	load, err := b.disk.fio(rate)
	if err != nil {
		return nil, err
	}
	defer load.stop()
	if err := b.disk.busy(load); err != nil {
		return nil, err
	}
	var sum total
	r := &figures.Reading{}
	for i := range b.pairs {
		p, err := b.pair(s, i%2 == 1)
		if err != nil {
			return nil, err
		}
		if p.without.ios == 0 || p.with.ios == 0 {
			return nil, fmt.Errorf("no I/O in a window: %w", load.failed())
		}
		r.Ratios = append(r.Ratios, p.with.iops()/p.without.iops())
		sum.add(&p)
	}
	r.Detail = fmt.Sprintf("%s kIOPS without, %s with", figures.Number(sum.without.iops()/1e3), figures.Number(sum.with.iops()/1e3))
	b.grid.Lines = append(b.grid.Lines, sum.line(name))
	if name == "events" {
		b.events = &sum
	}
	return r, nil
}

// notTold is the share of the I/Os that a reader of events got nothing of, with the
// accounts of all tracers.
func (b *bench) notTold() (*figures.Reading, error) {
	if b.events == nil {
		return nil, figures.Skip("the row events was not run")
	}
	c := b.events.account
	return &figures.Reading{Ratios: []float64{float64(c.Lost+c.NoRoom+c.Stale) / float64(c.Started)}, Grid: b.grid}, nil
}

// turn is what the device did in a window, by its own count, and what the tracer that
// looked saw.
type turn struct {
	ios    int64
	took   time.Duration
	seen   int64
	counts bool // the tracer counts
}

func (t turn) iops() float64 { return float64(t.ios) / t.took.Seconds() }

// pair is a window without and one with the tracer, and what both it and the device
// counted in the latter.
type pair struct {
	without, with turn
	account       *ebpf.Counts // nil: it has none
}

func (b *bench) pair(s side, first bool) (p pair, err error) {
	if first {
		if err = b.traced(s, &p); err != nil {
			return p, err
		}
	}
	if p.without, err = b.disk.turn(b.window, nil); err != nil {
		return p, err
	}
	if !first {
		err = b.traced(s, &p)
	}
	return p, err
}

// traced is the window with the tracer. What it takes to begin and to end is in none.
func (b *bench) traced(s side, p *pair) error {
	t, err := s.open(b.disk)
	if err != nil {
		return err
	}
	p.with, err = b.disk.turn(b.window, t)
	a, err2 := t.stop()
	p.account = a
	if err = errors.Join(err, err2); err != nil {
		return err
	}
	// A turn begins when nobody has anything to do any more for the one before.
	time.Sleep(b.window / 10)
	return nil
}

// total is all pairs of a row.
type total struct {
	without, with turn
	account       *ebpf.Counts
}

func (t *total) add(p *pair) {
	t.without.ios += p.without.ios
	t.without.took += p.without.took
	t.with.ios += p.with.ios
	t.with.took += p.with.took
	t.with.seen += p.with.seen
	t.with.counts = p.with.counts
	if p.account != nil {
		if t.account == nil {
			t.account = &ebpf.Counts{}
		}
		t.account.Started += p.account.Started
		t.account.Lost += p.account.Lost
		t.account.NoRoom += p.account.NoRoom
		t.account.Stale += p.account.NeverDelivered()
	}
}

// line is the row's in the grid.
func (t *total) line(name string) []string {
	cells := []string{name, figures.Number(t.without.iops() / 1e3), figures.Number(t.with.iops() / 1e3), fmt.Sprint(t.with.ios),
		"-", "-", "-", "-"}
	if t.with.counts {
		cells[4] = fmt.Sprint(t.with.seen)
	}
	if c := t.account; c != nil {
		cells[5], cells[6], cells[7] = fmt.Sprint(c.Lost), fmt.Sprint(c.NoRoom), fmt.Sprint(c.Stale)
	}
	return cells
}
