package vopr

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/internal/blockmodel"
	"blksim/sim"
)

// The bounds of a run, in virtual time and events: no honest run comes near.
const (
	patience  = 60 * time.Second // for all to end once nothing is in their way
	maxEvents = 4 << 20
)

// Report is what a run did.
type Report struct {
	Options   Options
	Submitted int64
	Ended     [aio.NumStatuses]int64 // events by status
	Skipped   int64                  // cancelled before the device saw them
	Answers   [3]int64               // of Cancel: accepted, too late, not found
	Time      time.Duration          // virtual
	Events    uint64                 // of the world
	Digest    uint64                 // of everything that happened, in order
	History   []string               // with Options.History
}

// Failure is what a run found.
type Failure struct {
	Options Options
	Text    string
	Report  Report
}

// Error has the command that runs it again.
func (f *Failure) Error() string {
	again := fmt.Sprintf("blksim repro %d", f.Options.Seed)
	if set := f.Options.String(); set != "" {
		again += " --set " + set
	}
	return fmt.Sprintf("vopr: seed %d: %s\n    with %s\n    again: %s --history", f.Options.Seed, f.Text, f.Options.Describe(), again)
}

// run is one seed's.
type run struct {
	o       Options
	st      *stack
	block   int64
	blocks  int64
	model   *blockmodel.Model
	stamp   blockmodel.Stamp
	clients []*client
	flights []*flight // by IO.Data
	free    []*flight
	rand    *sim.Rand // of cancels and storms
	healing bool
	removed bool // the device was
	frozen  bool // the disk is
	rep     Report
	fail    *Failure
}

// errStop ends a world early: something was found.
var errStop = errors.New("vopr: stop")

// Run runs options. The error is a *Failure if something went wrong, or that of
// opening the stack.
func Run(o Options) (rep Report, err error) {
	r := &run{o: o, rand: sim.NewRand(o.Seed, "vopr/run")}
	r.rep.Options = o
	defer func() {
		if p := recover(); p != nil {
			r.broke("panic: %v", p)
			rep, err = r.report(), r.fail
		}
	}()
	if r.st, err = o.open(r.events); err != nil {
		return r.rep, err
	}
	r.prepare()
	r.safety()
	r.heal()
	r.verify()
	r.account()
	rep = r.report()
	if r.fail != nil {
		return rep, r.fail
	}
	return rep, nil
}

func (r *run) report() Report {
	if r.st != nil {
		r.rep.Time, r.rep.Events = r.st.world.Now().Sub(0), r.st.world.Events()
		if r.o.History {
			r.rep.History = r.merge()
		}
	}
	if r.fail != nil {
		r.fail.Report = r.rep
	}
	return r.rep
}

// merge puts what happened below the block layer into the history of what
// happened above it; at one time what is above comes first.
func (r *run) merge() []string {
	type line struct {
		at   lane.Time
		text string
	}
	var all []line
	for _, h := range r.rep.History {
		at, text, _ := strings.Cut(h, " ")
		var t int64
		_, _ = fmt.Sscan(at, &t)
		all = append(all, line{lane.Time(t), text})
	}
	for i, rec := range r.st.trace {
		for _, e := range rec.Events() {
			all = append(all, line{e.At, fmt.Sprintf("        driver %d: %v", i, e)})
		}
	}
	slices.SortStableFunc(all, func(a, b line) int { return int(a.at - b.at) })
	var out []string
	for _, l := range all {
		out = append(out, fmt.Sprintf("%14v  %s", l.at.Sub(0), l.text))
	}
	return out
}

// broke notes the first thing that went wrong.
func (r *run) broke(format string, args ...any) {
	if r.fail == nil {
		r.fail = &Failure{Options: r.o, Text: fmt.Sprintf(format, args...)}
		r.note("BROKEN: %s", r.fail.Text)
	}
}

