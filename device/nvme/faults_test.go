package nvme_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"blksim/device/nvme"
	"blksim/device/nvme/flash"
	"blksim/device/nvme/spec"
	"blksim/sim"
	"blksim/sim/faultplan"

	"github.com/stretchr/testify/require"
)

// faultRig is a ready controller with a plan and one queue pair.
func faultRig(t testing.TB, plan string, seed uint64, cfg nvme.Config, m makeMedium) *rig {
	p, err := faultplan.Parse(plan)
	require.NoError(t, err)
	cfg.Faults = faultplan.NewInjector(p, sim.NewRand(seed, "plan"))
	cfg.FaultRand = sim.NewRand(seed, "places")
	r := newRigMem(t, seed, cfg, m, 4<<20)
	r.setAdmin(64)
	r.c.Write32(spec.RegCC, uint32(ccEnabled()))
	for !r.csts().Ready() {
		require.True(t, r.w.Step())
	}
	for _, e := range r.pairCommands(1, 64) { // in no time: an event of the plan is not to come first
		r.submit(0, e)
		r.runFor(0)
		require.Len(t, r.reap(0), 1)
	}
	return r
}

// pairCommands make queue pair qid.
func (r *rig) pairCommands(qid uint16, entries int) []spec.SQE {
	q := r.ring(qid, entries)
	cq, sq := command(spec.AdminCreateCQ, r.nextCID(), 0), command(spec.AdminCreateSQ, r.nextCID(), 0)
	cq.SetPRPs(q.cq, 0)
	cq.SetCDW10(spec.QueueCDW10(qid, entries))
	cq.SetCDW11(spec.CreateCQCDW11(qid, true))
	sq.SetPRPs(q.sq, 0)
	sq.SetCDW10(spec.QueueCDW10(qid, entries))
	sq.SetCDW11(spec.CreateSQCDW11(qid, 0))
	return []spec.SQE{cq, sq}
}

// fill writes blocks of the byte v and says how that ended.
func (r *rig) fill(slba uint64, blocks int, v byte) spec.Status {
	buf := r.alloc(blocks * 512)
	copy(r.mem.at(buf, blocks*512), bytes.Repeat([]byte{v}, blocks*512))
	return r.do(r.rwAt(spec.IOWrite, slba, blocks, buf)).status
}

// look is the first byte of each block, and whether each block is of one byte.
func (r *rig) look(slba uint64, blocks int) (first []byte, whole bool) {
	buf := r.alloc(blocks * 512)
	require.Equal(r.t, spec.Success, r.do(r.rwAt(spec.IORead, slba, blocks, buf)).status)
	whole = true
	for b := r.mem.at(buf, blocks*512); len(b) > 0; b = b[512:] {
		first = append(first, b[0])
		whole = whole && bytes.Count(b[:512], b[:1]) == 512
	}
	return first, whole
}

func (r *rig) heal() {
	r.w.Lane(0).Post(r.c.Heal)
	r.run()
}

func TestErrorsOfAPlanLeaveTheDataAlone(t *testing.T) {
	r := faultRig(t, "read-error lba=8-15 count=2\nwrite-error op=write lba=8 count=1\nwrite-error op=trim count=1", 1, nvme.Config{}, null)
	require.Equal(t, spec.WriteFault, r.fill(0, 16, 7).Code())
	require.Equal(t, spec.Success, r.fill(0, 16, 7))
	require.Equal(t, spec.UnrecoveredRead, r.do(r.rw(spec.IORead, 15, 1)).status.Code())
	require.Equal(t, spec.Success, r.do(r.rw(spec.IORead, 0, 8)).status)
	require.Equal(t, spec.UnrecoveredRead, r.do(r.rw(spec.IORead, 0, 9)).status.Code())
	require.Equal(t, spec.WriteFault, r.do(r.rw(spec.IOWriteZeroes, 0, 8)).status.Code())
	first, _ := r.look(0, 16)
	require.Equal(t, bytes.Repeat([]byte{7}, 16), first)
}

