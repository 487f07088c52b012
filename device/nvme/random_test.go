package nvme_test

import (
	"flag"
	"slices"
	"testing"

	"blksim/device/nvme"
	"blksim/device/nvme/spec"
	"blksim/sim"

	"github.com/stretchr/testify/require"
)

var (
	randomCount = flag.Int("sqes", 0, "submission entries of TestRandomSQEs; 0: 1,000,000, with -short 60,000")
	randomSeed  = flag.Uint64("sqe-seed", 1, "seed of TestRandomSQEs' first round")
)

// TestRandomSQEs submits entries that are random, or nearly right with something
// wrong, to all queues: all 256 opcodes, bad data pointers, namespaces, blocks and
// queue ids. There is no panic, each command has exactly one completion (except
// event requests, and what a deleted queue or a reset took along), no queue is
// stuck, and no status is one that the specification does not give that command.
//
// `make fuzz-nvme N=10000000` runs more of them.
func TestRandomSQEs(t *testing.T) {
	n := *randomCount
	if n == 0 {
		n = 1_000_000
		if testing.Short() {
			n = 60_000
		}
	}
	done, completed := 0, 0
	for seed := *randomSeed; done < n; seed++ {
		h := newRandomHost(t, seed)
		k := min(n-done, randomRound)
		h.round(k)
		if t.Failed() {
			t.Fatalf("again: go test ./device/nvme -run TestRandomSQEs -sqes %d -sqe-seed %d", randomRound, seed)
		}
		done, completed = done+k, completed+h.completed
	}
	t.Logf("%d entries, %d completions", done, completed)
}

// randomRound is how many entries a controller gets; then there is a new one.
const randomRound = 5000

// randomHost is a host that does not know what it does, and keeps books of it.
type randomHost struct {
	*rig
	rnd       *sim.Rand
	medium    *fickle
	queues    [5]randomQueue
	completed int
	answer    spec.Status // of the last good command
}

// randomQueue is what a host knows of a queue pair.
type randomQueue struct {
	*hostQueue
	out     []spec.SQE // submitted and not completed
	sqhd    int        // the controller's head, as it last told
	pending int        // written and not rung
	dead    bool       // deleted by a random command
}

// dataBase and ringBase are where data and rings are in the host's memory. No
// random address and nothing that the controller writes leads to the rings.
const (
	dataBase = uint64(0x10_0000)
	dataSize = 256 << 10
	ringBase = uint64(0x7a5c_19e3_4410_0000)
)

// apart is memory for data and memory for rings.
type apart struct{ data, rings *memory }

func (m apart) Window(addr uint64, n int) ([]byte, bool) {
	if addr >= ringBase {
		return m.rings.Window(addr-ringBase+busBase, n)
	}
	if addr < dataBase {
		return nil, false
	}
	return m.data.Window(addr-dataBase+busBase, n)
}

// fickle is a medium that ends some ops at once and keeps others until it is
// told, lets go of some, and fails some.
type fickle struct {
	held
	rnd *sim.Rand
}

func (m *fickle) Begin(op *nvme.Op) (spec.Status, bool) {
	if m.rnd.IntN(2) == 0 {
		return m.outcome(op), true
	}
	return m.held.Begin(op)
}

func (m *fickle) Abort(op *nvme.Op) bool {
	m.abort = m.rnd.IntN(2) == 0
	return m.held.Abort(op)
}

func (m *fickle) outcome(op *nvme.Op) spec.Status {
	if m.rnd.IntN(32) > 0 {
		return spec.Success
	}
	if op.Kind == nvme.OpRead {
		return spec.UnrecoveredRead
	}
	return spec.WriteFault
}

// release ends some of the ops that it has, or all.
func (m *fickle) release(everything bool) {
	for i := len(m.ops); i > 0 && len(m.ops) > 0; i-- {
		if everything || m.rnd.IntN(3) == 0 {
			k := m.rnd.IntN(len(m.ops))
			op := m.ops[k]
			m.ops = append(m.ops[:k], m.ops[k+1:]...)
			m.host.Done(op, m.outcome(op))
		}
	}
	m.host.Settle()
}

func newRandomHost(t testing.TB, seed uint64) *randomHost {
	h := &randomHost{rnd: sim.NewRand(seed, "sqes")}
	h.medium = &fickle{held: held{cache: seed%2 == 0}, rnd: h.rnd}
	h.rig = newRig(t, seed, nvme.Config{}, null)
	h.mem = newMemory(256 << 10)
	data := newMemory(dataSize)
	cfg := nvme.Config{
		Capacity: 1 << 20, Queues: 6, QueueDepth: 64, Slots: 1 + h.rnd.IntN(24), MDTS: uint8(h.rnd.IntN(3)), MaxNamespaces: 4,
		Namespaces: []nvme.Namespace{{Size: 256 << 10}, {Size: 256 << 10, LBASize: 4096}, {Size: 64 << 10, Detached: true}},
	}
	if seed%5 == 0 {
		cfg.Data = nvme.Discard
	}
	c, err := nvme.New(h.w.Lane(0), apart{data, h.mem}, h, h.medium, cfg)
	require.NoError(t, err)
	h.c = c
	h.litter(data)
	h.start()
	return h
}

