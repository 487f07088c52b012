package sparse

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestStoreIsAnArrayOfBytes(t *testing.T) {
	const size = 5*ChunkSize + 4096
	rapid.Check(t, func(rt *rapid.T) {
		s, model := NewStore(size), make([]byte, size)
		buf := make([]byte, size)
		for i := range rapid.IntRange(1, 30).Draw(rt, "steps") {
			off := rapid.Int64Range(0, size-1).Draw(rt, "off")
			n := rapid.Int64Range(0, size-off).Draw(rt, "n")
			switch rapid.IntRange(0, 2).Draw(rt, "op") {
			case 0:
				for j := range buf[:n] {
					buf[j] = byte(i + 1)
				}
				s.WriteAt(buf[:n], off)
				copy(model[off:], buf[:n])
			case 1:
				s.Zero(off, n)
				clear(model[off : off+n])
			case 2:
				s.ReadAt(buf[:n], off)
				require.Equal(rt, model[off:off+n], buf[:n])
			}
		}
		require.LessOrEqual(rt, s.Allocated(), int64(6*ChunkSize))
		s.Zero(0, size)
		s.ReadAt(buf, 0)
		require.Equal(rt, make([]byte, size), buf)
		require.LessOrEqual(rt, s.Allocated(), int64(ChunkSize), "the last chunk is cut short by the end")
	})
}

func TestMemoryFollowsWhatWasTouched(t *testing.T) {
	s := NewStore(16 << 40)
	s.WriteAt([]byte{1}, 3<<40)
	s.WriteAt([]byte{1}, 15<<40)
	require.EqualValues(t, 2*ChunkSize, s.Allocated())
	s.Zero(0, 16<<40) // and quickly
	require.Zero(t, s.Allocated())
	require.EqualValues(t, 16<<40, s.Size())
}

func TestTableFill(t *testing.T) {
	a, b := new(int), new(int)
	tab := NewTable[int](3 << dirBits)
	tab.Set(5, a)
	tab.Fill(3, 2<<dirBits, b)
	for i := int64(0); i < 3<<dirBits; i++ {
		want := (*int)(nil)
		if i >= 3 && i < 3+2<<dirBits {
			want = b
		}
		require.Same(t, want, tab.Get(i), i)
	}
	tab.Fill(0, 3<<dirBits, nil)
	require.Nil(t, tab.pages[1])
	require.Nil(t, tab.Get(5))
	tab.Set(9, nil)
	require.Nil(t, tab.pages[0])
}
