package replay

import (
	"errors"
	"sync/atomic"

	"blksim/aio/lane"
)

// RunAll runs engines of one group side by side, each with its pump on the first
// of its lanes, until the last has ended. The results are in the order of the
// engines. From outside all lanes.
func RunAll(group lane.Group, engines []*Engine) ([]*Result, error) {
	var running atomic.Int64
	running.Store(int64(len(engines)))
	err := group.Do(0, func(done func()) {
		one := func() {
			if running.Add(-1) == 0 {
				done()
			}
		}
		for _, e := range engines {
			e.pump.lane.Post(func() { e.pump.begin(one) })
		}
	})
	results := make([]*Result, len(engines))
	for i, e := range engines {
		results[i] = e.result()
		err = errors.Join(err, e.pump.err)
	}
	return results, err
}
