package lane

import "time"

// place is the processor that an exact lane's thread runs on, and whether it is a good
// one. Interrupts and what comes with them go before threads of every priority, and they
// mostly come to the same few processors: those of the disk itself, if it has one queue.
// Here they took 6 to 13 % of the time of one processor, in pieces of 5 to 15 us, and 1
// to 4 % of that of the other one, and the scheduler liked the first one better.
//
// So a lane looks how much of its time it loses: when it has nothing to do but to look at
// the clock, the next look should be 0.2 us later. If that is too much, or it is often
// woken late because somebody else runs there, it moves to the next processor that the
// thread may run on, and is bound to the first that is good. If none is, it lets the
// system choose, and tries again later and later.
type place struct {
	cpus []int // that the thread may run on; fewer than two: there is no choice
	at   int   // which of them it is bound to; -1: to none

	idle         Time // when the lane last had nothing to do, in this round; 0: it had
	seen, stolen time.Duration
	sleeps, late int

	tries int           // moves since the last good place
	rest  Time          // nothing is tried before
	pause time.Duration // until the next tries
}

const (
	// aPause is how long a look at the clock may take, all in all.
	aPause = 1500 * time.Nanosecond

	// seenEnough is after how much time of looking a place is judged.
	seenEnough = 2 * time.Millisecond

	// A place is bad where more than 1/stolenShare of the time is lost, or more than
	// 1/lateShare of the sleeps end later than learned: 1 in 32 should.
	stolenShare = 20
	lateShare   = 4

	mostTries  = 8 // of a machine with many processors
	firstPause = time.Second
	lastPause  = time.Minute
)

// init finds out where the calling thread may run.
func (p *place) init() { *p = place{cpus: allowed(), at: -1} }

// end lets the thread run where it may.
func (p *place) end() { p.bind(-1) }

// wait notes that the lane looks at the clock from now on.
func (p *place) wait(now Time) { p.idle = now }

// look notes that it has, and judges the place if it is time.
func (p *place) look(now Time) {
	if p.idle == 0 {
		return
	}
	d := now.Sub(p.idle)
	p.idle = 0
	p.seen += d
	if d > aPause {
		p.stolen += d
	}
	if p.seen >= seenEnough {
		p.judge(now)
		p.seen, p.stolen, p.sleeps, p.late = 0, 0, 0, 0
	}
}

// slept notes whether a sleep ended later than it should.
func (p *place) slept(late bool) {
	p.sleeps++
	if late {
		p.late++
	}
}

func (p *place) judge(now Time) {
	switch bad := p.stolen > p.seen/stolenShare || p.sleeps >= 4*lateShare && p.late > p.sleeps/lateShare; {
	case !bad:
		p.tries, p.pause = 0, 0
	case len(p.cpus) < 2 || now < p.rest:
	case p.tries == min(len(p.cpus), mostTries):
		p.tries = 0
		p.pause = min(max(2*p.pause, firstPause), lastPause)
		p.rest = now.Add(p.pause)
		p.bind(-1)
	default:
		p.tries++
		p.bind((p.at + 1) % len(p.cpus))
	}
}

// bind has the thread run on one processor, or, for -1, on all that it may.
func (p *place) bind(at int) {
	switch {
	case at == p.at:
	case at < 0:
		bind(p.cpus...)
	default:
		bind(p.cpus[at])
	}
	p.at = at
}
