package lanetest

import (
	"fmt"
	"time"

	"blksim/aio/lane"
)

// Around each Arm the clock is read, so a timer's time is known to lie between
// from and to; two timers whose times cannot be told apart may fire either way.
func timersFireInOrder(g lane.Group) error {
	delays := []time.Duration{900, 100, 0, 3_000_000, 100, 20_000, 5, 20_001, 900, 1_500_000}
	type setting struct{ from, to, fired lane.Time }
	timers := make([]setting, len(delays))
	var order []int
	err := g.Do(0, func(done func()) {
		l := g.Lane(0)
		for i, d := range delays {
			timer := l.NewTimer(func() {
				timers[i].fired = l.Now()
				if order = append(order, i); len(order) == len(delays) {
					done()
				}
			})
			timers[i].from = l.Now().Add(d)
			timer.Arm(d)
			timers[i].to = l.Now().Add(d)
		}
	})
	for n, i := range order {
		if t := timers[i]; t.fired < t.from {
			return fmt.Errorf("a timer for %d ns or later fired at %d", t.from, t.fired)
		}
		for _, j := range order[:n] { // j fired before i
			a, b := timers[i], timers[j]
			if a.to < b.from || a.to == b.from && i < j {
				return fmt.Errorf("the timer for %d ns, set as number %d, fired after the one for %d, set as number %d", a.to, i, b.from, j)
			}
		}
	}
	return err
}

func zeroTimerIsNeverInline(g lane.Group) error {
	var ran, inline bool
	err := g.Do(0, func(done func()) {
		timer := g.Lane(0).NewTimer(func() { ran = true; done() })
		timer.Arm(-1)
		inline = ran
	})
	if inline {
		return fmt.Errorf("a timer ran inside the Arm that set it")
	}
	return err
}

func stoppedTimerDoesNotRun(g lane.Group) error {
	var broken error
	err := g.Do(0, func(done func()) {
		l := g.Lane(0)
		for _, d := range []time.Duration{0, 50, 100 * time.Microsecond} {
			timer := l.NewTimer(func() { broken = fmt.Errorf("a timer for %v ran after Stop", d) })
			if timer.Stop() {
				broken = fmt.Errorf("a new timer was pending")
			}
			timer.Arm(d)
			if !timer.Stop() {
				broken = fmt.Errorf("a timer for %v was not pending right after Arm", d)
			}
			if timer.Stop() {
				broken = fmt.Errorf("a timer for %v was pending after Stop", d)
			}
		}
		var last lane.Timer
		last = l.NewTimer(func() {
			if last.Stop() {
				broken = fmt.Errorf("a timer was pending while it ran")
			}
			done()
		})
		last.Arm(200 * time.Microsecond)
	})
	return firstError(err, func() error { return broken })
}

// Two timers are due at the same time; whichever runs first stops the other,
// or sets it again for later.
func dueTimerCanStillBeStopped(g lane.Group) error {
	for _, again := range []bool{false, true} {
		var ran [2]int
		var early bool
		err := g.Do(0, func(done func()) {
			l := g.Lane(0)
			var timers [2]lane.Timer
			end := l.NewTimer(done)
			for i := range timers {
				timers[i] = l.NewTimer(func() {
					ran[i]++
					other := 1 - i
					if ran[other] > 0 {
						early = early || !again
						return
					}
					if again {
						timers[other].Arm(500 * time.Microsecond)
					} else {
						timers[other].Stop()
					}
					end.Arm(2 * time.Millisecond)
				})
				timers[i].Arm(20 * time.Microsecond)
			}
			passTime(l, 50*time.Microsecond)
		})
		if err != nil {
			return err
		}
		want := 1
		if again {
			want = 2
		}
		if early || ran[0]+ran[1] != want {
			return fmt.Errorf("of two due timers, the first of which stopped the other (or set it again: %v), ran %v", again, ran)
		}
	}
	return nil
}

// Each setting but the last is replaced, an earlier one by a later and the other
// way round.
func armReplaces(g lane.Group) error {
	const later = 400 * time.Microsecond
	for _, settings := range [][]time.Duration{{0, 10_000, later}, {later, 0}, {later, 10_000}, {0, later, 0}} {
		var ran int
		var at, from lane.Time
		last := settings[len(settings)-1]
		err := g.Do(0, func(done func()) {
			l := g.Lane(0)
			timer := l.NewTimer(func() { ran++; at = l.Now() })
			end := l.NewTimer(done)
			for _, d := range settings {
				from = l.Now()
				timer.Arm(d)
			}
			end.Arm(2 * later)
		})
		if err != nil {
			return err
		}
		if ran != 1 || at < from.Add(last) {
			return fmt.Errorf("a timer that was set for %v in turn ran %d times, last at %d ns after the last setting", settings, ran, at-from)
		}
	}
	return nil
}

func timerMayArmItself(g lane.Group) error {
	ran := 0
	return g.Do(1, func(done func()) {
		l := g.Lane(1)
		var timer lane.Timer
		timer = l.NewTimer(func() {
			if ran++; ran == 100 {
				done()
				return
			}
			timer.Arm(time.Duration(ran%3) * time.Microsecond)
		})
		timer.Arm(0)
	})
}

// passTime stays in the lane's function until d has passed, if the clock of the
// group moves at all while a function runs.
func passTime(l lane.Lane, d time.Duration) {
	start := l.Now()
	for range 1000 {
		if l.Now() > start {
			for l.Now() < start.Add(d) {
			}
			return
		}
	}
}
