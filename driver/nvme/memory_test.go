package nvme

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/device/nvme/spec"
)

func TestWindowIsWhatWasMappedAndNothingBeyond(t *testing.T) {
	q, m := newTestQueue(2)
	buf := aligned(8192)
	_, ok := q.mem.slots[1].attach([][]byte{buf}, len(buf), true)
	require.True(t, ok)
	q.mem.lists[1] = aligned(pageSize)
	for _, c := range []struct {
		name   string
		region int
		slot   int
		memory []byte
	}{
		{"submission entries", regionSQ, 0, q.mem.sq},
		{"completion entries", regionCQ, 0, q.mem.cq},
		{"data", regionData, 1, buf},
		{"list", regionList, 1, q.mem.lists[1]},
		{"ranges", regionRange, 0, q.mem.ranges},
		{"page", regionPage, 0, m.page},
	} {
		n := len(c.memory)
		for _, w := range []struct {
			off, n int
			ok     bool
		}{
			{0, n, true}, {0, 0, true}, {n - 1, 1, true}, {n, 0, true}, {4, n - 4, true},
			{0, n + 1, false}, {n, 1, false}, {n + 1, 0, false}, {4, n - 3, false}, {0, -1, false}, {4, -4, false},
		} {
			b, ok := m.Window(busAddress(c.region, 3, c.slot, w.off), w.n)
			require.Equal(t, w.ok, ok, "%s: %+v", c.name, w)
			if ok {
				require.Len(t, b, w.n)
				require.Equal(t, w.n, cap(b), "a window must not reach beyond itself")
			}
			if ok && w.n > 0 {
				require.Same(t, &c.memory[w.off], &b[0])
			}
		}
	}
	for _, addr := range []uint64{
		0, busAddress(regionData, 3, 0, 0), busAddress(regionData, 3, 2, 0), busAddress(regionList, 3, 2, 0),
		busAddress(regionSQ, 2, 0, 0), busAddress(regionSQ, 4, 0, 0), busAddress(regionSQ, 0xffff, 0, 0),
		busAddress(regionRange+1, 3, 0, 0), 1<<64 - 1,
	} {
		_, ok := m.Window(addr, 1)
		require.False(t, ok, "%#x", addr)
	}
}

// FuzzWindow: no address that a controller can make up has a window outside of
// what is mapped, and none makes the driver panic.
func FuzzWindow(f *testing.F) {
	for region := range regionRange + 2 {
		f.Add(busAddress(region, 3, 1, 4090), 8)
	}
	f.Add(uint64(1<<64-1), math.MaxInt)
	q, m := newTestQueue(4)
	bufs := [][]byte{aligned(512), aligned(512), aligned(8192)}
	if _, ok := q.mem.slots[1].attach(bufs, 512+512+8192, true); !ok {
		f.Fatal("attach")
	}
	if _, ok := q.mem.slots[2].attach(bufs[2:], 8192, true); !ok {
		f.Fatal("attach")
	}
	q.mem.lists[2] = aligned(pageSize)
	f.Fuzz(func(t *testing.T, addr uint64, n int) {
		b, ok := m.Window(addr, n)
		if ok && (len(b) != n || n > 8192) {
			t.Fatalf("Window(%#x, %d) has %d bytes", addr, n, len(b))
		}
		if !ok && b != nil {
			t.Fatalf("Window(%#x, %d) has bytes and is not there", addr, n)
		}
	})
}

func TestTheEntriesOfTheDeepestQueueFitItsAddresses(t *testing.T) {
	deepest := min(1<<16, maxSlots+1)
	require.Less(t, deepest*spec.SQESize, 1<<offsetBits)
	require.Less(t, maxSlots*spec.DSMRangeSize, 1<<offsetBits)
	require.LessOrEqual(t, maxSlots, 1<<(queueShift-slotShift))
}
