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
	err := watchOver(group, engines, func(done func()) {
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
	blocked := errors.Is(err, errBlocked)
	if blocked {
		err = nil // the user knows no lanes: what is stuck says it all
	}
	for i, e := range engines {
		results[i] = e.result(blocked)
		err = errors.Join(err, e.pump.err)
		if e.stalled.Load() {
			err = errors.Join(err, &StalledError{e.cfg.Grace, len(results[i].Stuck)})
		}
	}
	return results, err
}
