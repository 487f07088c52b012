package nvme

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/device/nvme/spec"
)

// walkPRPs follows PRPs as Base 4.1.1 has it, over m's windows, and returns the
// pieces for n bytes.
func walkPRPs(t testing.TB, m *memory, prp1, prp2 uint64, n int) (pieces [][]byte) {
	t.Helper()
	window := func(addr uint64, n int, align uint64) []byte {
		b, ok := m.Window(addr, n)
		switch {
		case addr&(align-1) != 0:
			t.Fatalf("%#x is not aligned to %d", addr, align)
		case !ok || len(b) != n:
			t.Fatalf("no window of %d bytes at %#x", n, addr)
		case addr&3 == 0 && !isAligned(b):
			t.Fatalf("bus address %#x is aligned and its memory is not", addr)
		}
		return b
	}
	first := min(n, pageSize-int(prp1&(pageSize-1)))
	pieces = append(pieces, window(prp1, first, 4))
	left := n - first
	if left <= pageSize {
		if left > 0 {
			pieces = append(pieces, window(prp2, left, pageSize))
		}
		return pieces
	}
	list := window(prp2, pageSize, pageSize)
	for left > 0 {
		addr := binary.LittleEndian.Uint64(list)
		if len(list) == prpSize && left > pageSize {
			list = window(addr, pageSize, pageSize)
			continue
		}
		list = list[prpSize:]
		k := min(left, pageSize)
		pieces = append(pieces, window(addr, k, pageSize))
		left -= k
	}
	return pieces
}

// newTestQueue makes a queue that is not connected to anything.
func newTestQueue(slots int) (*queue, *memory) {
	q := &queue{rings: newRings(3, 16), mem: &queueMemory{slots: make([]slotMemory, slots), lists: make([][]byte, slots)}}
	q.dataAddress = busAddress(regionData, 3, 0, 0)
	q.mem.sq, q.mem.cq = q.rings.sq, q.rings.cq
	q.mem.ranges = aligned(slots * spec.DSMRangeSize)
	return q, &memory{queues: []*queueMemory{nil, nil, nil, q.mem}, page: aligned(pageSize)}
}

// attach maps bufs as Submit does.
func (s *slotMemory) attach(bufs [][]byte, n int, toDevice bool) (first int, ok bool) {
	if s.attachOne(bufs, n) {
		return 0, true
	}
	return s.scatter(bufs, n, toDevice)
}

func fill(rnd *rand.Rand, b []byte) {
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, rnd.Uint64())
		b = b[8:]
	}
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
}

// cutUp makes buffers with the bytes of data, cut at multiples of unit, each
// beginning at a random address.
func cutUp(rnd *rand.Rand, data []byte, pieces, unit int) [][]byte {
	var cuts []int
	for range pieces - 1 {
		cuts = append(cuts, rnd.IntN(len(data)/unit+1)*unit)
	}
	cuts = append(cuts, len(data))
	slices.Sort(cuts)
	var bufs [][]byte
	from := 0
	for _, to := range cuts {
		shift := 0
		if rnd.IntN(8) == 0 {
			shift = rnd.IntN(8)
		}
		b := make([]byte, shift+to-from)[shift:]
		copy(b, data[from:to])
		bufs = append(bufs, b)
		from = to
	}
	return bufs
}

func TestPRPsDescribeAnyListOfBuffersInBothDirections(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	q, m := newTestQueue(4)
	for range 500 {
		unit := []int{1, 4, 512, 4096}[rnd.IntN(4)]
		n := unit * (1 + rnd.IntN(32<<10/unit))
		data := make([]byte, n)
		fill(rnd, data)
		bufs := cutUp(rnd, data, 1+rnd.IntN(9), unit)
		slot := rnd.IntN(4)
		s := &q.mem.slots[slot]

		first, ok := s.attach(bufs, n, true)
		require.True(t, ok)
		prp1, prp2 := q.prps(slot, first, n)
		require.Equal(t, data, slices.Concat(walkPRPs(t, m, prp1, prp2, n)...))
		s.detach()

		for _, b := range bufs {
			fill(rnd, b)
		}
		first, ok = s.attach(bufs, n, false)
		require.True(t, ok)
		prp1, prp2 = q.prps(slot, first, n)
		fill(rnd, data)
		rest := data
		for _, p := range walkPRPs(t, m, prp1, prp2, n) {
			rest = rest[copy(p, rest):]
		}
		if s.data == nil {
			s.scattered.copyBack(bufs, n)
		}
		require.Equal(t, data, slices.Concat(bufs...))
		s.detach()
		_, ok = m.Window(prp1, 1)
		require.False(t, ok, "a window after the mapping ended")
	}
}

