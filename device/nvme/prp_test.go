package nvme

import (
	"encoding/binary"
	"testing"

	"blksim/device/nvme/spec"

	"github.com/stretchr/testify/require"
)

// pages is host memory of n pages from address 0, except page 0.
type pages struct{ b []byte }

func (m pages) Window(addr uint64, n int) ([]byte, bool) {
	if addr < 4096 || addr > uint64(len(m.b)) || uint64(len(m.b))-addr < uint64(n) {
		return nil, false
	}
	return m.b[addr:][:n], true
}

func (m pages) put(addr uint64, vs ...uint64) {
	for i, v := range vs {
		binary.LittleEndian.PutUint64(m.b[addr+uint64(8*i):], v)
	}
}

const pg = 4096

// pieces walks and gives the addresses and lengths of the pieces.
func pieces(m pages, shift uint8, prp1, prp2 uint64, n int) (out [][2]int, st spec.Status) {
	w := prpWalk{mem: m, shift: shift, prp1: prp1, prp2: prp2, left: n}
	for {
		b, st := w.next()
		if b == nil {
			return out, st
		}
		off := 0
		for ; &m.b[off] != &b[0]; off += 4 {
		}
		out = append(out, [2]int{off, len(b)})
	}
}

func TestPRPWalk(t *testing.T) {
	m := pages{make([]byte, 64*pg)}
	m.put(10*pg, 20*pg, 21*pg, 22*pg, 23*pg)
	m.put(11*pg-16, 24*pg, 12*pg) // the last entry of page 10 leads to page 12
	m.put(12*pg, 25*pg, 26*pg)
	m.put(13*pg, 20*pg, 21*pg+8)
	m.put(14*pg-8, 10*pg+8) // a chain pointer that is not on a page
	m.put(15*pg-8, 1<<50)   // and one to nowhere
	m.put(16*pg, 1<<50)
	m.put(17*pg-16, 30*pg, 31*pg) // the link is to what would be the next page of data
	m.put(31*pg, 40*pg, 41*pg)
	m.put(18*pg, 21*pg, 20*pg, 22*pg, 23*pg)
	m.put(19*pg, 62*pg, 63*pg, 64*pg)
	for name, c := range map[string]struct {
		prp1, prp2 uint64
		n          int
		want       [][2]int
		st         spec.Status
	}{
		"part of a page":                  {3 * pg, 0, 512, [][2]int{{3 * pg, 512}}, 0},
		"a whole page":                    {3 * pg, 0, pg, [][2]int{{3 * pg, pg}}, 0},
		"PRP2 is ignored":                 {3 * pg, 7, pg, [][2]int{{3 * pg, pg}}, 0},
		"offset, up to the end":           {3*pg + 512, 0, pg - 512, [][2]int{{3*pg + 512, pg - 512}}, 0},
		"offset, into PRP2":               {3*pg + 512, 9 * pg, pg, [][2]int{{3*pg + 512, pg - 512}, {9 * pg, 512}}, 0},
		"two pages":                       {3 * pg, 9 * pg, 2 * pg, [][2]int{{3 * pg, pg}, {9 * pg, pg}}, 0},
		"list":                            {3 * pg, 10 * pg, 3 * pg, [][2]int{{3 * pg, pg}, {20 * pg, 2 * pg}}, 0},
		"list with an offset":             {3*pg + 4, 10*pg + 16, 2*pg + 8, [][2]int{{3*pg + 4, pg - 4}, {22 * pg, pg + 12}}, 0},
		"list whose last entry is data":   {3 * pg, 11*pg - 16, 3 * pg, [][2]int{{3 * pg, pg}, {24 * pg, pg}, {12 * pg, pg}}, 0},
		"list whose last entry is a link": {3 * pg, 11*pg - 16, 4 * pg, [][2]int{{3 * pg, pg}, {24 * pg, pg}, {25 * pg, 2 * pg}}, 0},
		"list that begins with a link":    {3 * pg, 11*pg - 8, 3 * pg, [][2]int{{3 * pg, pg}, {25 * pg, 2 * pg}}, 0},
		"link like the next page":         {3 * pg, 17*pg - 16, 4 * pg, [][2]int{{3 * pg, pg}, {30 * pg, pg}, {40 * pg, 2 * pg}}, 0},
		"pages in disorder":               {3 * pg, 18 * pg, 5 * pg, [][2]int{{3 * pg, pg}, {21 * pg, pg}, {20 * pg, pg}, {22 * pg, 2 * pg}}, 0},
		"run that ends with the memory":   {3 * pg, 19 * pg, 4 * pg, [][2]int{{3 * pg, pg}, {62 * pg, pg}, {63 * pg, pg}}, spec.DataTransferError},
		"PRP1 not on a dword":             {3*pg + 2, 0, 512, nil, spec.PRPOffsetInvalid},
		"PRP1 not mapped":                 {8, 0, 512, nil, spec.DataTransferError},
		"PRP1 at the end of memory":       {64*pg - 512, 0, 512, [][2]int{{64*pg - 512, 512}}, 0},
		"PRP1 beyond the end":             {64 * pg, 0, 512, nil, spec.DataTransferError},
		"PRP2 with an offset":             {3 * pg, 9*pg + 4, 2 * pg, [][2]int{{3 * pg, pg}}, spec.PRPOffsetInvalid},
		"PRP2 not mapped":                 {3 * pg, 0, 2 * pg, [][2]int{{3 * pg, pg}}, spec.DataTransferError},
		"list not on a qword":             {3 * pg, 10*pg + 4, 3 * pg, [][2]int{{3 * pg, pg}}, spec.PRPOffsetInvalid},
		"list not mapped":                 {3 * pg, 64 * pg, 3 * pg, [][2]int{{3 * pg, pg}}, spec.DataTransferError},
		"entry with an offset":            {3 * pg, 13 * pg, 3 * pg, [][2]int{{3 * pg, pg}, {20 * pg, pg}}, spec.PRPOffsetInvalid},
		"entry not mapped":                {3 * pg, 16 * pg, 3 * pg, [][2]int{{3 * pg, pg}}, spec.DataTransferError},
		"link not on a page":              {3 * pg, 14*pg - 8, 3 * pg, [][2]int{{3 * pg, pg}}, spec.PRPOffsetInvalid},
		"link to nowhere":                 {3 * pg, 15*pg - 8, 3 * pg, [][2]int{{3 * pg, pg}}, spec.DataTransferError},
	} {
		t.Run(name, func(t *testing.T) {
			got, st := pieces(m, 12, c.prp1, c.prp2, c.n)
			require.Equal(t, c.st, st)
			require.Equal(t, c.want, got)
		})
	}
}

