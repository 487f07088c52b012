package disk

import "time"

// pace is how fast I/Os come back, by which a wait may be for several. A wait that puts
// the thread to sleep costs some 8 us of CPU time, and the quicker a lane deals with
// what has come, the sooner it sleeps again. It is also idle less often if it comes
// back for more.
//
// But an I/O that has come and is not looked at is told after its time, and its place at
// the device is empty meanwhile, which costs a device that is never full IOPS. So a
// wait is for no more than come within late at the pace of late; for a quarter of what is
// in flight at most; and for no more than has turned out to cost nothing (climb).
type pace struct {
	since time.Time     // when it was last looked at
	came  uint64        // I/Os that had come back by then
	each  time.Duration // between two of them, lately; 0: unknown
	n     int           // what the last wait was for
	alone time.Time     // until then each wait is for one
	climb climb
}

const (
	// late is how long after its time an I/O may be told, if they go on as they did.
	late = 50 * time.Microsecond

	// If they do not, a wait for several ends after latest. A timer of the kernel that
	// goes off before its next tick (4 ms at 250 Hz) has to be programmed anew for each
	// wait, which took more CPU time than waiting for several saved; one that goes off
	// later costs nothing. So that it happens seldom, waits are for one each for a
	// while after one that took stall.
	latest = 5 * time.Millisecond
	stall  = 200 * time.Microsecond
	pause  = 100 * time.Millisecond
)

// quick says whether they come by the thousand in a second.
func (p *pace) quick() bool { return p.each > 0 && p.each < time.Millisecond }

// note takes the time, and how many have come in all.
func (p *pace) note(now time.Time, came uint64) {
	n := came - p.came
	if n == 0 {
		return
	}
	took := now.Sub(p.since)
	if p.n > 1 && took > stall {
		p.alone = now.Add(pause)
	}
	each := took / time.Duration(n)
	p.climb.note(each, int(n))
	if p.each > 0 {
		each = p.each + (each-p.each)/4
	}
	if p.came > 0 {
		p.each = max(each, 1)
	}
	p.since, p.came = now, came
}

// several is how many completions to wait for now that so many are in the kernel.
func (p *pace) several(inKernel int) int {
	p.n = 1
	if p.each > 0 && !p.since.Before(p.alone) {
		p.n = max(1, min(inKernel/4, int(late/p.each), p.climb.most()))
	}
	return p.n
}

// climb finds out for how many completions a wait can be without fewer I/Os a second, by
// trying, as the kernel's moderation of interrupts does (lib/dim). A device that is
// full has the next I/O at hand when one ends, and loses nothing; one whose I/Os run side
// by side has one less to work on.
//
// I/Os are counted by windows. One in period is of waits for one each. After it, the others
// since the last such are compared to those: if they were slower by more than 3 %, waits
// will be for half as many, else for twice as many.
type climb struct {
	level  uint8         // waits are for 1<<level at most
	window uint8         // of the period; the first is of waits for one
	ios    int           // in this window
	took   time.Duration // likewise
	alone  time.Duration // of an I/O in waits for one each, lately
	sum    time.Duration // of the windows of waits for several, in this period
}

const (
	window   = 1024 // I/Os
	period   = 16   // windows
	topLevel = 4

	// broken is the time between two I/Os after which a window begins anew.
	broken = time.Millisecond
)

// most is how many completions a wait is for in this window.
func (c *climb) most() int {
	if c.window == 0 {
		return 1
	}
	return 1 << c.level
}

// note takes n more I/Os, and the time for each.
func (c *climb) note(each time.Duration, n int) {
	if each > broken {
		c.ios, c.took = 0, 0
		return
	}
	c.ios += n
	if c.took += each * time.Duration(n); c.ios < window {
		return
	}
	mean := c.took * 1000 / time.Duration(c.ios)
	c.ios, c.took = 0, 0
	if c.window > 0 {
		c.sum += mean
	} else {
		if c.alone > 0 {
			mean = c.alone + (mean-c.alone)/4
		}
		c.alone = mean
		c.decide(c.sum / (period - 1))
	}
	c.window = (c.window + 1) % period
}

// decide compares a period's mean time of an I/O in waits for several to that in waits
// for one.
func (c *climb) decide(together time.Duration) {
	switch {
	case together == 0: // the first
	case together > c.alone+c.alone/32:
		c.level = max(c.level, 1) - 1
	default:
		c.level = min(c.level+1, topLevel)
	}
	c.sum = 0
}
