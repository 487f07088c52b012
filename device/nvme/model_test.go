package nvme_test

import (
	"testing"
	"time"

	"blksim/device/nvme"
	"blksim/device/nvme/flash"
	"blksim/device/nvme/spec"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestDataAgainstAModel runs batches of commands on disjoint blocks, with aborts
// at random moments and resets between batches; each block must hold what the
// last command on it that succeeded put there.
func TestDataAgainstAModel(t *testing.T) {
	const blocks, slots = 4096, 8
	media := []makeMedium{
		null,
		flashOf(with(smallFlash, func(c *flash.Config) { c.Capacity = blocks * 512 })),
		flashOf(with(smallFlash, func(c *flash.Config) { c.Capacity, c.Buffer, c.Volatile = blocks*512, 0, false })),
	}
	rapid.Check(t, func(rt *rapid.T) {
		m := rapid.SampledFrom(media).Draw(rt, "medium")
		r := newRig(t, rapid.Uint64().Draw(rt, "seed"), nvme.Config{Capacity: blocks * 512, Slots: 3}, m)
		r.enable()
		r.createPair(1, 16)
		var model [blocks]byte
		bufs := make([]uint64, slots)
		for i := range bufs {
			bufs[i] = r.alloc(64 << 10)
		}
		tag := byte(0)
		for range rapid.IntRange(1, 12).Draw(rt, "batches") {
			type sent struct {
				e          spec.SQE
				slba, n, b int
				tag        byte
			}
			var batch []sent
			at := rapid.IntRange(0, blocks-96).Draw(rt, "start")
			for i := range rapid.IntRange(1, slots).Draw(rt, "commands") {
				n := rapid.IntRange(1, 96).Draw(rt, "blocks")
				if at+n > blocks {
					break
				}
				s := sent{slba: at, n: n, b: i}
				buf := bufs[i]
				tag++
				switch s.tag = tag; rapid.SampledFrom([]string{"read", "write", "zeroes", "trim"}).Draw(rt, "op") {
				case "read":
					fill(r.mem.at(buf, n*512), 0xdb)
					s.e = r.rwAt(spec.IORead, uint64(at), n, buf)
				case "write":
					fill(r.mem.at(buf, n*512), tag)
					s.e = r.rwAt(spec.IOWrite, uint64(at), n, buf)
				case "zeroes":
					s.e = r.rwAt(spec.IOWriteZeroes, uint64(at), n, buf)
				case "trim":
					s.e = command(spec.IODatasetManagement, r.nextCID(), 1)
					spec.PutDSMRange(r.mem.at(buf, 16), uint64(at), uint32(n))
					s.e.SetPRPs(buf, 0)
					s.e.SetCDW11(spec.DSMDeallocate)
				}
				batch = append(batch, s)
				r.submit(1, s.e)
				at += n + rapid.IntRange(0, 300).Draw(rt, "gap")
				if at >= blocks {
					break
				}
			}
			aborts := 0
			for range rapid.IntRange(0, 3).Draw(rt, "aborts") {
				r.runFor(time.Duration(rapid.IntRange(0, 900).Draw(rt, "wait")) * us)
				victim := batch[rapid.IntRange(0, len(batch)-1).Draw(rt, "victim")]
				r.submit(0, r.abortOf(1, victim.e.CID()))
				aborts++
			}
			r.run()
			require.Len(rt, r.reap(0), aborts)
			ended := r.reap(1)
			require.Len(rt, ended, len(batch))
			for _, c := range ended {
				for _, s := range batch {
					if s.e.CID() != c.cid {
						continue
					}
					got := r.mem.at(bufs[s.b], s.n*512)
					switch {
					case c.status == spec.AbortRequested && s.e.Opcode() == spec.IORead:
						for _, b := range got {
							require.EqualValues(rt, 0xdb, b)
						}
					case c.status == spec.AbortRequested:
					case c.status != spec.Success:
						rt.Fatalf("status %v", c.status)
					case s.e.Opcode() == spec.IORead:
						for i, b := range got {
							if want := model[s.slba+i/512]; b != want {
								rt.Fatalf("LBA %d: %d, want %d", s.slba+i/512, b, want)
							}
						}
					default:
						v := byte(0)
						if s.e.Opcode() == spec.IOWrite {
							v = s.tag
						}
						fill(model[s.slba:s.slba+s.n], v)
					}
				}
			}
			r.checkIdentity()
			if rapid.IntRange(0, 9).Draw(rt, "reset") == 0 {
				r.c.Write32(spec.RegCC, 0)
				r.run()
				r.brk = bufs[slots-1] + 64<<10
				r.lists = map[[2]uint64]uint64{}
				r.enable()
				r.createPair(1, 16)
			}
		}
	})
}
