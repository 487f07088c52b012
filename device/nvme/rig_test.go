package nvme_test

import (
	"testing"
	"time"
	"unsafe"

	"blksim/aio/lane"
	"blksim/device/nvme"
	"blksim/device/nvme/flash"
	"blksim/device/nvme/spec"
	"blksim/sim"

	"github.com/stretchr/testify/require"
)

// memory is host memory from busBase up, in one piece.
type memory struct{ b []byte }

const busBase = 0x1_0000

func newMemory(n int) *memory {
	words := make([]uint64, n/8)
	return &memory{b: unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), n)}
}

func (m *memory) Window(addr uint64, n int) ([]byte, bool) {
	if addr < busBase || n < 0 || addr-busBase > uint64(len(m.b)) || uint64(len(m.b))-(addr-busBase) < uint64(n) {
		return nil, false
	}
	return m.b[addr-busBase:][:n:n], true
}

// at is the memory at a bus address.
func (m *memory) at(addr uint64, n int) []byte {
	b, ok := m.Window(addr, n)
	if !ok {
		panic("test: bad address")
	}
	return b
}

// completion is a completion entry that the host has consumed.
type completion struct {
	qid    uint16
	cid    uint16
	status spec.Status
	result uint32
	sqhd   uint16
	sqid   uint16
	at     lane.Time
	more   bool // the error log has more; status is without that bit
}

// hostQueue is a queue pair as the host has it.
type hostQueue struct {
	qid        uint16
	entries    int
	sq, cq     uint64
	tail, head int
	phase      bool
}

// rig is a small host: it writes rings and reads them, from outside all events
// of a simulated world.
type rig struct {
	t      testing.TB
	w      *sim.World
	mem    *memory
	c      *nvme.Controller
	q      map[uint16]*hostQueue
	brk    uint64 // next free bus address
	raised []int  // by vector
	log    []completion
	lists  map[[2]uint64]uint64 // PRP lists by buffer and length, made once
	cid    uint16
	made   nvme.Medium
	hook   func(v int)  // called by Raise
	last   completion   // of adminAndEvents
	extra  []completion // what came along with it
}

func (r *rig) Raise(v int) {
	r.raised[v]++
	if r.hook != nil {
		r.hook(v)
	}
}

type makeMedium func(w *sim.World) nvme.Medium

func null(*sim.World) nvme.Medium { return nvme.NewNull() }

func flashOf(cfg flash.Config) makeMedium {
	return func(w *sim.World) nvme.Medium {
		f, err := flash.New(w.Lane(0), w.Rand("media"), cfg)
		if err != nil {
			panic(err)
		}
		return f
	}
}

// newRig makes a controller that is still disabled.
func newRig(t testing.TB, seed uint64, cfg nvme.Config, m makeMedium) *rig {
	return newRigMem(t, seed, cfg, m, 2<<20)
}

func newRigMem(t testing.TB, seed uint64, cfg nvme.Config, m makeMedium, mem int) *rig {
	w := sim.NewWorld(seed, 1)
	w.SetLimit(sim.Limit{Events: 50_000_000})
	r := &rig{t: t, w: w, mem: newMemory(mem), q: map[uint16]*hostQueue{}, brk: busBase, lists: map[[2]uint64]uint64{}, raised: make([]int, 5000)}
	r.made = m(w)
	c, err := nvme.New(w.Lane(0), r.mem, r, r.made, cfg)
	require.NoError(t, err)
	r.c = c
	return r
}

// newReady makes a controller with one I/O queue pair of the given size.
func newReady(t testing.TB, cfg nvme.Config, m makeMedium, entries int) *rig {
	r := newRig(t, 1, cfg, m)
	r.enable()
	r.createPair(1, entries)
	return r
}

func (r *rig) run() { require.NoError(r.t, r.w.Run()) }

func (r *rig) runFor(d time.Duration) { require.NoError(r.t, r.w.RunUntil(r.w.Now().Add(d))) }

// alloc is n bytes of page-aligned memory.
func (r *rig) alloc(n int) uint64 {
	a := (r.brk + 4095) &^ 4095
	r.brk = a + uint64(n)
	r.mem.at(a, n)
	return a
}

func ccEnabled() spec.CC { return spec.CCFields{EN: true, IOSQES: 6, IOCQES: 4}.Encode() }

