package nvme_test

import (
	"testing"
	"time"

	"blksim/device/nvme"
	"blksim/device/nvme/flash"
	"blksim/device/nvme/spec"
	"blksim/sim"

	"github.com/stretchr/testify/require"
)

// smallFlash is a drive small enough that everything in it happens.
var smallFlash = flash.Config{
	Capacity: 4 << 20, Channels: 2, DiesPerChannel: 2, PageSize: 4096, Planes: 2, PagesPerBlock: 4,
	ReadTime: 50 * time.Microsecond, ProgramTime: 200 * time.Microsecond, EraseTime: time.Millisecond, Jitter: 10,
	ChannelRate: 400 << 20, LinkRate: 1 << 30, CommandTime: time.Microsecond, Latency: 5 * time.Microsecond,
	Buffer: 64 << 10, Volatile: true,
}

// FuzzCommands: any 64 bytes on any queue do not panic, and each command that
// was fetched has exactly one completion entry with a status that the
// controller knows, except event requests that are held and what a deleted
// queue or a reset took along.
func FuzzCommands(f *testing.F) {
	add := func(es ...spec.SQE) {
		var b []byte
		for i, e := range es {
			b = append(append(b, byte(i&1)), e[:]...)
		}
		f.Add(b)
	}
	r := newRig(f, 1, nvme.Config{}, null)
	w, rd := r.rw(spec.IOWrite, 0, 32), r.rw(spec.IORead, 8, 8)
	add(r.abortOf(1, 1), w, r.abortOf(1, 2), rd)
	add(command(spec.AdminAsyncEvent, 1, 0), r.dsm(4, [2]uint64{0, 8}), command(spec.AdminIdentify, 3, 1), command(spec.IOFlush, 9, 1))
	del := command(spec.AdminDeleteSQ, 1, 0)
	del.SetCDW10(1)
	add(r.abortOf(1, 9), rd, del, w)
	f.Fuzz(func(t *testing.T, b []byte) {
		fuzzCommands(t, "null", null, b)
		fuzzCommands(t, "flash", flashOf(smallFlash), b)
	})
}

func fuzzCommands(t *testing.T, name string, m makeMedium, b []byte) {
	r := newRig(t, 1, nvme.Config{Capacity: 4 << 20, Slots: 3, Queues: 4}, m)
	r.enable()
	r.createPair(1, 8)
	before := total(r.c.Stats())
	var ad, io []completion
	collect := func() { ad, io = append(ad, r.reap(0)...), append(io, r.reap(1)...) }
	for i := 0; len(b) >= 65; i++ {
		var e spec.SQE
		copy(e[:], b[1:65])
		// Steer some of the pointers to memory, or nothing would get past them.
		if b[0]&2 != 0 {
			e.SetPRPs(busBase+1<<20+e.PRP1()&0xffff, busBase+1<<20+1<<17+e.PRP2()&0xffff)
		}
		r.submit(uint16(b[0]&1), e)
		if b[0]&4 != 0 {
			r.runFor(time.Duration(b[0]>>3) * 10 * time.Microsecond)
			collect()
		}
		if i%6 == 5 { // the queues hold 7
			r.run()
			collect()
		}
		b = b[65:]
	}
	for range 100 { // a small completion queue takes several rounds
		r.run()
		n := len(ad) + len(io)
		if collect(); len(ad)+len(io) == n {
			break
		}
	}
	s := r.c.Stats()
	// A completion queue that was deleted and made anew, or a doorbell that it
	// lost, is the host's business.
	if s.Admin[spec.AdminDeleteCQ]+s.Admin[spec.AdminDeleteSQ]+s.Admin[spec.AdminCreateCQ] == 1 {
		require.EqualValues(t, s.IOCommands(), len(io), name)
		held := min(s.Admin[spec.AdminAsyncEvent], 4)
		posted := total(s) - before
		require.EqualValues(t, posted, len(ad)+len(io), name)
		fetched := s.IOCommands() - 0
		for _, n := range s.Admin {
			fetched += n
		}
		require.LessOrEqual(t, fetched-before-held, posted, name)
	}
	for _, c := range s.Completed {
		require.NotContains(t, c.Status.String(), "status", "a status without a name: %v", c)
	}
	r.checkIdentity()
}

func total(s nvme.Stats) (n uint64) {
	for _, c := range s.Completed {
		n += c.Count
	}
	return n
}

// TestRandomCommands is the fuzz target's own work on a fixed set of commands,
// most of them nearly right.
func TestRandomCommands(t *testing.T) {
	rnd := sim.NewRand(7, "commands")
	for range 300 {
		var b []byte
		for range 1 + rnd.IntN(24) {
			var e spec.SQE
			ops := []uint8{0, 1, 2, 8, 9, 6, 8, 9, 10, 12}
			e.Begin(ops[rnd.IntN(len(ops))], uint16(rnd.IntN(6)), uint32(rnd.IntN(8)&1))
			e.SetPRPs(rnd.Uint64()&0xffff&^3, rnd.Uint64()&0xf000)
			e.SetCDW10(uint32(rnd.IntN(3)) | uint32(rnd.IntN(6))<<16)
			e.SetCDW12(uint32(rnd.IntN(24)))
			if e.Opcode() == spec.IOWriteZeroes || e.Opcode() == spec.IORead {
				e.SetSLBA(uint64(rnd.IntN(8192)))
			}
			if rnd.IntN(8) == 0 {
				for i := range 8 {
					e[rnd.IntN(64)] = byte(rnd.Uint64() >> i)
				}
			}
			b = append(append(b, byte(rnd.IntN(256)|2)), e[:]...)
		}
		for name, m := range map[string]makeMedium{"null": null, "flash": flashOf(smallFlash)} {
			fuzzCommands(t, name, m, b)
		}
	}
}
