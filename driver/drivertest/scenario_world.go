package drivertest

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"runtime/pprof"
	"strings"
	"time"

	"blksim/driver/trace"
	"blksim/internal/blockmodel"
)

func newModel(b *bench, l *load) *blockmodel.Model {
	return blockmodel.New(int(l.blocks), b.lim.WriteCache)
}

// playTwice runs one seed twice and compares every call.
func playTwice(b *bench) {
	once := func() []trace.Event {
		c := newBench(b.open, b.o, b.seed, false, b.later)
		c.queues(c.lanesFor(), c.depth())
		var loads []*load
		var logs []*trace.Log
		for _, p := range c.ports {
			l := c.newLoad(p, jobs, p.depth)
			if p.can.Canceler != nil {
				l.cancels, l.within = 20, c.within()
			}
			loads, logs = append(loads, l), append(logs, p.log)
		}
		c.run(loads...)
		c.close()
		if c.found != nil {
			b.found = c.found
		}
		return trace.Merge(logs...)
	}
	first, second := once(), once()
	for i := range min(len(first), len(second)) {
		if first[i] != second[i] {
			b.broke("deterministic", nil, nil, "call %d was at %v: %v, and in a second run of the same seed at %v: %v",
				i+1, first[i].At.Sub(0), first[i], second[i].At.Sub(0), second[i])
			return
		}
	}
	if len(first) != len(second) {
		b.broke("deterministic", nil, nil, "%d calls in one run, and %d in a second of the same seed", len(first), len(second))
	}
	b.close()
}

// playGoroutines counts the goroutines that a run leaves behind: those that it
// starts have its profiler label.
func playGoroutines(b *bench) {
	me := fmt.Sprintf("%p", b)
	labelled := regexp.MustCompile(`(?m)^(\d+) @.*\n# labels: .*"drivertest":"` + me + `"`)
	count := func() (n int, where string) {
		var profile bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
			return 0, ""
		}
		text := profile.String()
		for _, m := range labelled.FindAllStringSubmatchIndex(text, -1) {
			k := 0
			_, _ = fmt.Sscan(text[m[2]:m[3]], &k)
			n += k
			stack, _, _ := strings.Cut(text[m[1]:], "\n\n")
			if !strings.Contains(stack, "playGoroutines") {
				where = stack
			}
		}
		return n, where
	}
	pprof.Do(context.Background(), pprof.Labels("drivertest", me), func(context.Context) {
		c := newBench(b.open, b.o, b.seed, false, b.later)
		c.queues(c.lanesFor(), c.depth())
		var loads []*load
		for _, p := range c.ports {
			loads = append(loads, c.newLoad(p, jobs, p.depth))
		}
		for _, l := range loads {
			l.start()
		}
		for range 20 { // what comes and goes is seen on the way
			_ = c.world.RunUntil(c.world.Now().Add(50 * time.Microsecond))
			if n, where := count(); n > 1 {
				b.broke("no-goroutines", nil, nil, "%d goroutines were started, one of them at%s", n-1, where)
				return
			}
		}
		c.run(loads...)
		c.close()
		if c.found != nil {
			b.found = c.found
		}
	})
	b.close()
}
