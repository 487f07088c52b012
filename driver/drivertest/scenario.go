package drivertest

import "blksim/aio"

// A scenario is a workload that can break the rules it is for. The rules are
// watched in all scenarios; see judge for whose break it then is.
type scenario struct {
	rules   []string          // the first is blamed for what basic rules found here
	needs   []string          // rules that must hold first, besides the basic ones; "all": every one so far
	rename  map[string]string // what another rule's break is called here
	claims  func(c claims) bool
	seeds   int  // of 100: which share of the seeds it runs on; 0: all
	real    bool // on lanes that are goroutines, at once
	virtual bool // needs virtual time
	play    func(b *bench)
}

// claims is what a driver says of itself, once for all scenarios.
type claims struct {
	o     *Options
	facts facts
}

// facts are found out by opening the driver once.
type facts struct {
	ops                     []aio.Op
	cancel, poll, cut, data bool
	reset                   bool
	cache, through          bool
	queues, segments        int
}

func (f facts) has(op aio.Op) bool {
	for _, o := range f.ops {
		if o == op {
			return true
		}
	}
	return false
}

func stores(c claims) bool  { return c.facts.data }
func cancels(c claims) bool { return c.facts.cancel }

// basics are what every other scenario needs.
var basics = []string{
	"no-panic", "limits-constant", "complete-once", "complete-lane", "complete-bounded", "complete-result", "complete-close",
	"ops-claimed", "busy-untouched", "busy-ends", "refuse-untouched", "cancel-unasked",
}

// What the scenarios need: those that look at data, those with cancels, and those
// that cancel in full queues.
var (
	storing    = []string{"buffer-readonly", "buffer-after", "data-stored"}
	cancelling = []string{"cancel-submitted", "cancel-bounded"}
	full       = []string{"cancel-submitted", "cancel-bounded", "cancel-full"}
)

// scenarios are all there are, each after those that it builds on.
func scenarios() []scenario {
	return []scenario{
		{rules: []string{"limits-valid"}, play: playLimits},
		{rules: basics, play: playBasics},
		{rules: []string{"queues-apart"}, claims: func(c claims) bool { return c.facts.queues > 1 }, play: playQueues},
		{rules: []string{"poll-budget"}, claims: func(c claims) bool { return c.facts.poll }, play: playPoll},
		{rules: []string{"no-goroutines"}, virtual: true, seeds: 2, needs: []string{"queues-apart"}, play: playGoroutines},

		{rules: []string{"buffer-readonly", "buffer-after"}, claims: func(c claims) bool { return c.facts.has(aio.OpRead) || c.facts.has(aio.OpWrite) }, play: playBuffers},
		{rules: []string{"data-stored"}, claims: stores, needs: []string{"buffer-readonly", "buffer-after"}, play: playData},
		{rules: []string{"data-segments"}, claims: func(c claims) bool { return stores(c) && c.facts.segments != 1 }, needs: storing, play: playSegments},
		{rules: []string{"data-bounds"}, seeds: 20, needs: storing, play: playBounds},
		{rules: []string{"data-zeroes"}, claims: func(c claims) bool {
			return stores(c) && (c.facts.has(aio.OpDiscard) || c.facts.has(aio.OpWriteZeroes))
		}, needs: storing, play: playZeroes},
		{rules: []string{"data-overlap"}, claims: stores, needs: storing, play: playOverlap},
		{rules: []string{"flush-order"}, claims: func(c claims) bool { return stores(c) && c.facts.cut && c.facts.cache }, needs: storing, play: playFlush},
		{rules: []string{"fua-durable"}, claims: func(c claims) bool { return stores(c) && c.facts.cut && c.facts.cache && c.facts.through }, needs: append(storing, "flush-order"), play: playFUA},
		{rules: []string{"crash-durable", "crash-whole"}, claims: func(c claims) bool { return stores(c) && c.facts.cut }, needs: append(storing, "flush-order", "fua-durable"), play: playCrash},

		{rules: []string{"cancel-submitted", "cancel-bounded"}, claims: cancels, play: playCancel},
		{rules: []string{"cancel-full"}, claims: cancels, needs: cancelling, play: playCancelFull},
		{rules: []string{"cancel-queued"}, claims: cancels, needs: full, play: playCancelQueued},
		{rules: []string{"cancel-completing"}, claims: cancels, virtual: true, seeds: 20, needs: cancelling, play: playCancelCompleting},
		{rules: []string{"cancel-done"}, claims: cancels, needs: cancelling, play: playCancelDone},
		{rules: []string{"cancel-stale"}, claims: cancels, needs: full, play: playCancelStale},
		{rules: []string{"cancel-twice"}, claims: cancels, needs: full, play: playCancelTwice},
		{rules: []string{"cancel-others"}, claims: cancels, needs: append(full, "cancel-stale", "queues-apart"), rename: map[string]string{"cancel-unasked": "cancel-others", "cancel-stale": "cancel-others"}, play: playCancelOthers},
		{rules: []string{"cancel-lane"}, claims: cancels, needs: append(full, "cancel-others"), play: playCancelLane},
		{rules: []string{"cancel-data"}, claims: func(c claims) bool { return cancels(c) && stores(c) }, needs: append(append(full, storing...), "data-overlap", "cancel-stale"), play: playCancelData},
		{rules: []string{"cancel-close"}, claims: cancels, needs: cancelling, play: playCancelClose},
		{rules: []string{"reset"}, claims: func(c claims) bool { return c.facts.reset }, needs: []string{"queues-apart"}, play: playReset},
		{rules: []string{"cancel-reset"}, claims: func(c claims) bool { return c.facts.reset && c.facts.cancel }, needs: append(full, "reset", "cancel-stale", "cancel-others", "cancel-lane"), play: playCancelReset},
		{rules: []string{"deterministic"}, virtual: true, seeds: 20, needs: []string{"all"}, play: playTwice},
		{rules: []string{"real-lanes"}, real: true, seeds: 2, needs: []string{"all"}, play: playReal},
	}
}