// litter fills the data memory with what might be PRPs, SGL descriptors, ranges
// and lists, and with noise.
func (h *randomHost) litter(m *memory) {
	for i := 0; i < len(m.b); i += 16 {
		lo, hi := h.address(), h.rnd.Uint64()
		switch h.rnd.IntN(4) {
		case 0:
			hi = h.address() // two PRPs
		case 1:
			hi = uint64(h.rnd.IntN(4096)) | uint64(h.rnd.IntN(5))<<60 // a descriptor
		case 2:
			lo, hi = uint64(h.rnd.IntN(64))<<32, uint64(h.rnd.IntN(600)) // a range
		}
		put64(m.b[i:], lo)
		put64(m.b[i+8:], hi)
	}
}

// address is one in the data memory, most often on a page, or anywhere.
func (h *randomHost) address() uint64 {
	switch h.rnd.IntN(12) {
	case 0:
		return h.rnd.Uint64() >> 2 // not where the rings are
	case 1:
		return dataBase + uint64(h.rnd.IntN(dataSize))
	case 2:
		return dataBase + uint64(h.rnd.IntN(dataSize))&^3
	}
	return dataBase + uint64(h.rnd.IntN(dataSize))&^4095
}

// start enables the controller and makes four queue pairs.
func (h *randomHost) start() {
	h.brk = busBase
	f := ccEnabled().Fields()
	f.AMS = uint8(h.rnd.IntN(2))
	h.adopt(0, 64)
	h.c.Write32(spec.RegAQA, uint32(spec.EncodeAQA(64, 64)))
	h.c.Write64(spec.RegASQ, h.bus(h.queues[0].sq))
	h.c.Write64(spec.RegACQ, h.bus(h.queues[0].cq))
	h.c.Write32(spec.RegCC, uint32(f.Encode()))
	h.run()
	for q := uint16(1); q < 5; q++ {
		h.adopt(q, 8<<(q%3))
	}
	for q := uint16(1); q < 5; q++ {
		if !h.create(q) {
			h.t.Errorf("queue %d: not created: %v", q, h.answer)
		}
	}
}

// bus is the address that the controller knows ring memory by.
func (h *randomHost) bus(a uint64) uint64 { return a - busBase + ringBase }

func (h *randomHost) adopt(q uint16, entries int) {
	h.queues[q] = randomQueue{hostQueue: h.ring(q, entries)}
}

// good carries out an admin command with nothing wrong.
func (h *randomHost) good(op uint8, qid uint16, edit func(e *spec.SQE)) bool {
	for h.queues[0].full() {
		h.reapAll()
	}
	e := command(op, 0x8000|h.nextCID(), 0)
	e.SetCDW10(uint32(qid))
	if edit != nil {
		edit(&e)
	}
	h.answer = spec.InternalError
	h.submitRandom(0, e)
	h.ringAll()
	h.run()
	h.reapAll()
	return h.answer == spec.Success
}

// create makes queue pair q.
func (h *randomHost) create(q uint16) bool {
	x := h.queues[q].hostQueue
	clear(h.mem.at(x.cq, x.entries*16))
	x.head, x.tail, x.phase = 0, 0, true
	h.queues[q] = randomQueue{hostQueue: x, dead: true}
	ok := h.good(spec.AdminCreateCQ, q, func(e *spec.SQE) {
		e.SetPRPs(h.bus(x.cq), 0)
		e.SetCDW10(spec.QueueCDW10(q, x.entries))
		e.SetCDW11(spec.CreateCQCDW11(q, true))
	}) && h.good(spec.AdminCreateSQ, q, func(e *spec.SQE) {
		e.SetPRPs(h.bus(x.sq), 0)
		e.SetCDW10(spec.QueueCDW10(q, x.entries))
		e.SetCDW11(spec.CreateSQCDW11(q, uint8(h.rnd.IntN(4))))
	})
	h.queues[q].dead = !ok
	return ok
}

// repair brings the queues back that random commands have deleted. Other random
// commands may have made queues in their place, with memory of theirs.
func (h *randomHost) repair() {
	for q := uint16(1); q < 5; q++ {
		if !h.queues[q].dead {
			continue
		}
		for _, x := range []uint16{q, 5, 6} {
			h.good(spec.AdminDeleteSQ, x, nil)
		}
		h.good(spec.AdminDeleteCQ, q, nil)
		if !h.create(q) {
			h.reset() // Number of Queues was set meanwhile, or another queue uses its completion queue
			return
		}
	}
}