func TestWrongDataIsLaidOverGoodDataAndHeals(t *testing.T) {
	want := bytes.Repeat([]byte{2}, 8)
	for _, plan := range []string{"torn-write after=1ns count=1", "lost-write after=1ns count=1", "misdirected-write after=1ns count=1"} {
		for _, healed := range []bool{true, false} { // or written again
			r := faultRig(t, plan, 3, nvme.Config{Capacity: 128 << 10}, null)
			require.Equal(t, spec.Success, r.fill(0, 256, 1)) // at 0 ns
			r.runFor(time.Microsecond)
			require.Equal(t, spec.Success, r.fill(8, 8, 2))
			got, _ := r.look(8, 8)
			all, _ := r.look(0, 256)
			switch plan[:4] {
			case "torn":
				n := bytes.IndexByte(got, 1)
				require.True(t, n > 0 && bytes.Count(got, []byte{2}) == n, "%v", got)
			case "lost":
				require.Equal(t, bytes.Repeat([]byte{1}, 256), all)
			default:
				require.Equal(t, bytes.Repeat([]byte{1}, 8), got)
				require.Equal(t, 8, bytes.Count(all, []byte{2}), "elsewhere")
			}
			if healed {
				r.heal()
			} else {
				require.Equal(t, spec.Success, r.fill(8, 8, 2))
			}
			got, _ = r.look(8, 8)
			require.Equal(t, want, got, plan)
			if healed {
				all, _ = r.look(0, 256)
				require.Equal(t, 8, bytes.Count(all, []byte{2}))
			}
		}
	}
}

func TestCorruptReadIsWrongOnceAndByOneBit(t *testing.T) {
	r := faultRig(t, "corrupt count=1", 1, nvme.Config{}, null)
	r.fill(0, 8, 0)
	buf := r.alloc(4096)
	require.Equal(t, spec.Success, r.do(r.rwAt(spec.IORead, 0, 8, buf)).status)
	ones := 0
	for _, b := range r.mem.at(buf, 4096) {
		for ; b != 0; b &= b - 1 {
			ones++
		}
	}
	require.Equal(t, 1, ones)
	_, whole := r.look(0, 8)
	require.True(t, whole)
}

func TestSpikeAndStallTakeTheirTime(t *testing.T) {
	r := faultRig(t, "spike op=read count=1 for=3ms\nstall op=write count=1 for=5ms", 1, nvme.Config{}, null)
	require.Equal(t, 3*time.Millisecond, r.took(r.rw(spec.IORead, 0, 8)))
	require.Equal(t, time.Duration(0), r.took(r.rw(spec.IORead, 0, 8)))
	r.submit(1, r.rw(spec.IOWrite, 0, 8))
	require.Equal(t, 5*time.Millisecond, r.took(r.rw(spec.IORead, 0, 8)), "everything stalls")
	r.run()

	// What executes when the stall begins ends after it.
	m := new(held)
	r = faultRig(t, "stall op=write count=1 for=5ms", 1, nvme.Config{}, withHeld(m))
	r.submit(1, r.rw(spec.IORead, 0, 8))
	r.runFor(time.Microsecond)
	r.submit(1, r.rw(spec.IOWrite, 0, 8))
	r.runFor(time.Microsecond)
	r.w.Lane(0).Post(func() { m.host.Done(m.ops[0], spec.Success); m.host.Settle() })
	r.runFor(4 * time.Millisecond)
	require.Empty(t, r.reap(1))
	r.runFor(time.Millisecond)
	require.Len(t, r.reap(1), 1)
}

func TestSpikeCanBeAbortedAndHangCannot(t *testing.T) {
	for plan, aborted := range map[string]bool{"spike for=1s": true, "hang": false} {
		r := faultRig(t, plan, 1, nvme.Config{}, null)
		e := r.rw(spec.IORead, 0, 8)
		r.submit(1, e)
		r.runFor(time.Millisecond)
		r.submit(0, r.abortOf(1, e.CID()))
		r.runFor(time.Millisecond)
		c := r.reap(0)
		require.Len(t, c, 1)
		require.Equal(t, aborted, c[0].result&spec.AbortNotDone == 0, plan)
		got := r.reap(1)
		if aborted {
			require.Equal(t, spec.AbortRequested, got[0].status.Code())
		} else {
			require.Empty(t, got)
			r.runFor(time.Hour)
			require.Empty(t, r.reap(1))
			r.heal()
			require.Len(t, r.reap(1), 1, "healed, it goes on")
		}
		r.checkIdentity()
	}
}

