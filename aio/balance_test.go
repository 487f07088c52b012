//go:build !interleave

package aio

import (
	"flag"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio/lane"
)

var races = flag.Int("races", 0, "how many races of cancel against completion to run; 0: as many as the build allows")

// patience is how long a test of this kind goes on where others keep the CPUs
// busy. What it has run by then it says.
const patience = 30 * time.Second

// underRace says whether the race detector is built in: everything takes longer.
func underRace() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// oneCPU says that no two goroutines ever run at the same moment.
func oneCPU() bool { return runtime.GOMAXPROCS(0) == 1 || runtime.NumCPU() == 1 }

// gate has n goroutines start together: each waits until all are there. What
// they wrote before, all see after.
type gate struct {
	n       int
	arrived atomic.Int32
	opened  atomic.Uint32

	mu    sync.Mutex // leaf; makes a sleeper's look at opened and its sleep one
	awake sync.Cond
}

func newGate(n int) *gate {
	g := &gate{n: n}
	g.awake.L = &g.mu
	return g
}

// keen is how often who is about to race looks whether it may start, before it
// sleeps: who sleeps comes too late for a race.
func keen() int {
	switch {
	case oneCPU():
		return 0
	case underRace(): // each takes so much longer
		return 2_000
	}
	return 10_000
}

