package disk

import "time"

// pace is how fast I/Os come back, by which a wait may be for several. A wait that puts
// the thread to sleep costs some 8 us of CPU time, and the quicker a lane deals with
// what has come, the sooner it sleeps again: a lane that waited for one at a time had
// a wait for every few I/Os, and took half as much CPU time again as one that waits for
// several.
//
// But an I/O that has come and is not looked at is told after its time, and its place at
// the device is empty meanwhile. So a wait is for one, and a sixteenth of what is in
// flight: a device that is never full loses 3 % of its IOPS by that, at most. And it is
// for no more than come within late: where they come more slowly than that, or fewer
// than 16 are in flight, each is told at once.
type pace struct {
	since time.Time     // when it was last looked at
	came  uint64        // I/Os that had come back by then
	each  time.Duration // between two of them, lately; 0: unknown
}

const (
	// late is how long after its time an I/O may be told, if they go on as they did.
	late = 25 * time.Microsecond

	// latest is how long if they do not.
	latest = 8 * late
)

// quick says whether they come by the thousand in a second.
func (p *pace) quick() bool { return p.each > 0 && p.each < time.Millisecond }

// several is how many completions to wait for, now that came have come in all, and so
// many are in the kernel.
func (p *pace) several(now time.Time, came uint64, inKernel int) int {
	if n := came - p.came; n > 0 {
		each := now.Sub(p.since) / time.Duration(n)
		if p.each > 0 {
			each = p.each + (each-p.each)/4
		}
		if p.came > 0 {
			p.each = max(each, 1)
		}
		p.since, p.came = now, came
	}
	if p.each == 0 {
		return 1
	}
	return max(1, min(1+inKernel/16, int(late/p.each)))
}