// note adds to the history, and to the digest of the run.
func (r *run) note(format string, args ...any) {
	if r.o.History && r.st != nil {
		r.rep.History = append(r.rep.History, fmt.Sprintf("%d ", int64(r.st.world.Now()))+fmt.Sprintf(format, args...))
	}
}

// digest mixes what happened into the digest (FNV-1a by words).
func (r *run) digest(words ...uint64) {
	for _, w := range words {
		r.rep.Digest = (r.rep.Digest ^ w) * 0x100000001b3
	}
}

// prepare sets the model and the clients up.
func (r *run) prepare() {
	lim := r.st.lim
	r.block = int64(lim.BlockSize)
	r.blocks = min(r.o.Set[Blocks], lim.Capacity/r.block)
	r.model = blockmodel.New(int(r.blocks), lim.WriteCache)
	if r.o.Set[Stack] >= mirror {
		r.model.Unsettled()
	}
	for i, l := range r.st.lanes {
		r.clients = append(r.clients, newClient(r, i, l))
	}
}

// until runs the world until cond holds, for at most d.
func (r *run) until(cond func() bool, d time.Duration, what string) {
	if r.fail != nil {
		return
	}
	w := r.st.world
	w.SetLimit(sim.Limit{Events: w.Events() + maxEvents, Time: w.Now().Add(d)})
	err := w.RunWhile(func() bool { return r.fail == nil && !cond() })
	w.SetLimit(sim.Limit{})
	if r.fail != nil || cond() {
		return
	}
	if err == nil {
		err = fmt.Errorf("nothing is left to run at %v", w.Now().Sub(0))
	}
	r.broke("%s: %v%s", what, err, r.oldest())
}

// oldest says which I/O has been under way longest.
func (r *run) oldest() string {
	var old *flight
	n := 0
	for _, f := range r.flights {
		if f.live {
			if n++; old == nil || f.at < old.at {
				old = f
			}
		}
	}
	if old == nil {
		return ""
	}
	return fmt.Sprintf("; %d I/Os have not ended, the oldest is %v", n, old)
}

// safety writes the whole area first, and then lets the clients loose.
func (r *run) safety() {
	r.fill()
	for _, c := range r.clients {
		c.left = r.o.Set[IOs]
		c.lane.Post(c.pumpFn)
	}
	for range r.o.Set[Storms] {
		r.atRandom(func(lane.Lane) { r.storm() })
	}
	for range r.o.Set[Freezes] {
		r.atRandom(func(l lane.Lane) { r.freeze(l) })
	}
	if r.o.Set[Remove] != 0 && r.o.Set[Stack] == single {
		r.atRandom(func(lane.Lane) {
			r.removed = true
			r.note("remove")
			r.st.disks[0].Remove(func() { r.note("removed") })
		})
	}
	// Until all is submitted, or a good while; then the rest heals.
	if err := r.runUntil(2 * time.Second); err != nil && !errors.Is(err, errStop) {
		r.broke("safety: %v", err)
	}
}

// atRandom runs f on some lane some time within the first milliseconds.
func (r *run) atRandom(f func(l lane.Lane)) {
	l := r.st.lanes[r.rand.IntN(len(r.st.lanes))]
	at := r.rand.Duration(0, 5*time.Millisecond)
	l.Post(func() {
		l.NewTimer(func() { f(l) }).Arm(at)
	})
}

// freeze freezes or quiesces the disk for a while.
func (r *run) freeze(l lane.Lane) {
	if r.healing || r.frozen {
		return
	}
	r.frozen = true
	disk := r.st.disks[r.rand.IntN(len(r.st.disks))]
	stop, resume, what := disk.Quiesce, disk.Resume, "quiesce"
	if r.rand.Bool(1, 2) {
		stop, resume, what = disk.Freeze, disk.Unfreeze, "freeze"
	}
	r.note("%s", what)
	stop(nil)
	l.NewTimer(func() {
		r.note("end of %s", what)
		resume(nil)
		r.frozen = false
	}).Arm(r.rand.Duration(0, 2*time.Millisecond))
}

