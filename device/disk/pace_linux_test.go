package disk

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAWaitIsForWhatComesInTime(t *testing.T) {
	var p pace
	at, came := time.Unix(0, 0), uint64(0)
	come := func(n int, each time.Duration, inKernel int) (several int) {
		for range 50 { // it takes a while to be believed
			came += uint64(n)
			at = at.Add(time.Duration(n) * each)
			several = p.several(at, came, inKernel)
		}
		return several
	}
	require.Equal(t, 1, p.several(at, 0, 32), "nothing is known")
	require.Equal(t, 1, p.several(at.Add(time.Second), 1, 32), "nor yet")
	came, at = 1, at.Add(time.Second)
	require.Equal(t, 3, come(4, time.Microsecond, 32), "one, and a sixteenth of what is in flight")
	require.Equal(t, 25, come(4, time.Microsecond, 1000), "what comes within 25 us")
	require.Equal(t, 1, come(1, time.Microsecond, 7), "few are in flight")
	require.Equal(t, 5, come(2, 5*time.Microsecond, 128))
	require.Equal(t, 1, come(1, 100*time.Microsecond, 128), "none is late on a slow disk")
	require.Equal(t, 1, p.several(at.Add(time.Hour), came, 128), "nor after a pause")
}
