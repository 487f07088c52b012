package main

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"blksim/bench/figures"
	"blksim/internal/ebpf"
)

// bench is a run of the program.
type bench struct {
	turns  int           // with a tracer, in each row
	row    time.Duration // after which a row has no more of them
	least  int           // but so many in any case
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
	b.grid = &figures.Grid{Title: "What each tracer saw complete, and what the device counted by itself in the same windows (all turns together; -: it does not say). Lost, not followed and never seen to end are of the whole time that it was attached:",
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
		unit := "of the I/Os a second of processor time without a tracer"
		if rate > 0 {
			unit = "of the IOPS without a tracer"
		}
		rows = append(rows, figures.Row{Name: name, Unit: unit, Bar: s.bar, Run: func() (*figures.Reading, error) {
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
	before, err := b.disk.turn(b.window, nil)
	if err != nil {
		return nil, err
	}
	for start := time.Now(); len(r.Ratios) < b.turns && (len(r.Ratios) < b.least || time.Since(start) < b.row); {
		t, err := b.traced(s)
		if err != nil {
			return nil, err
		}
		after, err := b.disk.turn(b.window, nil)
		if err != nil {
			return nil, err
		}
		if before.ios == 0 || t.ios == 0 || after.ios == 0 {
			return nil, fmt.Errorf("no I/O in a window: %w", load.failed())
		}
		speed := turn.efficiency
		if rate > 0 {
			speed = turn.iops // there is time left
		}
		r.Ratios = append(r.Ratios, 2*speed(t.turn)/(speed(before)+speed(after)))
		sum.add(after, t)
		before = after
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
	own    time.Duration // processor time that was not idle, and not others'
	seen   int64
	counts bool // the tracer counts
}

// efficiency is I/Os a second of the machine's processor time that was ours: on a machine
// that has nothing else to do, and is busy, as good as IOPS.
func (t turn) efficiency() float64 {
	return float64(t.ios) / max(t.own, tick).Seconds() * float64(runtime.NumCPU())
}

func (t turn) iops() float64 { return float64(t.ios) / t.took.Seconds() }

// looked is a turn with a tracer.
type looked struct {
	turn
	account *ebpf.Counts // nil: it has none
}

// traced is a turn with the tracer. What it takes to begin and to end is not in it.
func (b *bench) traced(s side) (l looked, err error) {
	t, err := s.open(b.disk)
	if err != nil {
		return l, err
	}
	l.turn, err = b.disk.turn(b.window, t)
	account, err2 := t.stop()
	l.account = account
	if err = errors.Join(err, err2); err == nil {
		// The next turn begins when nobody has anything to do any more for this one.
		time.Sleep(b.window / 10)
	}
	return l, err
}

// total is all turns of a row.
type total struct {
	without, with turn
	account       *ebpf.Counts
}

func (t *total) add(without turn, with looked) {
	t.without.ios += without.ios
	t.without.took += without.took
	t.with.ios += with.ios
	t.with.took += with.took
	t.with.seen += with.seen
	t.with.counts = with.counts
	if with.account != nil {
		if t.account == nil {
			t.account = &ebpf.Counts{}
		}
		t.account.Started += with.account.Started
		t.account.Lost += with.account.Lost
		t.account.NoRoom += with.account.NoRoom
		t.account.Stale += with.account.NeverDelivered()
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