// runUntil runs the world until the clients have submitted everything, at most d.
func (r *run) runUntil(d time.Duration) error {
	w := r.st.world
	end := w.Now().Add(d)
	w.SetLimit(sim.Limit{Events: w.Events() + maxEvents})
	defer w.SetLimit(sim.Limit{})
	if err := w.RunWhile(func() bool { return r.fail == nil && w.Now() < end && r.submitting() }); err != nil {
		return err
	}
	if r.fail != nil {
		return errStop
	}
	return nil
}

func (r *run) submitting() bool {
	return slices.ContainsFunc(r.clients, func(c *client) bool { return c.left > 0 })
}

// storm cancels everything that is under way.
func (r *run) storm() {
	if !r.healing {
		n := r.st.ctx.CancelAll()
		r.note("cancel all: %d asked", n)
	}
}

// heal takes everything out of the way, and waits for all to end.
func (r *run) heal() {
	r.healing = true
	r.note("healing")
	for _, c := range r.clients {
		c.left = 0
	}
	for _, f := range r.st.fault {
		f.Heal()
	}
	r.until(r.quiet, patience, "healing")
}

func (r *run) quiet() bool { return len(r.free) == len(r.flights) }

// fill writes the area, so that it is known.
func (r *run) fill() {
	c := r.clients[0]
	for no := int64(0); no < r.blocks; no += 8 {
		c.script = append(c.script, request{op: aio.OpWrite, first: no, n: min(8, r.blocks-no)})
	}
	c.lane.Post(c.pumpFn)
	r.healing = true
	filled := func() bool { return len(c.script) == 0 && r.quiet() }
	if r.o.Set[Hangs] == 0 {
		r.until(filled, patience, "filling")
	} else {
		_ = r.st.world.RunWhile(func() bool { return r.fail == nil && !filled() })
		c.script = nil // what hangs now ends when all heals, and the rest stays unknown
	}
	r.healing = false
}

// verify reads everything back, twice: it must have settled.
func (r *run) verify() {
	if r.removed {
		return
	}
	c := r.clients[0]
	for range 2 {
		for no := int64(0); no < r.blocks; no += 8 {
			c.script = append(c.script, request{op: aio.OpRead, first: no, n: min(8, r.blocks-no)})
		}
	}
	c.lane.Post(c.pumpFn)
	r.until(func() bool { return len(c.script) == 0 && r.quiet() }, patience, "reading back")
}

// account closes the stack, and adds up what each layer has counted.
func (r *run) account() {
	if r.fail != nil {
		return
	}
	r.st.ctx.Shutdown()
	ended := int64(0)
	for _, n := range r.rep.Ended {
		ended += n
	}
	// The slower reads of hedged pairs may be under way after their I/Os have ended.
	if err := r.st.world.RunUntil(r.st.world.Now().Add(time.Second)); err != nil {
		r.broke("before the close: %v", err)
	}
	cs := r.st.ctx.Stats()
	for i, d := range r.st.disks {
		bs := d.Stats()
		if bs.DoubleCompletes != 0 {
			r.broke("the driver of disk %d completed %d requests twice", i, bs.DoubleCompletes)
		}
		r.layers(bs)
		if err := d.Close(); err != nil {
			r.broke("close: %v", err)
		}
	}
	if err := r.st.world.RunUntil(r.st.world.Now().Add(time.Second)); err != nil {
		r.broke("after the close: %v", err)
	}
	switch {
	case ended != r.rep.Submitted:
		r.broke("%d I/Os were submitted and %d ended", r.rep.Submitted, ended)
	case r.st.ctx.InFlight() != 0:
		r.broke("%d I/Os are in flight and nobody's", r.st.ctx.InFlight())
	case cs.StaleCompletes != 0:
		r.broke("%d I/Os were completed again", cs.StaleCompletes)
	}
}
