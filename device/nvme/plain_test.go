package nvme_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/device/nvme"
	"blksim/device/nvme/spec"
)

// almostPlain is a read or write that has something special about it, or wrong with
// it, one time in three.
func almostPlain(r *rig, rnd *rand.Rand, memory uint64) spec.SQE {
	page := memory + uint64(rnd.IntN(pagesOfData-1))*4096
	e := r.rwAt([]uint8{spec.IORead, spec.IOWrite}[rnd.IntN(2)], rnd.Uint64N(1<<12), 1+rnd.IntN(8), page)
	switch rnd.IntN(36) {
	case 0:
		e[0] = byte(rnd.IntN(256))
	case 1:
		e.SetFuse(uint8(1 + rnd.IntN(3)))
	case 2:
		e.SetPSDT(uint8(1 + rnd.IntN(3)))
	case 3:
		nsid(uint32(rnd.IntN(4)))(nil, &e)
	case 4:
		nsid(spec.NSIDAll)(nil, &e)
	case 5:
		e.SetSLBA(rnd.Uint64())
	case 6: // the end of the namespace, and beyond
		e.SetSLBA(uint64(plainFlash.Capacity)/512 - uint64(rnd.IntN(10)))
	case 7:
		e.SetCDW12(uint32(rnd.IntN(1 << 16)))
	case 8:
		e.SetCDW12(e.CDW12() | spec.RWForceUnit | spec.RWLimitedRetry)
	case 9:
		e.SetCDW12(e.CDW12() | uint32(1+rnd.IntN(15))<<spec.RWDirectiveShift)
	case 10: // into the page, perhaps out of it
		e.SetPRPs(e.PRP1()+uint64(rnd.IntN(8)*512), page+4096)
	case 11: // not aligned
		e.SetPRPs(e.PRP1()+uint64(rnd.IntN(8)), page+uint64(rnd.IntN(16)))
	case 12: // nowhere
		e.SetPRPs(rnd.Uint64(), rnd.Uint64())
	}
	return e
}

const pagesOfData = 64

// TestThePlainWayIsAsTheOther gives the same commands to two devices, of which one has
// an observer, so that nothing of it is plain: they answer the same, in the same
// order and at the same time, and count the same.
func TestThePlainWayIsAsTheOther(t *testing.T) {
	media := map[string]makeMedium{"null": null, "flash": flashOf(plainFlash)}
	for name, medium := range media {
		for _, cfg := range []nvme.Config{
			{Capacity: plainFlash.Capacity, Data: nvme.Discard},
			{Capacity: plainFlash.Capacity, Data: nvme.Sparse},
			{Capacity: plainFlash.Capacity, Data: nvme.Discard, Slots: 3, MDTS: 1},
		} {
			seeds := 20
			if testing.Short() {
				seeds = 4
			}
			for seed := range seeds {
				t.Run(fmt.Sprintf("%s/%v/%d slots/%d", name, cfg.Data, cfg.Slots, seed), func(t *testing.T) {
					both := [2]*rig{newReady(t, cfg, medium, 8), nil}
					cfg.Observer = &levels{}
					both[1] = newReady(t, cfg, medium, 8)
					var got [2][]completion
					for i, r := range both {
						rnd := rand.New(rand.NewPCG(uint64(seed), 5))
						memory := r.alloc(pagesOfData * 4096)
						for range 100 {
							for range 1 + rnd.IntN(7) {
								r.put(1, almostPlain(r, rnd, memory))
							}
							r.bell(1)
							r.run()
							if rnd.IntN(4) == 0 { // its queue has no room for the next ones
								got[i] = append(got[i], r.peek(1)...)
								r.put(1, almostPlain(r, rnd, memory))
								r.put(1, almostPlain(r, rnd, memory))
								r.bell(1)
								r.run()
							}
							for done := r.reap(1); len(done) > 0; done = r.reap(1) {
								got[i] = append(got[i], done...)
								r.run()
							}
						}
					}
					require.Equal(t, got[1], got[0])
					require.Equal(t, both[1].c.Stats(), both[0].c.Stats())
					require.Equal(t, both[1].raised, both[0].raised)
				})
			}
		}
	}
}
