package nvme

import (
	"sync"
	"sync/atomic"

	"blksim/aio/lane"
	"blksim/device/nvme/spec"
)

// Controller is a virtual NVMe controller. Its register methods may be called
// from anywhere; everything else of it belongs to its lane.
type Controller struct {
	lane   lane.Lane
	mem    Memory
	irq    Interrupter
	medium Medium
	cfg    Config
	cap    spec.CAP

	regs  registers
	bells doorbells

	// What follows is the lane's.
	state     state
	cc        spec.CC // as acted upon
	pageShift uint8   // log2 of the host's page
	ready     lane.Timer
	shutdown  bool // CC.SHN was set: nothing more is fetched
	flushDue  bool // and the flush has yet to begin
	flushOp   Op   // the flush of a shutdown

	sqs   []*subq  // by id; 0 is the admin queue
	cqs   []*compq // by id
	io    slotPool
	admin slotPool
	arb   arbiter

	ns      []*namespace // by NSID - 1; nil: not allocated
	format  format
	store   *contents // nil: data is discarded
	page    []byte    // what is on its way to or from the host
	scratch []byte    // of Copy; nil until the first

	vectors    []vector
	dirty      []int  // vectors with new entries, in the order of their first one
	masked     uint32 // INTMS/INTMC, vectors 0 to 31
	maskedDue  uint32 // vectors to raise when they are unmasked
	aborts     int    // Abort commands not yet answered
	ev         events
	feat       features
	grantedSQs int // Number of Queues
	grantedCQs int
	clock      timestamp
	errors     errorLog
	counts     counts
	stats      Stats
	statusHits [2048]uint64 // completions by status code

	faults *faults // nil: there is no plan
}

// state is the controller's state; see the package comment.
type state uint8

const (
	disabled state = iota
	starting
	ready
	fatal
)

// registers is what the host sees of the registers beside the doorbells.
type registers struct {
	csts atomic.Uint32 // written by the lane alone
	mask atomic.Uint32 // INTMS

	mu       sync.Mutex // held by writers of what follows
	cc       atomic.Uint32
	aqa      atomic.Uint32
	asq, acq atomic.Uint64
	queue    []regWrite  // writes that the lane has not taken
	spare    []regWrite  // the other buffer, while the lane does not work on it
	posted   bool        // a pass is on its way
	pending  atomic.Bool // there are writes that the lane has not acted upon: doorbells must queue behind them
	pass     func()      // bound once

	gone atomic.Bool   // the device was removed: everything reads as ones
	errs atomic.Uint64 // writes that no register takes
}

// New makes a controller that runs on l, disabled. mem and irq are the host's,
// m is the controller's from here on.
func New(l lane.Lane, mem Memory, irq Interrupter, m Medium, cfg Config) (*Controller, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	c := &Controller{
		lane: l, mem: mem, irq: irq, medium: m, cfg: cfg,
		sqs: make([]*subq, cfg.Queues+1), cqs: make([]*compq, cfg.Queues+1),
		io:    newSlotPool(cfg.Slots, cancelSlots),
		admin: newSlotPool(cfg.AbortLimit+cfg.EventLimit+adminSlots, 0),
		dirty: make([]int, 0, cfg.Vectors), vectors: make([]vector, cfg.Vectors),
		page: make([]byte, spec.IdentifySize),
		feat: newFeatures(),
	}
	c.cap = spec.CapFields{
		MQES: uint16(cfg.QueueDepth - 1), CQR: true, AMS: spec.AMSWeighted, TO: readyTimeout(cfg), DSTRD: cfg.DoorbellStride,
		NSSRS: true, CSS: 1, MPSMAX: pageShift(cfg.PageMax) - minPageShift, CRMS: 1,
	}.Encode()
	if cfg.Data == Sparse {
		c.store = newContents(cfg.Capacity)
	}
	slots := len(c.io.cmds)
	c.flushOp = Op{Kind: OpFlush, Slot: slots}
	c.format.op = Op{Kind: OpTrim, Slot: slots + 1}
	c.initNamespaces()
	c.ev.held = make([]*command, 0, cfg.EventLimit)
	c.regs.pass = c.applyWrites
	c.bells.init(cfg.Queues+1, c.applyDoorbells)
	c.ready = l.NewTimer(c.becomeReady)
	c.resetFeatures()
	m.Attach(c, slots+2)
	if cfg.Faults != nil {
		c.faults = newFaults(c, cfg.Faults, cfg.FaultRand)
	}
	return c, nil
}

// cancelSlots are how many Cancels may wait for room in completion queues while
// Config.Slots other commands are out: a full device still takes a Cancel.
const cancelSlots = 4

// adminSlots is how many admin commands are fetched at once, beside the Aborts
// and event requests that may be held.
const adminSlots = 32

var (
	_ Registers  = (*Controller)(nil)
	_ MediumHost = (*Controller)(nil)
)
