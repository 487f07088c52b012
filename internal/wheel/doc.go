// Package wheel is the event queue of blksim: the timers of a real lane and
// those of the simulated world wait in it.
//
// A [Queue] gives its nodes back strictly in the order of (time, Add): an
// earlier time first, and of one time the one that was added first. Times are
// int64 nanoseconds and may be anything: near, far, equal or past. A [Node] is
// embedded in the timer that it stands for, so nothing is allocated per event.
//
// # Structure
//
// Up to 32 nodes are an array in order, which a queue with a handful of timers never
// leaves: 14 to 27 ns for an event taken and added again, against 26 to 33 by the rings.
// More go to the rings, until the queue has been empty.
//
// Four rings of 2^12 slots: a fine one, whose slots are one nanosecond wide, and
// three coarse ones with slots of 4,096 ns, 16.8 ms and 68.7 s. A node lies in
// the lowest ring whose slots cover both its time and the queue's base, the time
// that the queue has reached: a radix queue with digits of 12 bits. So the first
// occupied slot of the lowest occupied ring holds the earliest node, and two
// levels of bitmap find it in a few instructions. When the base enters a coarse
// slot, the slot's nodes are dealt out to the rings below in the order in which
// they came; in the rings nothing is ever sorted, and nodes of one time always lie in one
// slot, first added first. A node is moved once on its way if it is less than
// 16 ms ahead, and never more than three times. A coarse slot with a single node
// is not dealt out, which makes sparse queues cheap.
//
// A fine slot is a list through the nodes; a coarse one is a list of chunks,
// each with room for 14 nodes and their times, because a deal that follows a
// list through 10^5 nodes waits for memory at every one: chunks made that three
// times faster. A removed node leaves a hole in its chunk, and a chunk without
// nodes goes back to the free list at once, so memory follows what is pending. How
// much room the last chunk of a slot has lies in the ring and not in the chunk, so
// that an Add loads nothing but the ring. That, and bitmaps without a branch that
// nobody can guess, made a thousand pending a quarter faster.
//
// Behind the rings a 4-ary heap keeps what lies beyond the base's block of 2^48
// ns (78 hours), and a second one what was added for a time before the base. A
// queue whose clock never runs backwards, such as a lane's, leaves that empty.
//
// What lost: container/heap and a binary heap of values (see the benchmark);
// one wheel of wide slots (must sort in the slot, and the width must fit the
// load); calendar and ladder queues (collapse when times cluster); an
// index-linked table of entries (as fast as this up to 10^3 pending, three times
// slower at 10^5); sorting a slot's single chunk instead of dealing it out (10 %
// slower); a fine ring of an eighth of the size, which stays in the first cache (no
// faster at 10^3).
//
// A Queue is owned by one goroutine at a time. Nothing in it can fail. Rings
// are made when first needed, 33 to 37 KiB each, so an idle lane's queue is small.
package wheel