func TestOnlyPagesOfSeveralOrUnalignedBuffersAreCopied(t *testing.T) {
	buf := func(n int) []byte { return aligned(n) }
	for _, c := range []struct {
		name   string
		bufs   [][]byte
		first  int
		copied []int32
	}{
		{"one buffer", [][]byte{buf(16384)}, 0, nil},
		{"two of any size", [][]byte{buf(512), buf(2560)}, pageSize - 512, nil},
		{"whole pages", [][]byte{buf(4096), buf(8192), buf(4096)}, 0, nil},
		{"ragged ends", [][]byte{buf(512), buf(8192), buf(1024)}, pageSize - 512, nil},
		{"a short one between", [][]byte{buf(4096), buf(512), buf(4096)}, 0, []int32{1}},
		{"three short ones", [][]byte{buf(512), buf(512), buf(512)}, pageSize - 512, []int32{1}},
		{"empty ones between", [][]byte{buf(4096), {}, buf(4096), {}, {}, buf(512)}, 0, nil},
		{"unaligned", [][]byte{buf(8208)[1:8193]}, 0, []int32{0, 1}},
		{"second unaligned", [][]byte{buf(4096), buf(8208)[2:8194]}, 0, []int32{1, 2}},
		{"odd first length", [][]byte{buf(512)[:511], buf(4096)[:1]}, 0, []int32{0}},
	} {
		n := 0
		for _, b := range c.bufs {
			n += len(b)
		}
		var s slotMemory
		first, ok := s.attach(c.bufs, n, true)
		require.True(t, ok, c.name)
		require.Equal(t, c.first, first, c.name)
		if s.scattered == nil {
			require.Empty(t, c.copied, c.name)
			continue
		}
		require.ElementsMatch(t, c.copied, s.scattered.bounced, c.name)
	}
}

func TestWindowShowsNothingOfAPageThatIsCopied(t *testing.T) {
	a, b, c := aligned(4096), aligned(4096+512), aligned(512)
	var s slotMemory
	_, ok := s.attach([][]byte{a, b, c}, 4096+4096+512+512, false)
	require.True(t, ok)
	_, ok = s.window(4096, 4096)
	require.True(t, ok)
	_, ok = s.window(4096, 4096+512)
	require.False(t, ok, "the end of the second buffer is on a page with the third")
	_, ok = s.window(8192, 1024)
	require.True(t, ok)
	_, ok = s.window(8192, 1025)
	require.False(t, ok)
	_, ok = s.window(12288, 1)
	require.False(t, ok)
}

func TestBuffersMustMakeUpTheLength(t *testing.T) {
	for _, bufs := range [][][]byte{nil, {}, {nil}, {{}}, {aligned(512)}, {aligned(512), aligned(1024)}} {
		var s slotMemory
		_, ok := s.attach(bufs, 1024, true)
		require.False(t, ok, len(bufs))
		_, ok = s.window(0, 1)
		require.False(t, ok)
	}
}

func TestLargeBounceMemoryIsNotKept(t *testing.T) {
	for _, pages := range []int{keepBounce / pageSize, keepBounce/pageSize + 1} {
		var s slotMemory
		_, ok := s.attach([][]byte{aligned((pages + 1) * pageSize)[1 : pages*pageSize+1]}, pages*pageSize, true)
		require.True(t, ok)
		require.Len(t, s.scattered.bounced, pages)
		s.detach()
		require.LessOrEqual(t, len(s.scattered.bounce), keepBounce)
		require.Equal(t, pages*pageSize <= keepBounce, s.scattered.bounce != nil)
	}
}