// round submits n entries.
func (h *randomHost) round(n int) {
	for n > 0 && !h.t.(*testing.T).Failed() {
		h.repair()
		for range 1 + h.rnd.IntN(24) {
			q := h.rnd.IntN(6) % 5
			if q == 0 && h.rnd.IntN(3) > 0 || h.queues[q].full() || h.queues[q].dead {
				continue
			}
			if q > 0 && n > 1 && h.queues[q].room() > 1 && h.rnd.IntN(12) == 0 {
				first, second := h.pairEntry()
				h.submitRandom(q, first)
				h.submitRandom(q, second)
				n--
			} else {
				h.submitRandom(q, h.entry(q))
			}
			if n--; n == 0 {
				break
			}
		}
		h.ringAll()
		h.run()
		if h.rnd.IntN(3) == 0 {
			h.w.Lane(0).Post(func() { h.medium.release(false) })
			h.run()
		}
		if h.rnd.IntN(4) > 0 {
			h.reapAll()
		}
		switch h.rnd.IntN(200) {
		case 0:
			h.drain()
		case 1:
			h.reset()
		}
	}
	h.drain()
	h.checkIdentity()
}

// room is how many entries may be written.
func (q *randomQueue) room() int { return (q.sqhd - q.tail - 1 + 2*q.entries) % q.entries }

func (q *randomQueue) full() bool { return q.room() == 0 }

func (h *randomHost) submitRandom(q int, e spec.SQE) {
	x := &h.queues[q]
	copy(h.mem.at(x.sq+uint64(x.tail)*64, 64), e[:])
	x.tail = (x.tail + 1) % x.entries
	x.pending++
	x.out = append(x.out, e)
}

func (h *randomHost) ringAll() {
	for i := range h.queues {
		if x := &h.queues[i]; x.pending > 0 {
			x.pending = 0
			h.c.Write32(spec.SQTailDoorbell(uint16(i), 0), uint32(x.tail))
		}
	}
}

// reset disables the controller in the middle of everything.
func (h *randomHost) reset() {
	if h.rnd.IntN(2) == 0 {
		h.c.Write32(spec.RegNSSR, spec.SubsystemReset)
	} else {
		h.c.Write32(spec.RegCC, 0)
	}
	h.run()
	h.start()
}

// drain lets everything end: nothing but event requests may be left.
func (h *randomHost) drain() {
	for range 1000 {
		h.w.Lane(0).Post(func() { h.medium.release(true) })
		h.run()
		h.reapAll()
		left := 0
		for i := range h.queues {
			for _, e := range h.queues[i].out {
				if i > 0 || e.Opcode() != spec.AdminAsyncEvent {
					left++
				}
			}
		}
		if left == 0 {
			return
		}
	}
	for i := range h.queues {
		h.t.Errorf("queue %d is stuck with %d commands: %x", i, len(h.queues[i].out), h.queues[i].out)
	}
}

// reapAll consumes all completions and holds each against the books.
func (h *randomHost) reapAll() {
	for i := range h.queues {
		h.reapQueue(i)
	}
	h.run()
}

func (h *randomHost) reapQueue(i int) {
	x := &h.queues[i]
	n := h.completed
	for {
		e := spec.CQEAt(h.mem.at(x.cq, x.entries*16), x.head)
		d := e.Poll()
		if d.Phase() != x.phase {
			break
		}
		if x.head++; x.head == x.entries {
			x.head, x.phase = 0, !x.phase
		}
		h.completed++
		h.settle(i, d, e)
	}
	if h.completed > n {
		h.c.Write32(spec.CQHeadDoorbell(uint16(i), 0), uint32(x.head))
	}
}

// settle takes the command of a completion off the books.
func (h *randomHost) settle(q int, d spec.CQEDword3, c *spec.CQE) {
	x := &h.queues[q]
	st := d.Status()
	if int(c.SQID()) != q {
		h.t.Errorf("queue %d: a completion of queue %d", q, c.SQID())
	}
	x.sqhd = int(c.SQHead())
	candidate := -1
	for k, e := range x.out {
		if e.CID() != d.CID() {
			continue
		}
		candidate = k
		if allowed(q == 0, &e, st.Code()) {
			break
		}
	}
	if candidate < 0 {
		h.t.Errorf("queue %d: a completion of command %#x, which is not out: %v", q, d.CID(), st)
		return
	}
	e := x.out[candidate]
	if !allowed(q == 0, &e, st.Code()) {
		h.t.Errorf("queue %d: opcode %#x ended with %v", q, e.Opcode(), st)
	}
	x.out = slices.Delete(x.out, candidate, candidate+1)
	switch {
	case q == 0 && e.CID() >= 0x8000:
		h.answer = st
	case q == 0 && st.OK() && (e.Opcode() == spec.AdminDeleteSQ || e.Opcode() == spec.AdminDeleteCQ):
		if qid := int(e.CDW10() & 0xffff); qid > 0 && qid < 5 { // its commands have ended before
			h.reapQueue(qid)
			x := &h.queues[qid]
			x.out, x.pending, x.dead = nil, 0, true
		}
	}
}
