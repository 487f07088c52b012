package nvme_test

import (
	"testing"
	"time"

	"blksim/aio/lane"
	"blksim/device/nvme"
	"blksim/device/nvme/flash"
	"blksim/device/nvme/spec"
	"blksim/sim"
	"blksim/sim/faultplan"
)

// Times of a run: new commands for seedSpan, after which the faults are healed;
// then everything ends within seedBound. A host that waits longer than seedAbort
// for a command aborts it, and resets the controller after seedReset.
const (
	seedSpan  = 8 * time.Millisecond
	seedAbort = 2 * time.Millisecond
	seedReset = 5 * time.Millisecond
	seedBound = 100 * time.Millisecond
)

// seedRegions and seedBlocks: the device is used in regions, one command at a
// time each (a Copy has two), so that it is known what each must hold.
const (
	seedRegions = 64
	seedBlocks  = 8
)

// seedHost is a host that does everything a host may do, and keeps books.
type seedHost struct {
	*rig
	rnd     *sim.Rand
	faults  *faultplan.Injector
	queues  []seedQueue
	regions [seedRegions]region
	healed  lane.Time // when the faults were; 0: not yet
	irq     bool      // an interrupt has come since the last look
	hash    uint64
	told    answers
	stats   seedStats
}

// region is what a region may hold: one value, or, after a write whose end is not
// known, one of two.
type region struct {
	busy      bool
	forgotten bool // it may hold anything
	may       [2]byte
}

// seedQueue is a queue pair, with the commands that are out.
type seedQueue struct {
	*hostQueue
	out  []seedCommand
	sqhd int
	seq  uint16
}

// seedCommand is a command that is out.
type seedCommand struct {
	e       spec.SQE
	at      lane.Time
	aborted bool // an Abort or a Cancel was sent for it
	region  int  // -1: none
	source  int  // of a Copy; else -1
	value   byte // of a write
	buf     uint64
}

func runSeed(t testing.TB, seed uint64) *seedHost {
	h := &seedHost{rnd: sim.NewRand(seed, "seeds"), hash: 0xcbf29ce484222325}
	cfg := nvme.Config{
		Capacity: seedRegions * seedBlocks * 512, Queues: 3, QueueDepth: 64, Slots: 1 + h.rnd.IntN(20), AbortLimit: 1 + h.rnd.IntN(4),
		ReadyDelay: time.Duration(h.rnd.IntN(300)) * time.Microsecond,
		Faults:     faultplan.NewInjector(randomPlan(h.rnd, seedSpan), h.rnd), FaultRand: h.rnd,
	}
	h.faults = cfg.Faults
	h.rig = newRigMem(t, seed, cfg, func(w *sim.World) nvme.Medium {
		return &stubborn{Medium: h.below(w), rnd: h.rnd, faults: h.faults, refuses: max(0, h.rnd.IntN(8)-4)}
	}, 640<<10)
	h.rig.hook = h.interrupt
	h.start()
	for end := h.w.Now().Add(seedSpan); h.w.Now() < end && !failed(t); {
		h.act()
	}
	h.w.Lane(0).Post(h.c.Heal)
	h.runFor(0)
	h.healed = h.w.Now()
	for end := h.w.Now().Add(seedBound); h.w.Now() < end && h.left() > 0 && !failed(t); {
		h.step(time.Duration(h.rnd.IntN(300)) * time.Microsecond)
	}
	if n := h.left(); n > 0 {
		t.Errorf("%d commands are out %v after the faults were healed", n, seedBound)
	}
	h.readAll()
	h.checkAnswers()
	h.countFaults()
	return h
}

// answers are what completions told a host about aborts.
type answers struct {
	ended    uint64 // commands that ended with 07h
	aborted  uint64 // Aborts answered "aborted"
	counted  uint64 // commands that Cancels counted as aborted
	eligible uint64 // commands that they counted as eligible for a deferred abort
}