// The size of a bench.
const (
	maxQueues = 4       // hardware queues at most
	maxDepth  = 32      // requests in each at most
	maxEvents = 2 << 20 // events of a world within one wait: beyond is a livelock
	jobs      = 40      // in a load
)

// depth draws how deep a queue is opened.
func (b *bench) depth() int {
	return 1 + b.rand.IntN(min(b.lim.QueueDepth, maxDepth))
}

// lanesFor is how many queues a scenario with several opens.
func (b *bench) lanesFor() int { return min(b.lim.Queues, maxQueues) }

func playLimits(b *bench) {
	bad := func(format string, args ...any) { b.broke("limits-valid", nil, nil, "Limits: "+format, args...) }
	l := b.lim
	switch err := l.Validate(); {
	case err != nil:
		bad("%v", err)
	case l.Capacity == 0:
		bad("capacity 0: want at least a block")
	case l.Ops == 0 || l.Ops>>aio.NumOps != 0:
		bad("operations %b: want at least one, and none that does not exist", l.Ops)
	case l.WriteCache && !l.Ops.Has(aio.OpFlush):
		bad("a write cache and no flush: nobody could empty it")
	}
	b.close()
}

// playBasics is everything but data and cancels, on one queue.
func playBasics(b *bench) {
	b.queues(1, b.depth())
	l := b.newLoad(b.ports[0], jobs, 1+b.rand.IntN(maxDepth))
	l.through = true
	b.run(l)
	b.settle()
	if now := b.drv.Limits(); now != b.lim {
		b.broke("limits-constant", nil, nil, "Limits was %+v and is now %+v", b.lim, now)
	}
	b.close()
}

// playQueues runs the same tags on several queues at once.
func playQueues(b *bench) {
	n := 2 + b.rand.IntN(b.lanesFor()-1)
	b.queues(n, b.depth())
	var loads []*load
	for _, p := range b.ports {
		loads = append(loads, b.newLoad(p, jobs, p.depth))
	}
	b.run(loads...)
	b.settle()
	b.close()
}

// playPoll asks for completions again and again while a load runs.
func playPoll(b *bench) {
	b.queues(1, b.depth())
	p := b.ports[0]
	l := b.newLoad(p, jobs, p.depth)
	poll := func() {
		budget := 1 + b.rand.IntN(4)
		before := p.ended
		got := p.can.Poller.Poll(budget)
		if did := p.ended - before; got != did || did > budget {
			b.broke("poll-budget", p, nil, "queue %d: Poll(%d) answered %d and completed %d", p.id, budget, got, did)
		}
	}
	l.start()
	for range 400 {
		over := false
		b.during(func() { over = l.drained() })
		if over || b.failed() {
			break
		}
		_ = b.pass(b.rand.Duration(0, l.within))
		b.on(p, poll)
	}
	b.until(l.drained)
	b.close()
}
