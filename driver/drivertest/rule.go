package drivertest

// A Rule is one clause of the driver contract.
type Rule struct {
	ID     string
	Clause string // what the contract says
	Broken string // what to think of when it does not hold
}

// rules is the table, in the order in which rules build on each other.
var rules = []Rule{
	{"limits-valid", "Limits: a power-of-two block of at least 512 bytes, a capacity of whole blocks, queues, depth and operations", "the block layer cannot split, align or check bounds with these limits"},
	{"no-panic", "a driver does not panic on what the contract allows", "see the panic's text"},
	{"limits-constant", "Limits never changes while the driver is open", "Limits computes its answer from something that moves: compute it once, when the device is opened"},
	{"complete-once", "a request is completed exactly once for each Submit that answered OK", "two places complete a request, a timer and an interrupt for instance: keep one record of who has it, and clear that first"},
	{"complete-lane", "Complete is called on the queue's lane", "a completion ran elsewhere: Post to the lane that OpenQueue was given"},
	{"complete-bounded", "every request that was taken is completed in bounded time", "a request was lost: look for a slot that was overwritten, a timer never armed, a goroutine or a clock that the lanes do not know, or a batch that waits for more"},
	{"complete-result", "Complete tells the truth: a status that exists and is not Busy, and for OK whole blocks, the whole length or the first part of it", "the result does not fit the request"},
	{"complete-close", "after Close nothing is completed", "a timer or a post outlived Close"},
	{"ops-claimed", "what Limits.Ops has, and Limits allows, is not refused as NotSupported, Invalid or OutOfRange", "the driver claims more than it does"},
	{"busy-untouched", "after Busy the request is as it was, and is not completed", "the driver kept or changed what it did not take"},
	{"busy-ends", "with nothing in flight Busy ends in bounded time", "a place in the driver was never given back, or was never there"},
	{"refuse-untouched", "after any other answer than OK the request is as it was, and is not completed", "the driver completed a request and refused it too"},
	{"cancel-unasked", "a request ends as Cancelled only if somebody cancelled it", "the driver says Cancelled where it means an error"},
	{"queues-apart", "queues are independent: a tag of one has nothing to do with that tag of another", "state that is by tag belongs to the queue, not to the driver"},
	{"poll-budget", "Poll completes at most its budget, and returns how many", "the count of completions and the answer differ"},
	{"no-goroutines", "a driver starts no goroutine", "lanes take the place of goroutines: Post, or a timer of the lane"},

	{"buffer-readonly", "the buffers of a write are read and never written", "the driver changed its caller's data"},
	{"buffer-after", "buffers are not touched after Complete", "the buffer was read or written when it was its owner's again: copy before Complete"},
	{"data-stored", "a read returns what the last write put there", "data is lost, misplaced or stale"},
	{"data-segments", "the buffers of a request follow each other on the device", "the position within the extent is not carried on from one buffer to the next"},
	{"data-bounds", "the first and the last block work, the longest transfer too; beyond the end nothing is read or written, and never OK", "an off-by-one at an end, or an overflow of Off+Len: compare Off with capacity-Len"},
	{"data-zeroes", "WriteZeroes leaves zeroes; Discard leaves zeroes or the data as it was; both in their extent only", "the extent of an operation without buffers is in Off and Len"},
	{"data-overlap", "of writes that overlap in flight each block has one, whole; a read meanwhile finds one of them", "a block was put together from two requests"},
	{"flush-order", "what had completed before a Flush was submitted survives a power cut once the Flush is OK", "the flush was answered before the cache was empty, or passed it by"},
	{"fua-durable", "a write with FUA survives a power cut once it is OK", "clear Limits.FUA, or write through the cache"},
	{"crash-durable", "without a write cache a completed write survives a power cut", "set Limits.WriteCache, or store before Complete"},
	{"crash-whole", "after a power cut each block is one write's, whole", "a block was torn in two"},

	{"cancel-submitted", "a request that is with the device may be cancelled, and is completed once, truthfully", "cancel and completion both completed it, or the driver fell over"},
	{"cancel-bounded", "a cancelled request is completed in bounded time", "Cancel took the request away from everybody who would have completed it"},
	{"cancel-queued", "Cancel may come before the Commit", "the request is still in the batch that Commit sends"},
	{"cancel-completing", "Cancel may come at any step until Complete is called", "the completion was on its way: only one of the two may win"},
	{"cancel-done", "Cancel of a request that is complete does nothing", "compare the request with the one that the slot has before you act"},
	{"cancel-stale", "a cancel of one request leaves the next with its tag alone", "what Cancel noted down by tag must go when the tag is used again"},
	{"cancel-twice", "a second Cancel of a request does nothing", "the second one found half of what the first had left"},
	{"cancel-full", "a full queue whose requests are cancelled takes as many again", "a cancelled request did not give its place back"},
	{"cancel-others", "Cancel ends no other request", "the wrong request was found: look it up in this queue, by this tag, and compare"},
	{"cancel-lane", "a cancel from another lane ends as one from the queue's own: on the queue's lane, once", "Cancel completes on a lane that it was not called on"},
	{"cancel-data", "a cancelled write leaves each block old or new; buffers are not touched once Cancelled is said", "the transfer went on behind the cancel"},
	{"cancel-close", "Close may follow the last completion at once, whatever the cancels left behind", "what a cancel had set going outlived Close"},
	{"reset", "Reset completes every request that the driver has, then calls done once; the queues take requests again", "a request that was forgotten in the reset, or done that came too soon"},
	{"cancel-reset", "a cancel that is under way ends with the reset", "an abort, or its answer, outlived the reset"},
	{"deterministic", "in a simulated world the same seed gives the same calls at the same times", "something the seed does not decide: the machine's clock, a global random source, the order of a map, a goroutine"},
	{"real-lanes", "on real lanes, in parallel, the same holds (run it with -race)", "state that several lanes share"},
}

// Rules lists the rules.
func Rules() []Rule { return append([]Rule(nil), rules...) }

// ruleOf finds a rule by its id.
func ruleOf(id string) (Rule, bool) {
	for _, r := range rules {
		if r.ID == id {
			return r, true
		}
	}
	return Rule{}, false
}

// Verdict is what became of a rule.
type Verdict uint8

// The verdicts.
const (
	Pass       Verdict = iota // it held on every seed
	Fail                      // it was broken
	NotClaimed                // the driver does not have what it is about
	NotJudged                 // another rule that it builds on is broken
)

// String returns the verdict as check-driver prints it.
func (v Verdict) String() string {
	return [...]string{"pass", "FAIL", "not claimed", "not judged"}[v]
}