// checkAnswers is the identity, by the device's counters and by what the host was
// told. Cut is what a reset kept the host from being told.
func (h *seedHost) checkAnswers() {
	s := h.c.Stats()
	if got, want := s.Count(spec.AbortRequested), s.AbortsAnswered(); got != want {
		h.t.Errorf("identity: %d commands ended with 07h, Aborts and Cancels answered %d: %+v %+v", got, want, s.Aborts, s.Cancels)
	}
	if want := (answers{s.Count(spec.AbortRequested), s.Aborts.Aborted, s.Cancels.Immediate, h.told.eligible}); h.told != want {
		h.t.Errorf("the host was told %+v, the device counts %+v", h.told, want)
	}
	if s.Cancels.Deferred > h.told.eligible {
		h.t.Errorf("%d deferred aborts, %d were announced", s.Cancels.Deferred, h.told.eligible)
	}
	h.stats.Aborted, h.stats.Cancelled, h.stats.Deferred = s.Aborts.Aborted, s.Cancels.Immediate, s.Cancels.Deferred
}

func failed(t testing.TB) bool { return t.(interface{ Failed() bool }).Failed() }

// below is the medium that the faults lie over.
func (h *seedHost) below(w *sim.World) nvme.Medium {
	if h.rnd.IntN(4) == 0 {
		return nvme.NewNull()
	}
	cfg := smallFlash
	if h.rnd.IntN(3) == 0 {
		cfg.Buffer, cfg.Volatile = 0, false
	}
	f, err := flash.New(w.Lane(0), w.Rand("media"), cfg)
	if err != nil {
		panic(err)
	}
	return f
}

// interrupt is the host's interrupt handler: it takes note.
func (h *seedHost) interrupt(int) { h.irq = true }

// start enables the controller and makes the queues.
func (h *seedHost) start() {
	h.brk = busBase
	f := ccEnabled().Fields()
	f.AMS = uint8(h.rnd.IntN(2))
	h.setAdmin(32)
	h.c.Write32(spec.RegCC, uint32(f.Encode()))
	h.queues = []seedQueue{{hostQueue: h.q[0]}}
	for until := h.w.Now().Add(time.Second); !h.csts().Ready() && !h.csts().Fatal() && !h.unpowered() && h.w.Now() < until; {
		h.runFor(50 * time.Microsecond)
	}
	for q := range uint16(3) {
		h.queues = append(h.queues, seedQueue{hostQueue: h.ring(q+1, 4<<q)})
		h.setUp(spec.AdminCreateCQ, q+1, spec.CreateCQCDW11(q+1, true), h.q[q+1].cq)
		h.setUp(spec.AdminCreateSQ, q+1, spec.CreateSQCDW11(q+1, uint8(h.rnd.IntN(4))), h.q[q+1].sq)
	}
	if h.rnd.IntN(3) == 0 {
		e := h.command(0, spec.AdminSetFeatures)
		e.SetCDW10(spec.FeatIRQCoalescing)
		e.SetCDW11(spec.EncodeCoalescing(uint8(h.rnd.IntN(4)), uint8(h.rnd.IntN(4))))
		h.submitSeed(0, seedCommand{e: e, region: -1, source: -1})
	}
	h.run0()
}

func (h *seedHost) setUp(op uint8, q uint16, cdw11 uint32, addr uint64) {
	e := h.command(0, op)
	e.SetPRPs(addr, 0)
	e.SetCDW10(spec.QueueCDW10(q, h.q[q].entries))
	e.SetCDW11(cdw11)
	h.submitSeed(0, seedCommand{e: e, region: -1, source: -1})
}

// run0 rings all queues and lets the controller see it.
func (h *seedHost) run0() {
	for i := range h.queues {
		h.bell(uint16(i))
	}
	h.runFor(0)
}

func (h *seedHost) command(q int, op uint8) spec.SQE {
	x := &h.queues[q]
	x.seq++
	return command(op, x.seq, 1)
}

func (h *seedHost) submitSeed(q int, c seedCommand) {
	x := &h.queues[q]
	copy(h.mem.at(x.sq+uint64(x.tail)*64, 64), c.e[:])
	x.tail = (x.tail + 1) % x.entries
	c.at = h.w.Now()
	x.out = append(x.out, c)
	h.stats.Commands++
}

func (q *seedQueue) room() int { return (q.sqhd - q.tail - 1 + 2*q.entries) % q.entries }