func TestWrongCompletions(t *testing.T) {
	r := faultRig(t, "duplicate count=1", 1, nvme.Config{}, null)
	e := r.rw(spec.IORead, 0, 8)
	r.submit(1, e)
	r.run()
	c := r.reap(1)
	require.Len(t, c, 2)
	require.Equal(t, [2]uint16{e.CID(), e.CID()}, [2]uint16{c[0].cid, c[1].cid})

	r = faultRig(t, "late\nspike for=1s", 1, nvme.Config{}, null)
	e = r.rw(spec.IORead, 0, 8)
	r.submit(1, e)
	r.runFor(time.Millisecond)
	r.submit(0, r.abortOf(1, e.CID()))
	r.runFor(0)
	c = r.reap(1)
	require.Len(t, c, 1)
	require.Equal(t, spec.AbortRequested, c[0].status.Code())
	r.run()
	c = r.reap(1)
	require.Len(t, c, 1, "after all")
	require.Equal(t, [2]uint16{uint16(spec.Success), e.CID()}, [2]uint16{uint16(c[0].status), c[0].cid})
	r.checkIdentity()

	r = faultRig(t, "lost-interrupt after=1us count=1", 1, nvme.Config{}, null)
	before := r.raised[1]
	r.runFor(time.Microsecond)
	r.submit(1, r.rw(spec.IORead, 0, 8))
	r.run()
	require.Equal(t, before, r.raised[1])
	require.Len(t, r.reap(1), 1, "it is there all the same")
	r.submit(1, r.rw(spec.IORead, 0, 8))
	r.run()
	require.Equal(t, before+1, r.raised[1])
}

func TestEventsOfAPlan(t *testing.T) {
	r := faultRig(t, "fatal after=1ms", 1, nvme.Config{}, null)
	r.run()
	require.True(t, r.csts().Fatal())
	r.c.Write32(spec.RegCC, 0)
	r.run()
	r.enable()

	r = faultRig(t, "remove after=1ms", 1, nvme.Config{}, null)
	r.runFor(2 * time.Millisecond)
	require.Equal(t, ^uint32(0), r.c.Read32(spec.RegCSTS))
	require.Equal(t, ^uint64(0), r.c.Read64(spec.RegCAP))
	r.submit(1, r.rw(spec.IORead, 0, 8))
	r.c.Write32(spec.RegCC, 0)
	r.run()
	require.Empty(t, r.reap(1))
	require.Equal(t, ^uint32(0), r.c.Read32(spec.RegCC))
}

// TestPowerCutKeepsWhatWasMadeSafe writes, forces, flushes and trims at random
// over a volatile cache, cuts the power at some moment, and holds every block to
// the contents that the rules allow: what it was when it was last made safe (by a
// flush that was begun after the write had ended, a forced write, a
// deallocation) or anything that was written since, acknowledged or not.
func TestPowerCutKeepsWhatWasMadeSafe(t *testing.T) {
	const seeds, blocks = 300, 64
	lost := 0
	for seed := range uint64(seeds) {
		lost += powerCutRun(t, seed, blocks)
	}
	require.Greater(t, lost, seeds/2, "the cuts must take something")
}

