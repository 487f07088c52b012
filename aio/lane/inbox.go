package lane

import (
	"sync"

	"blksim/internal/step"
)

// inbox is what has been posted to a real lane and not yet been run. It is the
// only part of a lane that others touch. Its lock is a leaf: nothing else is
// locked, called or waited for under it.
//
// Two slices take turns, one being filled and one being run, so that a lane in
// steady state allocates nothing and takes the lock once for a whole batch. The
// alternative, a lock-free list, needs a node for each post and lost.
//
// The shared steps, each behind its mark (see package step). What is done under
// the lock is one step; the scenarios in interleave_*_test.go run every order:
//
//	post   S1: lock, append, clear parked, unlock    S2: fill wake, if it was parked
//	take   L1: lock, swap, clear parked, unlock
//	park   L2: lock, set parked if nothing came, unlock    L3: take a token from wake
//	close  C1: lock, set closed, clear parked, unlock    C2: fill wake
//	attach A1: lock, set waiter, unlock
//
// Where a Waiter is attached, S2 and C2 call its Wake, and L3 is its Wait.
//
// No wake-up is lost: after L2 an S1 sees parked, and its S2 leaves a token in
// wake whether or not L3 has begun. The lane's alarm leaves its tokens there too,
// so that L3 waits for one channel; a token that comes too late, because the lane
// went on for another reason, costs one empty round.
type inbox struct {
	// wake holds one token. It pairs with parked.
	wake chan struct{}

	mu sync.Mutex
	// mu guards what follows.
	posted []func()
	parked bool   // the lane waits, or is about to, and must be woken
	closed bool   // takes no more
	waiter Waiter // what the lane waits in; nil: wake
}

// post appends f and wakes the lane if it is parked. It says false, and drops
// f, if the inbox is closed.
func (b *inbox) post(f func()) bool {
	step.Write(&b.mu)
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return false
	}
	b.posted = append(b.posted, f)
	parked, waiter := b.parked, b.waiter
	b.parked = false
	b.mu.Unlock()
	if parked {
		b.rouse(waiter)
	}
	return true
}

// take exchanges what was posted for an empty slice. It also says whether the
// inbox is closed, so that an empty batch is the last one.
func (b *inbox) take(empty []func()) (batch []func(), closed bool) {
	step.Write(&b.mu)
	b.mu.Lock()
	batch, b.posted = b.posted, empty
	b.parked = false
	closed = b.closed
	b.mu.Unlock()
	return batch, closed
}

// park says whether the lane may wait for wake: nothing is there to be taken.
func (b *inbox) park() bool {
	step.Write(&b.mu)
	b.mu.Lock()
	b.parked = len(b.posted) == 0 && !b.closed
	parked := b.parked
	b.mu.Unlock()
	return parked
}

// close lets the lane run what was posted so far and nothing after it. It may be
// called again, and by several at once.
func (b *inbox) close() {
	step.Write(&b.mu)
	b.mu.Lock()
	b.closed = true
	b.parked = false
	waiter := b.waiter
	b.mu.Unlock()
	b.rouse(waiter)
}

// attach changes what the lane waits in. The lane runs, so nobody wakes it now, but
// one who meant to wake it earlier may do so late.
func (b *inbox) attach(w Waiter) {
	step.Write(&b.mu)
	b.mu.Lock()
	b.waiter = w
	b.mu.Unlock()
}

// rouse ends the wait of the lane, in w if that is not nil.
func (b *inbox) rouse(w Waiter) {
	if w != nil {
		w.Wake()
		return
	}
	b.wakeUp()
}

func (b *inbox) wakeUp() {
	step.Write(b.wake)
	select {
	case b.wake <- struct{}{}:
	default: // a token is there already
	}
}
