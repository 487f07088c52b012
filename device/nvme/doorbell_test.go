package nvme_test

import (
	"encoding/binary"
	"testing"

	"blksim/device/nvme"
	"blksim/device/nvme/spec"

	"github.com/stretchr/testify/require"
)

// FuzzDoorbells: any writes of 4 or 8 bytes anywhere in the register file, in any
// order, do not panic; what is outstanding of a queue never exceeds what it holds;
// and after a reset the controller works as if nothing had happened.
func FuzzDoorbells(f *testing.F) {
	w := func(off, v uint32, wide byte) []byte {
		b := make([]byte, 9)
		binary.LittleEndian.PutUint32(b, off)
		binary.LittleEndian.PutUint32(b[4:], v)
		b[8] = wide
		return b
	}
	f.Add(w(spec.SQTailDoorbell(1, 0), 3, 0))
	f.Add(append(w(spec.SQTailDoorbell(1, 0), 7, 0), w(spec.CQHeadDoorbell(1, 0), 9, 0)...))
	f.Add(append(w(spec.RegCC, 0, 0), w(spec.SQTailDoorbell(0, 0), 1, 1)...))
	f.Add(append(w(spec.RegNSSR, spec.SubsystemReset, 0), w(spec.RegCC, 0x46_0001, 0)...))
	f.Add(append(w(spec.RegCC, 0x46_4001, 0), w(spec.SQTailDoorbell(1, 0), 2, 2)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		m := &held{abort: true, cache: true}
		r := newReady(t, nvme.Config{Capacity: 1 << 20, Queues: 4, Slots: 4}, withHeld(m), 8)
		for q := range uint16(2) { // entries that are there before their doorbell is
			for i := range r.q[q].entries {
				e := r.rwAt([]uint8{spec.AdminGetFeatures, spec.IORead}[q], 0, 1, busBase+1<<20)
				copy(r.mem.at(r.q[q].sq+uint64(i)*64, 64), e[:])
			}
		}
		for ; len(b) >= 9; b = b[9:] {
			off, v := binary.LittleEndian.Uint32(b), uint64(binary.LittleEndian.Uint32(b[4:]))
			if b[8]&4 == 0 {
				off %= 0x1040 // where the registers are
			}
			if b[8]&1 != 0 {
				r.c.Write64(off, v|v<<32)
			} else {
				r.c.Write32(off, uint32(v))
			}
			_, _ = r.c.Read32(off), r.c.Read64(off)
			if b[8]&2 != 0 {
				r.run()
			}
			require.LessOrEqual(t, len(m.ops), 4+1, "more commands than slots, and a flush")
		}
		r.run()
		r.checkIdentity()
		r.c.Write32(spec.RegCC, 0)
		r.run()
		m.ops = nil
		r.brk = busBase + 1<<20
		r.enable()
		r.createPair(1, 8)
		r.submit(1, r.rw(spec.IORead, 0, 1))
		r.run()
		m.finish(r, 1)
		require.Equal(t, spec.Success, r.reap(1)[0].status)
	})
}
