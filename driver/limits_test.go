package driver_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/driver"
)

func TestLimitsThatNoDeviceCanHaveAreRefused(t *testing.T) {
	good := driver.Limits{Capacity: 1 << 20, BlockSize: 4096, Queues: 1, QueueDepth: 1}
	require.NoError(t, good.Validate())
	for want, change := range map[string]func(l *driver.Limits){
		"driver: block size 768: want a power of two, at least 512":                 func(l *driver.Limits) { l.BlockSize = 768 },
		"driver: block size 256: want a power of two, at least 512":                 func(l *driver.Limits) { l.BlockSize = 256 },
		"driver: capacity 6144: want a multiple of the block size 4096":             func(l *driver.Limits) { l.Capacity = 6144 },
		"driver: 0 queues: want at least 1":                                         func(l *driver.Limits) { l.Queues = 0 },
		"driver: queue depth 0: want at least 1":                                    func(l *driver.Limits) { l.QueueDepth = 0 },
		"driver: -1 segments: want 0 or more":                                       func(l *driver.Limits) { l.MaxSegments = -1 },
		"driver: retry delay -1ns: want 0 or more":                                  func(l *driver.Limits) { l.RetryDelay = -1 },
		"driver: transfer limit 512: want 0 or a multiple of the block size 4096":   func(l *driver.Limits) { l.MaxTransfer = 512 },
		"driver: boundary limit -4096: want 0 or a multiple of the block size 4096": func(l *driver.Limits) { l.Boundary = -4096 },
	} {
		l := good
		change(&l)
		require.EqualError(t, l.Validate(), want)
	}
}