// setAdmin makes an admin queue pair of n entries and writes its registers.
func (r *rig) setAdmin(n int) {
	q := r.ring(0, n)
	r.c.Write32(spec.RegAQA, uint32(spec.EncodeAQA(n, n)))
	r.c.Write64(spec.RegASQ, q.sq)
	r.c.Write64(spec.RegACQ, q.cq)
}

func (r *rig) enable() {
	r.setAdmin(64)
	r.c.Write32(spec.RegCC, uint32(ccEnabled()))
	r.run()
	require.True(r.t, r.csts().Ready(), "CSTS %x", r.csts())
}

func (r *rig) csts() spec.CSTS { return spec.CSTS(r.c.Read32(spec.RegCSTS)) }

// ring makes the memory of a queue pair.
func (r *rig) ring(qid uint16, entries int) *hostQueue {
	q := &hostQueue{qid: qid, entries: entries, sq: r.alloc(entries * 64), cq: r.alloc(entries * 16), phase: true}
	clear(r.mem.at(q.cq, entries*16))
	r.q[qid] = q
	return q
}

func (r *rig) createCQ(qid uint16, entries int) {
	q := r.ring(qid, entries)
	var e spec.SQE
	e.Begin(spec.AdminCreateCQ, r.nextCID(), 0)
	e.SetPRPs(q.cq, 0)
	e.SetCDW10(spec.QueueCDW10(qid, entries))
	e.SetCDW11(spec.CreateCQCDW11(qid, true))
	require.Equal(r.t, spec.Success, r.admin(e).status)
}

func (r *rig) createPair(qid uint16, entries int) {
	r.createCQ(qid, entries)
	var e spec.SQE
	e.Begin(spec.AdminCreateSQ, r.nextCID(), 0)
	e.SetPRPs(r.q[qid].sq, 0)
	e.SetCDW10(spec.QueueCDW10(qid, entries))
	e.SetCDW11(spec.CreateSQCDW11(qid, 0))
	require.Equal(r.t, spec.Success, r.admin(e).status)
}

func (r *rig) nextCID() uint16 { r.cid++; return r.cid }

// put writes a command into its queue without ringing.
func (r *rig) put(qid uint16, e spec.SQE) {
	q := r.q[qid]
	copy(r.mem.at(q.sq+uint64(q.tail)*64, 64), e[:])
	q.tail = (q.tail + 1) % q.entries
}

func (r *rig) bell(qid uint16) {
	r.c.Write32(spec.SQTailDoorbell(qid, 0), uint32(r.q[qid].tail))
}

// submit writes a command and rings.
func (r *rig) submit(qid uint16, e spec.SQE) {
	r.put(qid, e)
	r.bell(qid)
}

// peek consumes what has been posted to a queue, without telling the device.
func (r *rig) peek(qid uint16) []completion {
	q := r.q[qid]
	var out []completion
	for {
		e := spec.CQEAt(r.mem.at(q.cq, q.entries*16), q.head)
		d := e.Poll()
		if d.Phase() != q.phase {
			r.log = append(r.log, out...)
			return out
		}
		out = append(out, completion{qid, d.CID(), d.Status() &^ spec.More, e.Result(), e.SQHead(), e.SQID(), r.w.Now(), d.Status()&spec.More != 0})
		if q.head++; q.head == q.entries {
			q.head, q.phase = 0, !q.phase
		}
	}
}

// reap consumes and rings.
func (r *rig) reap(qid uint16) []completion {
	out := r.peek(qid)
	if len(out) > 0 {
		r.c.Write32(spec.CQHeadDoorbell(qid, 0), uint32(r.q[qid].head))
	}
	return out
}

// admin carries out one admin command to its end.
func (r *rig) admin(e spec.SQE) completion {
	r.submit(0, e)
	r.run()
	c := r.reap(0)
	require.Len(r.t, c, 1)
	require.Equal(r.t, e.CID(), c[0].cid)
	return c[0]
}

// do carries out one I/O command to its end.
func (r *rig) do(e spec.SQE) completion {
	r.submit(1, e)
	r.run()
	c := r.reap(1)
	require.Len(r.t, c, 1)
	require.Equal(r.t, e.CID(), c[0].cid)
	return c[0]
}