func TestPRPWalkWithLargerPages(t *testing.T) {
	m := pages{make([]byte, 64*pg)}
	got, st := pieces(m, 13, 4*pg+512, 8*pg, 2*pg)
	require.Equal(t, spec.Success, st)
	require.Equal(t, [][2]int{{4*pg + 512, 2*pg - 512}, {8 * pg, 512}}, got)
	_, st = pieces(m, 13, 4*pg, 9*pg, 4*pg)
	require.Equal(t, spec.PRPOffsetInvalid, st, "an odd 4 KiB is an offset in a page of 8")
}

// FuzzPRPWalk: whatever the PRPs and the list pages hold, the walk ends, gives
// pieces that lie in memory, and they add up to the length if it succeeds.
func FuzzPRPWalk(f *testing.F) {
	f.Add(uint64(3*pg), uint64(10*pg), uint32(3*pg), uint8(12), []byte{0, 0x40, 1, 0, 0, 0, 0, 0})
	f.Add(uint64(5*pg+4092), uint64(2*pg-8), uint32(16*pg), uint8(13), []byte("\x00\x10\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, prp1, prp2 uint64, n uint32, shift uint8, fill []byte) {
		m := pages{make([]byte, 32*pg)}
		for i := 0; len(fill) > 0 && i < len(m.b); i += len(fill) {
			copy(m.b[i:], fill)
		}
		shift = 12 + shift%5
		left := int(n%(4<<20) + 1)
		w := prpWalk{mem: m, shift: shift, prp1: prp1, prp2: prp2, left: left}
		total := 0
		for {
			b, st := w.next()
			if b == nil {
				if st == spec.Success && total != left {
					t.Fatalf("%d bytes of %d", total, left)
				}
				if st != spec.Success && st != spec.PRPOffsetInvalid && st != spec.DataTransferError {
					t.Fatalf("status %v", st)
				}
				return
			}
			total += len(b)
			if len(b) == 0 || total > left {
				t.Fatalf("piece of %d, and %d bytes in all of %d", len(b), total, left)
			}
		}
	})
}
