package lanetest

import (
	"fmt"
	"sync/atomic"
	"time"

	"blksim/aio/lane"
)

// A Rule is one promise of package lane. Check puts it to a group with at least
// three lanes and returns how it was broken, or nil.
type Rule struct {
	Name  string
	Check func(g lane.Group) error
}

// Rules returns all rules.
func Rules() []Rule {
	return []Rule{
		{"LanesKnowTheirIndex", lanesKnowTheirIndex},
		{"PostIsNeverInline", postIsNeverInline},
		{"PostIsFIFOPerSender", postIsFIFOPerSender},
		{"FunctionsOfALaneNeverOverlap", functionsNeverOverlap},
		{"TimersFireInOrderAndNotEarly", timersFireInOrder},
		{"ZeroTimerIsNeverInline", zeroTimerIsNeverInline},
		{"StoppedTimerDoesNotRun", stoppedTimerDoesNotRun},
		{"DueTimerCanStillBeStopped", dueTimerCanStillBeStopped},
		{"ArmReplacesAnEarlierSetting", armReplaces},
		{"TimerMayArmItself", timerMayArmItself},
		{"DoWaitsForDone", doWaitsForDone},
	}
}

func lanesKnowTheirIndex(g lane.Group) error {
	for i := range g.Lanes() {
		if got := g.Lane(i).Index(); got != i {
			return fmt.Errorf("lane %d says that its index is %d", i, got)
		}
	}
	return nil
}

func postIsNeverInline(g lane.Group) error {
	var ran, inline bool
	err := g.Do(0, func(done func()) {
		g.Lane(0).Post(func() { ran = true; done() })
		inline = ran
	})
	if inline {
		return fmt.Errorf("a function ran inside the Post that posted it")
	}
	return err
}

// Every lane posts numbered functions to lane 0, in several goes.
func postIsFIFOPerSender(g lane.Group) error {
	const goes, each = 20, 50
	last := make([]int, g.Lanes()) // owned by lane 0
	var broken error
	return firstError(g.Do(0, func(done func()) {
		left := g.Lanes() * goes * each
		for s := range g.Lanes() {
			sender := g.Lane(s)
			n := 0
			var send func()
			send = func() {
				for range each {
					n++
					number := n
					g.Lane(0).Post(func() {
						if number != last[s]+1 && broken == nil {
							broken = fmt.Errorf("after function %d of lane %d came its function %d", last[s], s, number)
						}
						last[s] = number
						if left--; left == 0 {
							done()
						}
					})
				}
				if n < goes*each {
					sender.Post(send)
				}
			}
			sender.Post(send)
		}
	}), func() error { return broken })
}

func functionsNeverOverlap(g lane.Group) error {
	const each = 2000
	var inside, overlaps atomic.Int32
	sum := 0 // owned by lane 0, and plain: the race detector watches it
	err := g.Do(0, func(done func()) {
		for s := range g.Lanes() {
			g.Lane(s).Post(func() {
				for range each {
					g.Lane(0).Post(func() {
						if inside.Add(1) != 1 {
							overlaps.Add(1)
						}
						if sum++; sum == g.Lanes()*each {
							done()
						}
						inside.Add(-1)
					})
				}
			})
		}
	})
	if n := overlaps.Load(); n > 0 {
		return fmt.Errorf("%d functions of lane 0 ran while another one did", n)
	}
	return err
}

func doWaitsForDone(g lane.Group) error {
	hops := 0
	err := g.Do(0, func(done func()) {
		g.Lane(1).Post(func() {
			hops++
			timer := g.Lane(1).NewTimer(func() {
				g.Lane(2).Post(func() { hops++; done() })
			})
			timer.Arm(50 * time.Microsecond)
		})
	})
	if err == nil && hops != 2 {
		return fmt.Errorf("waiting ended after %d of 2 hops", hops)
	}
	return err
}

// firstError is the error of Do, or else that of the rule.
func firstError(err error, rule func() error) error {
	if err != nil {
		return err
	}
	return rule()
}
