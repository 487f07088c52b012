// Package tagset is a set of tags that several hardware queues take from, with
// fairness between them, and with a wake for those that found none.
//
// A [Set] is the tag space of a device whose queue depth is for all its queues
// together, or of an adapter with several devices behind it; or, its numbers left
// aside, a budget of requests. Each queue that takes from it has a [User], which
// belongs to the queue's lane.
//
// The free tags are bits in atomic words, and the flag that says that a user waits
// is an atomic too: nothing here locks or spins, but for joining and leaving. A
// user that finds no tag sets its flag and then looks once more, and who gives a tag
// back makes it free and then looks at the flags, so one of the two sees the other:
// no wake is lost.
//
// Fairness is that of blk-mq: while n users are active, each may hold a n-th of
// the tags, rounded up, and no more. A user is active from its first Take until it
// says that it is idle.
package tagset

import (
	"fmt"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"

	"blksim/aio/lane"
	"blksim/internal/step"
)

// Set is the tags 0 to Size-1.
type Set struct {
	size   int
	words  []atomic.Uint64 // bit: free
	active atomic.Int32    // users that are
	users  atomic.Pointer[[]*User]
	turn   atomic.Uint32 // the user to be woken next, so that all have their turn

	mu sync.Mutex // leaf; of Join and Leave
}

// New makes a set of n tags, n > 0.
func New(n int) *Set {
	if n <= 0 {
		panic(fmt.Sprintf("tagset: a set of %d tags", n))
	}
	s := &Set{size: n, words: make([]atomic.Uint64, (n+63)/64)}
	for i := range n {
		s.words[i/64].Or(1 << (i % 64))
	}
	s.users.Store(&[]*User{})
	return s
}

// Size is the number of tags.
func (s *Set) Size() int { return s.size }

// Free is how many tags nobody holds: exact while nobody takes or gives.
func (s *Set) Free() int {
	n := 0
	for i := range s.words {
		n += bits.OnesCount64(s.words[i].Load())
	}
	return n
}

// User is one queue's side of a set. All of it but waiting is its lane's own.
type User struct {
	set     *Set
	lane    lane.Lane
	wake    func()
	held    int
	active  bool
	first   int           // the word to look at first
	waiting atomic.Uint32 // notWaiting, forTag or forShare
}

const (
	notWaiting = iota
	forTag     // there was none: any that is given back will do
	forShare   // it holds its share: another user's tag is of no use
)

// Join makes a user. wake is posted to l after a Take that found nothing, once
// there may be a tag again; it may come for nothing. Any goroutine.
func (s *Set) Join(l lane.Lane, wake func()) *User {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := *s.users.Load()
	u := &User{set: s, lane: l, wake: wake, first: len(old) % len(s.words)}
	users := append(slices.Clone(old), u)
	s.users.Store(&users)
	return u
}

// Leave ends a user, which holds no tag. Nothing of its lane runs any more.
func (u *User) Leave() {
	u.Idle()
	u.set.mu.Lock()
	defer u.set.mu.Unlock()
	users := slices.DeleteFunc(slices.Clone(*u.set.users.Load()), func(o *User) bool { return o == u })
	u.set.users.Store(&users)
}

// Held is how many tags the user has.
func (u *User) Held() int { return u.held }

// share is how many tags the user may hold.
func (u *User) share() int {
	step.Read(&u.set.active)
	n := int(max(u.set.active.Load(), 1))
	return (u.set.size + n - 1) / n
}

// Take takes a tag. Where it answers false, wake will be called when there may be
// one: a tag was given back or the user's share has grown. A user that holds its
// share is not told of its own tags.
func (u *User) Take() (tag int, ok bool) {
	if !u.active {
		u.active = true
		step.Write(&u.set.active)
		u.set.active.Add(1)
	}
	if tag, ok = u.find(); ok {
		return tag, true
	}
	for {
		why := uint32(forTag)
		if u.held >= u.share() {
			why = forShare
		}
		step.Write(&u.waiting)
		u.waiting.Store(why)
		if tag, ok = u.find(); ok {
			step.Write(&u.waiting)
			u.waiting.Store(notWaiting)
			return tag, true
		}
		if full := u.held >= u.share(); full == (why == forShare) {
			if full && u.set.Free() > 0 {
				u.set.wakeOne() // whose wake this may have been
			}
			return 0, false
		}
	}
}

// Pass hands on a wake that the user has no use for.
func (u *User) Pass() { u.set.wakeOne() }

func (u *User) find() (tag int, ok bool) {
	if u.held >= u.share() {
		return 0, false
	}
	n := len(u.set.words)
	for i := range n {
		at := u.first + i
		if at >= n {
			at -= n
		}
		w := &u.set.words[at]
		for {
			step.Read(w)
			old := w.Load()
			if old == 0 {
				break
			}
			bit := old & -old
			step.CAS(w, old)
			if w.CompareAndSwap(old, old&^bit) {
				u.held++
				u.first = at
				return at*64 + bits.TrailingZeros64(bit), true
			}
		}
	}
	return 0, false
}

// Give gives back a tag that the user took.
func (u *User) Give(tag int) {
	u.held--
	w := &u.set.words[tag/64]
	step.Write(w)
	w.Or(1 << (tag % 64))
	u.set.wakeOne()
}

// Idle says that the user wants no tag for the time being, so that its share is
// the others'. It does nothing while the user holds one.
func (u *User) Idle() {
	if !u.active || u.held > 0 {
		return
	}
	u.active = false
	step.Write(&u.waiting)
	u.waiting.Store(notWaiting)
	step.Write(&u.set.active)
	u.set.active.Add(-1)
	for _, o := range *u.set.users.Load() {
		o.rouse(forShare)
	}
	u.set.wakeOne() // a wake may have been on its way to this user
}

// wakeOne wakes the next user that waits for a tag.
func (s *Set) wakeOne() {
	users := *s.users.Load()
	n := uint32(len(users))
	if n == 0 {
		return
	}
	step.Write(&s.turn)
	first := s.turn.Add(1)
	for i := range n {
		if users[(first+i)%n].rouse(forTag) {
			return
		}
	}
}

// rouse wakes the user if that is what it waits for.
func (u *User) rouse(what uint32) bool {
	step.Read(&u.waiting)
	if u.waiting.Load() != what {
		return false
	}
	step.Write(&u.waiting)
	if !u.waiting.CompareAndSwap(what, notWaiting) {
		return false
	}
	u.lane.Post(u.wake)
	return true
}