// rw makes a read or write of n blocks at slba with a buffer of its own.
func (r *rig) rw(opcode uint8, slba uint64, blocks int) spec.SQE {
	return r.rwAt(opcode, slba, blocks, r.alloc(blocks*512))
}

func (r *rig) rwAt(opcode uint8, slba uint64, blocks int, buf uint64) spec.SQE {
	var e spec.SQE
	e.Begin(opcode, r.nextCID(), 1)
	e.SetSLBA(slba)
	e.SetCDW12(uint32(blocks - 1))
	r.setPRPs(&e, buf, blocks*512)
	return e
}

// setPRPs names n bytes at a page-aligned buffer.
func (r *rig) setPRPs(e *spec.SQE, buf uint64, n int) {
	switch pages := (n + 4095) / 4096; {
	case pages <= 1:
		e.SetPRPs(buf, 0)
	case pages == 2:
		e.SetPRPs(buf, buf+4096)
	default:
		key := [2]uint64{buf, uint64(n)}
		if list, ok := r.lists[key]; ok {
			e.SetPRPs(buf, list)
			return
		}
		list := r.alloc(4096)
		r.lists[key] = list
		e.SetPRPs(buf, list)
		for i, at := 1, 0; i < pages; i++ {
			if at == 511 && i < pages-1 {
				next := r.alloc(4096)
				put64(r.mem.at(list+uint64(at)*8, 8), next)
				list, at = next, 0
			}
			put64(r.mem.at(list+uint64(at)*8, 8), buf+uint64(i)*4096)
			at++
		}
	}
}

func put64(b []byte, v uint64) {
	for i := range 8 {
		b[i] = byte(v >> (8 * i))
	}
}

func (r *rig) abortOf(sqid, cid uint16) spec.SQE {
	var e spec.SQE
	e.Begin(spec.AdminAbort, r.nextCID(), 0)
	e.SetCDW10(spec.AbortCDW10(sqid, cid))
	return e
}

func command(opcode uint8, cid uint16, nsid uint32) spec.SQE {
	var e spec.SQE
	e.Begin(opcode, cid, nsid)
	return e
}

// checkIdentity: commands posted with 07h == aborts answered "aborted" (+ cut).
func (r *rig) checkIdentity() {
	s := r.c.Stats()
	require.Equal(r.t, s.Count(spec.AbortRequested), s.AbortsAnswered())
	require.LessOrEqual(r.t, s.Aborts.Aborted+s.Aborts.NotAborted+s.Aborts.LimitExceeded+s.Aborts.Invalid, s.Aborts.Asked)
}

// held is a medium that ends an op when the test says so.
type held struct {
	host  nvme.MediumHost
	ops   []*nvme.Op
	abort bool     // what Abort answers
	keep  *nvme.Op // an op that it does not let go of all the same
	cache bool
	stats nvme.MediumStats
}

func (m *held) Attach(h nvme.MediumHost, _ int) { m.host = h }
func (m *held) Begin(op *nvme.Op) (spec.Status, bool) {
	m.ops = append(m.ops, op)
	return 0, false
}
func (m *held) Abort(op *nvme.Op) bool {
	if !m.abort || op == m.keep {
		return false
	}
	for i, o := range m.ops {
		if o == op {
			m.ops = append(m.ops[:i], m.ops[i+1:]...)
			return true
		}
	}
	panic("test: abort of an op that the medium does not have")
}
func (m *held) Reset()                  { m.ops = nil }
func (m *held) Volatile() bool          { return m.cache }
func (m *held) Stats() nvme.MediumStats { return m.stats }

// finish ends the n oldest ops, on the controller's lane.
func (m *held) finish(r *rig, n int) {
	r.w.Lane(0).Post(func() {
		for range n {
			op := m.ops[0]
			m.ops = m.ops[1:]
			m.host.Done(op, spec.Success)
		}
		m.host.Settle()
	})
	r.run()
}

// end ends the oldest op with st.
func (m *held) end(r *rig, st spec.Status) {
	r.w.Lane(0).Post(func() {
		op := m.ops[0]
		m.ops = m.ops[1:]
		m.host.Done(op, st)
		m.host.Settle()
	})
	r.run()
}

func withHeld(m *held) makeMedium { return func(*sim.World) nvme.Medium { return m } }
