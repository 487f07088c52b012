package cacheline

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

type element struct {
	pointer *int
	rest    [15]uint64
}

func TestASliceBeginsAtALine(t *testing.T) {
	for _, n := range []int{0, 1, 2, 31, 32, 33, 128, 255, 256, 257, 1000, 5000} {
		s := Make[element](n)
		require.Len(t, s, n)
		require.Equal(t, n, cap(s))
		require.Zero(t, uintptr(unsafe.Pointer(unsafe.SliceData(s)))%64, "%d", n)
		require.NotPanics(t, func() { Make[struct{}](n) })
	}
}