// powerCutRun is one run; it says how many blocks lost their newest contents.
// go test ./device/nvme -run TestPowerCut shows the seed of a failure.
func powerCutRun(t *testing.T, seed, blocks uint64) (lost int) {
	cfg := with(plainFlash, func(c *flash.Config) { c.Buffer, c.Volatile = 256<<10, true })
	rnd := sim.NewRand(seed, "host")
	cut := time.Duration(100+rnd.IntN(8000)) * time.Microsecond
	r := faultRig(t, "power-cut after="+cut.String(), seed, nvme.Config{Capacity: cfg.Capacity}, flashOf(cfg))
	type pending struct {
		op      spec.SQE
		slba, n uint64
		v       byte
		acked   map[uint64][]byte // of a flush: the contents that it makes safe, by block
		force   bool
	}
	allowed := make([][]byte, blocks) // by block: the last is the newest acknowledged
	for i := range allowed {
		allowed[i] = []byte{0}
	}
	inFlight := map[uint16]*pending{}
	busy := make([]bool, blocks) // no two commands on a block at once: their order would be open
	end := func(p *pending) {
		switch {
		case p.acked != nil:
			for b := range blocks {
				safe := p.acked[b]
				if n := len(safe); n > 0 && len(allowed[b]) >= n && bytes.Equal(allowed[b][:n], safe) {
					allowed[b] = allowed[b][n-1:]
				}
			}
		default:
			for b := p.slba; b < p.slba+p.n; b++ {
				busy[b] = false
				if allowed[b] = append(allowed[b], p.v); p.force {
					allowed[b] = []byte{p.v}
				}
			}
		}
	}
	v := byte(0)
	for r.csts().Ready() {
		if len(inFlight) < 6 && time.Duration(r.w.Now()) < cut {
			p := &pending{}
			switch k := rnd.IntN(10); {
			case k == 0:
				p.op, p.acked = command(spec.IOFlush, r.nextCID(), 1), map[uint64][]byte{}
				for b := range blocks {
					p.acked[b] = bytes.Clone(allowed[b])
				}
			default:
				p.slba = uint64(rnd.IntN(int(blocks)))
				p.n = 1 + uint64(rnd.IntN(int(min(8, blocks-p.slba))))
				taken := false
				for b := p.slba; b < p.slba+p.n; b++ {
					taken = taken || busy[b]
				}
				if taken {
					break
				}
				for b := p.slba; b < p.slba+p.n; b++ {
					busy[b] = true
				}
				if k == 1 {
					p.op, p.force = r.rw(spec.IOWriteZeroes, p.slba, int(p.n)), true
					break
				}
				if v++; v == 0 {
					v = 1
				}
				p.v = v
				buf := r.alloc(4096)
				copy(r.mem.at(buf, 4096), bytes.Repeat([]byte{v}, 4096))
				p.op = r.rwAt(spec.IOWrite, p.slba, int(p.n), buf)
				if p.force = k == 2; p.force {
					p.op.SetCDW12(p.op.CDW12() | spec.RWForceUnit)
				}
			}
			if p.op.Opcode() != 0 || p.acked != nil {
				inFlight[p.op.CID()] = p
				r.submit(1, p.op)
			}
		}
		r.runFor(time.Duration(1+rnd.IntN(60)) * time.Microsecond)
		for _, c := range r.reap(1) {
			require.Equal(t, spec.Success, c.status)
			end(inFlight[c.cid])
			delete(inFlight, c.cid)
		}
	}
	r.run()
	for _, c := range r.reap(1) { // acknowledged before the cut
		end(inFlight[c.cid])
		delete(inFlight, c.cid)
	}
	for _, p := range inFlight {
		if p.acked == nil && !(p.force && p.v == 0) {
			for b := p.slba; b < p.slba+p.n; b++ {
				n := len(allowed[b])
				allowed[b] = append(allowed[b][:n-1:n-1], p.v, allowed[b][n-1])
			}
		}
	}
	r.brk = (r.brk + 4095) &^ 4095
	r.enable()
	r.createPair(1, 16)
	got, whole := r.look(0, int(blocks))
	require.True(t, whole, "seed %d: a block is torn", seed)
	for b, v := range got {
		require.Contains(t, string(allowed[b]), string([]byte{v}), fmt.Sprintf("seed %d, block %d", seed, b))
		if v != allowed[b][len(allowed[b])-1] {
			lost++
		}
	}
	return lost
}

func TestPlanThatStrikesNothingAllocatesNothing(t *testing.T) {
	r := faultRig(t, "read-error lba=1000000 chance=0.5\nspike op=flush for=1ms\ntorn-write after=1h", 1, nvme.Config{}, null)
	buf := r.alloc(4096)
	e := r.rwAt(spec.IORead, 0, 8, buf)
	once := func() {
		r.submit(1, e)
		for r.c.Read32(spec.RegCSTS) != 0 && r.w.Step() {
			if q := r.q[1]; spec.CQEAt(r.mem.at(q.cq, q.entries*16), q.head).Poll().Phase() == q.phase {
				if q.head++; q.head == q.entries {
					q.head, q.phase = 0, !q.phase
				}
				r.c.Write32(spec.CQHeadDoorbell(1, 0), uint32(q.head))
				return
			}
		}
	}
	once()
	require.Zero(t, testing.AllocsPerRun(200, once))
}
