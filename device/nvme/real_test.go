package nvme_test

import (
	"sync/atomic"
	"testing"
	"time"

	"blksim/aio/lane"
	"blksim/device/nvme"
	"blksim/device/nvme/flash"
	"blksim/device/nvme/spec"
	"blksim/sim"

	"github.com/stretchr/testify/require"
)

// hostLane is a host that lives on a lane of its own, in real time: it fills its
// queue, and each interrupt has it consume what is there and submit again.
type hostLane struct {
	l      lane.Lane
	c      *nvme.Controller
	mem    *memory
	reap   func()
	armed  atomic.Bool
	admin  hostQueue
	io     hostQueue
	depth  int
	flying int
	left   int
	ended  int
	aborts int
	next   uint16
	rnd    *sim.Rand
	step   int
	done   func()
	bad    string
}

func (h *hostLane) Raise(int) {
	if !h.armed.Swap(true) {
		h.l.Post(h.reap)
	}
}

func (h *hostLane) put(q *hostQueue, e spec.SQE) {
	copy(h.mem.at(q.sq+uint64(q.tail)*64, 64), e[:])
	q.tail = (q.tail + 1) % q.entries
	h.c.Write32(spec.SQTailDoorbell(q.qid, 0), uint32(q.tail))
}

func (h *hostLane) take(q *hostQueue, f func(d spec.CQEDword3, e *spec.CQE)) {
	for n := 0; ; n++ {
		e := spec.CQEAt(h.mem.at(q.cq, q.entries*16), q.head)
		d := e.Poll()
		if d.Phase() != q.phase {
			if n > 0 {
				h.c.Write32(spec.CQHeadDoorbell(q.qid, 0), uint32(q.head))
			}
			return
		}
		f(d, e)
		if q.head++; q.head == q.entries {
			q.head, q.phase = 0, !q.phase
		}
	}
}

// run is the interrupt handler.
func (h *hostLane) run() {
	h.armed.Store(false)
	h.take(&h.admin, func(d spec.CQEDword3, e *spec.CQE) {
		if !d.Status().OK() {
			h.bad = d.Status().String()
		}
		if h.step++; h.step == 1 {
			e := command(spec.AdminCreateSQ, 2, 0)
			e.SetPRPs(h.io.sq, 0)
			e.SetCDW10(spec.QueueCDW10(1, h.io.entries))
			e.SetCDW11(spec.CreateSQCDW11(1, 0))
			h.put(&h.admin, e)
		} else if h.step > 2 {
			h.aborts--
		}
	})
	if h.step < 2 {
		return
	}
	h.take(&h.io, func(d spec.CQEDword3, e *spec.CQE) {
		h.flying--
		h.ended++
		if st := d.Status(); st != spec.Success && st != spec.AbortRequested {
			h.bad = st.String()
		}
		if d.Status() == spec.Success && d.CID()&1 == 0 { // a read of what only this command writes
			b := h.mem.at(busBase+1<<20+uint64(d.CID()%64)*4096, 4096)
			for _, v := range b {
				if v != b[0] {
					h.bad = "torn"
				}
			}
		}
	})
	for h.flying < h.depth && h.left > 0 {
		slot := uint64(h.next % 64)
		buf := busBase + 1<<20 + slot*4096
		e := command([]uint8{spec.IORead, spec.IOWrite}[h.next&1], h.next, 1)
		e.SetPRPs(buf, 0)
		e.SetSLBA(slot / 2 * 8)
		e.SetCDW12(7)
		if h.next&1 == 1 {
			fill(h.mem.at(buf, 4096), byte(h.next))
		}
		h.put(&h.io, e)
		if h.aborts < 3 && h.rnd.IntN(8) == 0 {
			a := command(spec.AdminAbort, uint16(h.step), 0)
			a.SetCDW10(spec.AbortCDW10(1, h.next-uint16(h.rnd.IntN(8))))
			h.put(&h.admin, a)
			h.aborts++
		}
		h.next++
		h.flying++
		h.left--
	}
	if h.left == 0 && h.flying == 0 && h.aborts == 0 && h.done != nil {
		h.done()
		h.done = nil
	}
}

// TestHostAndControllerOnTwoLanesInRealTime is for the race detector: queue
// memory, data and doorbells cross lanes and nothing else does.
func TestHostAndControllerOnTwoLanesInRealTime(t *testing.T) {
	const n = 3000
	quick := with(smallFlash, func(c *flash.Config) {
		c.ReadTime, c.ProgramTime, c.EraseTime = 2*us, 5*us, 10*us
		c.Latency, c.CommandTime = us, 100
	})
	for _, name := range []string{"null", "flash"} {
		t.Run(name, func(t *testing.T) {
			g := lane.NewReal(2)
			defer g.Close()
			h := &hostLane{l: g.Lane(1), mem: newMemory(2 << 20), depth: 31, left: n, rnd: sim.NewRand(1, "aborts")}
			h.reap = h.run
			var m nvme.Medium = nvme.NewNull()
			if name == "flash" {
				f, err := flash.New(g.Lane(0), sim.NewRand(1, "media"), quick)
				require.NoError(t, err)
				m = f
			}
			c, err := nvme.New(g.Lane(0), h.mem, h, m, nvme.Config{Capacity: 4 << 20, Slots: 16})
			require.NoError(t, err)
			h.c = c
			h.admin = hostQueue{entries: 32, sq: busBase, cq: busBase + 4096, phase: true}
			h.io = hostQueue{qid: 1, entries: 32, sq: busBase + 8192, cq: busBase + 12288, phase: true}
			c.Write32(spec.RegAQA, uint32(spec.EncodeAQA(32, 32)))
			c.Write64(spec.RegASQ, h.admin.sq)
			c.Write64(spec.RegACQ, h.admin.cq)
			c.Write32(spec.RegCC, uint32(ccEnabled()))
			for range 10_000 {
				if c.Read32(spec.RegCSTS)&1 != 0 {
					break
				}
				time.Sleep(time.Millisecond)
			}
			require.NoError(t, g.Do(1, func(done func()) {
				h.done = done
				e := command(spec.AdminCreateCQ, 1, 0)
				e.SetPRPs(h.io.cq, 0)
				e.SetCDW10(spec.QueueCDW10(1, h.io.entries))
				e.SetCDW11(spec.CreateCQCDW11(1, true))
				h.put(&h.admin, e)
			}))
			require.Empty(t, h.bad)
			require.Equal(t, n, h.ended)
			require.NoError(t, g.Do(0, func(done func()) {
				s := c.Stats()
				require.EqualValues(t, n, s.IOCommands())
				require.Equal(t, s.Count(spec.AbortRequested), s.Aborts.Aborted)
				require.Zero(t, s.Errors)
				done()
			}))
		})
	}
}
