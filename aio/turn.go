package aio

import (
	"context"
	"sync"
	"sync/atomic"
)

// turn lets one goroutine in at a time: a mutex whose waiters give up when their
// context ends. Who holds it may sleep for as long as there are no events, so a
// plain mutex would have the next caller wait past its deadline.
type turn struct {
	state atomic.Int32 // 0: free; 1: taken; 2: taken, and somebody may wait

	mu    sync.Mutex // leaf; makes a waiter's look at state and its sleep one
	freed sync.Cond
}

func (t *turn) init() { t.freed.L = &t.mu }

// tryTake takes the turn if it is free.
func (t *turn) tryTake() bool { return t.state.CompareAndSwap(0, 1) }

// wait takes the turn when it becomes free, unless ctx ends first.
func (t *turn) wait(ctx context.Context) error {
	defer context.AfterFunc(ctx, t.wake)()
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.state.Swap(2) != 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		t.freed.Wait()
	}
	return nil
}

// give ends the holder's turn.
func (t *turn) give() {
	if t.state.Swap(0) == 2 {
		t.wake()
	}
}

func (t *turn) wake() {
	t.mu.Lock()
	t.freed.Broadcast()
	t.mu.Unlock()
}
