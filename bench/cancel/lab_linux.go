package main

import (
	"errors"
	"fmt"
	"time"

	"blksim/bench/figures"
	"blksim/internal/loopdev"
)

// ways are all ways, in the order of the grid.
func ways() []way {
	return []way{
		{"Linux AIO, io_cancel(2)", true, runAIO},
		{"io_uring, ASYNC_CANCEL", true, runURing(false)},
		{"io_uring, LINK_TIMEOUT", true, runURing(true)},
		{fmt.Sprintf("blksim, device depth %d", ourDepth), false, runStack(ourDepth)},
		{fmt.Sprintf("blksim, device depth %d", moreDepth), false, runStack(moreDepth)},
	}
}

// run runs all ways in turn, several times.
func (l *lab) run() error {
	device, err := slowDevice(l.undo)
	if errors.Is(err, loopdev.ErrUnavailable) {
		return figures.Skip(err.Error())
	}
	if err != nil {
		return err
	}
	repetitions := 5
	if l.short {
		repetitions = 1
	}
	all := make([][]*outcome, len(ways()))
	for range repetitions {
		var best *outcome
		for i, w := range ways() {
			o, err := measure(device, w)
			if err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
			all[i] = append(all[i], o)
			if w.kernel && (best == nil || o.total < best.total) {
				best = o
			}
			if !w.kernel && len(l.ours) < len(all[i]) { // the first of ours
				l.ours = append(l.ours, o)
			}
		}
		l.kernel = append(l.kernel, best)
	}
	l.grid = &figures.Grid{Header: header, Title: fmt.Sprintf("%d reads of %d bytes on a disk that takes %v for each; after %v every second one is cancelled."+
		" The run of each way that has the median total.", reads, readSize, service, patience)}
	for i, w := range ways() {
		l.grid.Lines = append(l.grid.Lines, middle(all[i]).cells(w.name))
	}
	return nil
}

// measure runs one way, to the end and then with a teardown in the middle.
func measure(device string, w way) (*outcome, error) {
	if err := untilIdle(device); err != nil {
		return nil, err
	}
	var log endings
	if err := w.run(device, &log, false); err != nil {
		return nil, err
	}
	o, err := log.sum()
	if err != nil {
		return nil, err
	}
	if err := untilIdle(device); err != nil {
		return nil, err
	}
	log = endings{}
	if err := w.run(device, &log, true); err != nil {
		return nil, fmt.Errorf("teardown: %w", err)
	}
	if err := untilIdle(device); err != nil {
		return nil, err
	}
	o.teardown = monotonic() - log.asked
	return o, nil
}

// sleepUntil sleeps until a time on the monotonic clock.
func sleepUntil(at time.Duration) { time.Sleep(at - monotonic()) }