// wait looks, a bounded number of times, and then sleeps.
func (g *gate) wait(looks int) {
	opened := g.opened.Load()
	if int(g.arrived.Add(1)) == g.n {
		g.arrived.Store(0)
		g.mu.Lock()
		defer g.mu.Unlock()
		g.opened.Add(1)
		g.awake.Broadcast()
		return
	}
	for range looks {
		if g.opened.Load() != opened {
			return
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.opened.Load() == opened {
		g.awake.Wait()
	}
}

// gathered returns when all but the caller are at the gate.
func (g *gate) gathered() {
	for i := 0; int(g.arrived.Load()) < g.n-1; i++ {
		if i < 1000 {
			runtime.Gosched()
		} else {
			time.Sleep(20 * time.Microsecond)
		}
	}
}

// spin computes for n rounds.
func spin(n int) {
	x := uint64(n)
	for range n {
		x = x*6364136223846793005 + 1442695040888963407
	}
	runtime.KeepAlive(x)
}

// roundsPer is how many rounds of spin take about d.
func roundsPer(d time.Duration) int {
	const rounds = 1 << 15
	best := time.Hour
	for range 10 {
		start := time.Now()
		spin(rounds)
		best = min(best, time.Since(start))
	}
	return max(1, int(rounds*d/max(best, 1)))
}

// The kinds of I/O that race.
const (
	bare        = iota // no callback
	armed              // registered before the race
	registering        // the completing side registers in the race, and completes
	kinds
)

var kindNames = [kinds]string{"without a callback", "with a callback", "registering in the race"}

// score is how the races of one kind ended.
type score struct {
	// lead is how many steps the completion starts before the cancel; negative:
	// after it. Each race that the cancel loses takes a step away, and each that
	// it wins adds one, so while lead stays within its bounds the two cannot
	// differ by more than those.
	lead int

	cancelFirst, completedFirst int
	left                        int // of cancelFirst: the completion met the callback
	tooLate                     int // of completedFirst; the rest was not found
}

const (
	stepTime = 4 * time.Nanosecond // of score.lead
	maxLead  = 2500                // steps: 10 µs of spinning
	jitter   = 32                  // steps that chance adds, so that all windows are hit
	longCall = 50                  // in one of so many races the callback takes its time, so that completions meet it on a busy machine too
)

// duel is one cancel against one completion, again and again. The completer is
// the test's goroutine, which is the lane too; the canceller has its own.
type duel struct {
	c     *Context
	l     *fakeLane
	gate  *gate
	looks int
	step  int // rounds of spin a step
	rng   *rand.Rand
	evs   [3]Event
	fn    CancelFunc
	score [kinds]score

	// Of the present race, handed over at the gate.
	k                     Kiocb
	over                  bool
	cancelWait, callRound int // rounds of spin
	answer                CancelResult
	runs                  atomic.Int32
}

func (d *duel) Start(_ lane.Lane, k Kiocb) { d.k = k }

func (d *duel) callback(k Kiocb) {
	d.runs.Add(1)
	spin(d.callRound)
}

// canceller is the other side.
func (d *duel) canceller() {
	for {
		d.gate.wait(d.looks)
		if d.over {
			return
		}
		spin(d.cancelWait)
		d.answer = d.c.Cancel(d.k.ID())
		d.gate.wait(d.looks)
	}
}

// race runs the race i.
func (d *duel) race(t *testing.T, i int) {
	kind := i % kinds
	s := &d.score[kind]
	d.runs.Store(0)
	if _, err := d.c.Submit(d.l, d, IO{Op: OpWrite, Data: uint64(i)}); err != nil {
		t.Error(err)
		return
	}
	register := func() {
		if err := d.k.SetCancelFunc(d.fn); err != nil {
			t.Errorf("race %d: %v", i, err)
		}
	}
	if kind == armed {
		register()
	}
	lead := s.lead + d.rng.IntN(jitter) - jitter/2
	d.cancelWait, d.callRound = max(lead, 0)*d.step, d.rng.IntN(jitter)*d.step
	if i/kinds%longCall == 0 {
		d.callRound *= 100
	}
	completeWait := max(-lead, 0) * d.step
	d.gate.wait(d.looks)
	spin(completeWait)
	if kind == registering {
		register()
	}
	how := d.k.Complete(d.l, IOError, int64(i))
	d.gate.wait(d.looks)

	n, err := d.c.Events(background, 0, d.evs[:])
	if n != 1 || err != nil {
		t.Errorf("race %d: %d events, error %v", i, n, err)
		return
	}
	if tags := d.c.tags.count(); tags != d.c.capacity { // the next submit would look for it without end
		t.Errorf("race %d: %d tags of %d", i, tags, d.c.capacity)
		return
	}
	accepted := d.answer == Accepted
	want := Event{ID: d.k.ID(), Data: uint64(i), N: int64(i), Status: IOError, CancelAsked: accepted}
	if d.evs[0] != want {
		t.Errorf("race %d, cancel %v: event %+v, want %+v", i, d.answer, d.evs[0], want)
	}
	if runs := d.runs.Load(); runs != 0 && runs != 1 || (runs == 1) != (accepted && kind != bare) {
		t.Errorf("race %d %s, cancel %v: %d callbacks", i, kindNames[kind], d.answer, runs)
	}
	if how == Stale || how == Left && (!accepted || kind == bare) {
		t.Errorf("race %d %s, cancel %v: completion %d", i, kindNames[kind], d.answer, how)
	}
	s.count(d.answer, how)
}

// count keeps the score, and gives the loser the lead.
func (s *score) count(answer CancelResult, how Completion) {
	if answer == Accepted {
		s.cancelFirst++
		s.lead = min(s.lead+1, maxLead)
	} else {
		s.completedFirst++
		s.lead = max(s.lead-1, -maxLead)
	}
	if how == Left {
		s.left++
	}
	if answer == TooLate {
		s.tooLate++
	}
}

// Cancel against completion, at the same moment: whoever is first, there is one
// event, it tells whether the cancel was accepted, and the callback runs if and
// only if it was. The delays are adapted so that either side is often first, at
// least once in five races.
func TestCancelRacesCompletionAndEitherMayBeFirst(t *testing.T) {
	total, limit := *races, 24*time.Hour
	if total == 0 {
		total, limit = 1_000_000, patience
		switch {
		case oneCPU():
			total = 20_000
		case underRace():
			total = 100_000
		case testing.Short():
			total = 200_000
		}
		t.Logf("%d races by default, for at most %v; -races N for others", total, limit)
	}
	fakes, lanes := fakeLanes(1)
	// Two places: the slots are used again and again.
	c, err := New(Options{Capacity: 2, Lanes: lanes})
	require.NoError(t, err)
	d := &duel{c: c, l: fakes[0], gate: newGate(2), looks: keen(), step: roundsPer(stepTime), rng: rand.New(rand.NewPCG(1, 2))}
	d.fn = d.callback
	var wg sync.WaitGroup
	wg.Go(d.canceller)
	start := time.Now()
	ran := 0
	for ran < total && !t.Failed() && (ran%1024 != 0 || time.Since(start) < limit) {
		d.race(t, ran)
		ran++
	}
	took := time.Since(start)
	d.over = true
	d.gate.wait(d.looks)
	wg.Wait()

	n, err := c.Events(background, 0, d.evs[:])
	require.NoError(t, err)
	require.Zero(t, n, "events that no race was for")
	c.atRest(t)
	t.Logf("%d races of %d in %v", ran, total, took.Round(time.Millisecond))
	for kind, s := range d.score {
		share := func(n int) float64 { return 100 * float64(n) / float64(s.cancelFirst+s.completedFirst) }
		t.Logf("%s: cancel first %.1f %% (callback met by the completion %.1f %%), completion first %.1f %% (too late %.2f %%), lead %d",
			kindNames[kind], share(s.cancelFirst), share(s.left), share(s.completedFirst), share(s.tooLate), s.lead)
	}
	for kind, s := range d.score {
		if oneCPU() {
			t.Skip("one CPU: the scheduler decides who is first, and no delay changes that; the rules were checked, the balance was not")
		}
		require.GreaterOrEqual(t, 5*s.cancelFirst, s.cancelFirst+s.completedFirst, "cancel first %s", kindNames[kind])
		require.GreaterOrEqual(t, 5*s.completedFirst, s.cancelFirst+s.completedFirst, "completion first %s", kindNames[kind])
		if kind != bare {
			require.Positive(t, s.left, "callback met by the completion %s", kindNames[kind])
		}
	}
}

// crowd is many I/Os in flight at once, by kind: data modulo crowdKinds.
type crowd struct {
	t     *testing.T
	c     *Context
	lanes []*fakeLane
	fns   []CancelFunc
	ks    []Kiocb

	runs     []atomic.Int32 // of each I/O's callback
	done     []atomic.Int32 // completions that were not stale
	accepted []atomic.Bool  // by a Cancel of its own
	evs      []Event        // in the order that they came
}

const (
	crowdBare  = iota
	crowdArmed // with a callback
	crowdEager // its callback completes, and so does its lane: one is stale
	crowdTardy // registers just before it completes
	crowdKinds
	crowdSize = 64 << 10
)

func (s *crowd) Start(_ lane.Lane, k Kiocb) {
	i := int(k.Off())
	s.ks[i] = k
	if kind := i % crowdKinds; kind == crowdArmed || kind == crowdEager {
		if err := k.SetCancelFunc(s.fns[kind]); err != nil {
			s.t.Error(err)
		}
	}
}

func newCrowd(t *testing.T) *crowd {
	s := &crowd{
		t: t, ks: make([]Kiocb, crowdSize), evs: make([]Event, crowdSize+1),
		runs: make([]atomic.Int32, crowdSize), done: make([]atomic.Int32, crowdSize), accepted: make([]atomic.Bool, crowdSize),
	}
	call := func(k Kiocb) { s.runs[k.Off()].Add(1) }
	s.fns = []CancelFunc{
		crowdArmed: call, crowdTardy: call,
		crowdEager: func(k Kiocb) { call(k); s.complete(nil, k, int(k.Off()), Cancelled) },
	}
	fakes, lanes := fakeLanes(2)
	s.lanes = fakes
	var err error
	s.c, err = New(Options{Capacity: crowdSize, Lanes: lanes})
	require.NoError(t, err)
	return s
}

// submit puts all in flight.
func (s *crowd) submit() {
	ios := make([]IO, crowdSize)
	for i := range ios {
		s.runs[i].Store(0)
		s.done[i].Store(0)
		s.accepted[i].Store(false)
		ios[i] = IO{Op: OpRead, Off: int64(i), Data: uint64(i)}
	}
	n, err := s.c.SubmitBatch(s.lanes[0], s, ios[:crowdSize/2], nil)
	require.NoError(s.t, err)
	m, err := s.c.SubmitBatch(s.lanes[1], s, ios[n:], nil)
	require.NoError(s.t, err)
	require.Equal(s.t, crowdSize, n+m)
	require.Equal(s.t, crowdSize, s.c.InFlight())
	require.Zero(s.t, s.c.tags.count())
}

func (s *crowd) complete(l lane.Lane, k Kiocb, i int, st Status) {
	if k.Complete(l, st, 0) != Stale {
		s.done[i].Add(1)
	}
}

// completeAll is what lane li does: every other I/O, the last one first.
func (s *crowd) completeAll(li int) {
	for i := crowdSize - 1 - li; i >= 0; i -= 2 {
		k := s.ks[i]
		if i%crowdKinds == crowdTardy {
			if err := k.SetCancelFunc(s.fns[crowdTardy]); err != nil {
				s.t.Errorf("%v: %v", k.ID(), err)
			}
		}
		s.complete(s.lanes[li], k, i, OK)
	}
}

// cancelEach cancels all by name, forwards or backwards.
func (s *crowd) cancelEach(backwards bool) {
	for i := range crowdSize {
		if backwards {
			i = crowdSize - 1 - i
		}
		if s.c.Cancel(s.ks[i].ID()) == Accepted {
			s.accepted[i].Store(true)
		}
	}
}

// round has two lanes complete everything while the cancellers cancel everything
// and one goroutine reaps, and returns how many events say that they were asked.
func (s *crowd) round(cancellers ...func()) (asked int) {
	s.submit()
	g := newGate(3 + len(cancellers))
	var wg sync.WaitGroup
	for _, f := range append(cancellers, func() { s.completeAll(0) }, func() { s.completeAll(1) }) {
		wg.Go(func() { g.wait(0); f() })
	}
	g.wait(0)
	ctx := soon(s.t)
	got := 0
	for got < crowdSize {
		n, err := s.c.Events(ctx, 1, s.evs[got:])
		got += n
		if err != nil {
			s.t.Errorf("%d events of %d: %v", got, crowdSize, err)
			break
		}
	}
	wg.Wait()
	n, err := s.c.Events(background, 0, s.evs[:1])
	require.NoError(s.t, err)
	require.Zero(s.t, n, "more events than I/Os")
	s.c.atRest(s.t)

	seen := make([]bool, crowdSize)
	for _, ev := range s.evs[:got] {
		i := int(ev.Data)
		if seen[i] || ev.ID != s.ks[i].ID() {
			s.t.Fatalf("%v has one event already, or this is not its own: %+v", s.ks[i].ID(), ev)
		}
		seen[i] = true
		if ev.CancelAsked {
			asked++
		} else if s.accepted[i].Load() {
			s.t.Fatalf("a cancel was accepted, and the event does not say so: %+v", ev)
		}
		want := int32(0)
		if ev.CancelAsked && i%crowdKinds != crowdBare {
			want = 1
		}
		if runs := s.runs[i].Load(); runs != want {
			s.t.Fatalf("%d callbacks, want %d: %+v", runs, want, ev)
		}
		if done := s.done[i].Load(); done != 1 {
			s.t.Fatalf("%d completions counted: %+v", done, ev)
		}
	}
	return asked
}

// named is how many I/Os a Cancel of their own was accepted for.
func (s *crowd) named() (n int) {
	for i := range s.accepted {
		if s.accepted[i].Load() {
			n++
		}
	}
	return n
}

// Everything is in flight, and everything is cancelled while it completes: by one
// walk, by name from two sides, and by all of them at once.
func TestSixtyFourThousandCancelledAtOnceHaveOneEventEach(t *testing.T) {
	rounds := 8
	if testing.Short() || underRace() {
		rounds = 2
		t.Logf("-short or -race: %d rounds of each sort instead of 8", rounds)
	}
	s := newCrowd(t)
	forwards, backwards := func() { s.cancelEach(false) }, func() { s.cancelEach(true) }
	all := 0 // what CancelAll said
	walk := func() { all = s.c.CancelAll() }
	total, start := 0, time.Now()
	for range rounds {
		asked := s.round(walk)
		require.Equal(t, asked, all, "CancelAll asked so many, and so many events say so")
		total += asked

		asked = s.round(forwards, backwards)
		require.Equal(t, asked, s.named(), "so many were accepted by name, and so many events say so")
		total += asked

		asked = s.round(walk, forwards, backwards)
		require.LessOrEqual(t, max(all, s.named()), asked)
		require.LessOrEqual(t, asked, all+s.named())
		total += asked
	}
	took := time.Since(start)
	t.Logf("%d I/Os, %d of them asked to cancel, in %v", 3*rounds*crowdSize, total, took.Round(time.Millisecond))
	if !oneCPU() {
		require.Positive(t, total, "no cancel came in time")
		require.Less(t, total, 3*rounds*crowdSize, "no completion came in time")
	}
	require.NoError(t, s.c.Close(soon(t)))
	s.c.atRest(t)
}