// act does some of what a host does, and lets some time pass.
func (h *seedHost) act() {
	for range h.rnd.IntN(4) {
		q := 1 + h.rnd.IntN(3)
		if h.queues[q].room() < 2 {
			continue
		}
		switch h.rnd.IntN(8) {
		case 0:
			h.cancelSome(q)
		case 1:
			h.abortSome(q)
		default:
			h.submitIO(q)
		}
	}
	if h.rnd.IntN(400) == 0 {
		h.resetSeed()
		return
	}
	h.step(time.Duration(h.rnd.IntN(120)) * time.Microsecond)
}

// step rings, lets d pass, and looks at what has come: after an interrupt, or now
// and then, since one may have been lost.
func (h *seedHost) step(d time.Duration) {
	h.run0()
	h.runFor(d)
	if h.irq || h.rnd.IntN(8) == 0 {
		h.irq = false
		for q := range h.queues {
			h.reapSeed(q)
		}
	}
	h.watch()
}

// watch is the host's timeout handler.
func (h *seedHost) watch() {
	if h.unpowered() || h.csts().Fatal() {
		h.resetSeed()
		return
	}
	now := h.w.Now()
	for q := range h.queues {
		for i := range h.queues[q].out {
			switch c := &h.queues[q].out[i]; {
			case now > c.at.Add(seedReset) && !h.faults.Healed():
				h.resetSeed()
				return
			case q > 0 && now > c.at.Add(seedAbort) && !c.aborted && h.queues[0].room() > 0:
				h.sendAbort(uint16(q), c)
			}
		}
	}
}

// doubtful says whether what c has read, or copied, may be wrong by the plan.
func (h *seedHost) doubtful(c *seedCommand) bool {
	return wrongData(h.faults) && (h.healed == 0 || c.at < h.healed)
}

// unpowered says whether the registers are as after power on.
func (h *seedHost) unpowered() bool { return h.c.Read32(spec.RegCC) == 0 }

func (h *seedHost) sendAbort(q uint16, c *seedCommand) {
	c.aborted = true
	e := h.command(0, spec.AdminAbort)
	e.SetCDW10(spec.AbortCDW10(q, c.e.CID()))
	h.submitSeed(0, seedCommand{e: e, region: -1, source: -1})
}

func (h *seedHost) abortSome(q int) {
	x := &h.queues[q]
	if len(x.out) > 0 && h.queues[0].room() > 0 {
		h.sendAbort(uint16(q), &x.out[h.rnd.IntN(len(x.out))])
	}
}

func (h *seedHost) cancelSome(q int) {
	x := &h.queues[q]
	if len(x.out) == 0 {
		return
	}
	e := h.command(q, spec.IOCancel)
	e.SetCDW10(spec.AbortCDW10(uint16(q), x.out[h.rnd.IntN(len(x.out))].e.CID()))
	if h.rnd.IntN(4) == 0 {
		e.SetCDW10(spec.AbortCDW10(uint16(q), spec.CIDAll))
		e.SetCDW11(spec.CancelMultiple)
	}
	h.submitSeed(q, seedCommand{e: e, region: -1, source: -1})
}

// resetSeed disables the controller and starts again: what was out has ended.
func (h *seedHost) resetSeed() {
	h.stats.Resets++
	powerCut := h.unpowered()
	if h.rnd.IntN(4) == 0 {
		h.c.Write32(spec.RegNSSR, spec.SubsystemReset)
	} else {
		h.c.Write32(spec.RegCC, 0)
	}
	h.runFor(0)
	for q := range h.queues {
		h.reapSeed(q) // what was posted before
		for i := range h.queues[q].out {
			h.stats.LostInReset++
			h.unknown(&h.queues[q].out[i])
		}
		h.queues[q].out = nil
	}
	for i := range h.regions {
		// What the cache held may be gone, and what was executing there in part.
		h.regions[i].forgotten = h.regions[i].forgotten || powerCut
	}
	h.start()
}

// left is how many commands are out.
func (h *seedHost) left() (n int) {
	for q := range h.queues {
		n += len(h.queues[q].out)
	}
	return n
}
