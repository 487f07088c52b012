package drivertest

import (
	"fmt"
	"time"

	"blksim/aio"
	"blksim/internal/blockmodel"
)

// Script opens a driver, makes the calls that a script of bytes spells out, and
// returns what it broke, if anything, as an error that wraps a *Failure. It is
// for fuzz targets: every script is a run that the contract allows, and short
// scripts are simple runs.
//
// A step is one byte for what to do and, for a request, one for the block where it
// starts and one for how long it is.
func Script(open Open, script []byte) (err error) {
	o := Options{}.withDefaults()
	defer func() {
		switch p := recover().(type) {
		case nil:
		case openError:
			err = p.err
		default:
			r, _ := ruleOf("no-panic")
			err = &Failure{Result{Rule: r, Verdict: Fail, Finding: &Finding{Rule: r.ID, Seed: 1, Text: fmt.Sprintf("script %x: the driver panicked: %v", script, p)}}}
		}
	}()
	b := newBench(open, &o, o.First, false, nil)
	b.queues(1, min(b.lim.QueueDepth, 8))
	p := b.ports[0]
	l := b.newLoad(p, 0, p.depth)
	if b.stores() {
		l.know(blockmodel.New(int(l.blocks), b.lim.WriteCache), "data-stored")
	}
	for s := (steps{script}); len(s.left) > 0 && !b.failed(); {
		b.step(l, &s)
	}
	b.on(p, p.commit)
	b.until(b.idle)
	b.settle()
	b.close()
	if b.found == nil {
		return nil
	}
	r, _ := ruleOf(b.found.Rule)
	b.found.Text = fmt.Sprintf("script %x: %s", script, b.found.Text)
	return &Failure{Result{Rule: r, Verdict: Fail, Seeds: 1, Finding: b.found}}
}

// steps are what is left of a script; beyond its end it is all zeroes.
type steps struct{ left []byte }

func (s *steps) next() byte {
	if len(s.left) == 0 {
		return 0
	}
	b := s.left[0]
	s.left = s.left[1:]
	return b
}

// step makes the next call.
func (b *bench) step(l *load, s *steps) {
	p := l.p
	switch what := s.next(); what % 16 {
	default: // a request: the low bits are the operation
		j := l.spell(what, s)
		b.on(p, func() {
			if len(p.free) > 0 {
				p.submit(j)
			}
		})
	case 10, 11:
		b.on(p, p.commit)
	case 12, 13: // run for a while: up to 256 us
		_ = b.pass(time.Duration(1+what/16) * 16 * time.Microsecond)
	case 14:
		b.on(p, func() {
			sl := &p.slots[int(what/16)%len(p.slots)]
			if p.can.Canceler != nil && sl.use > 0 {
				p.cancel(sl)
			}
		})
	case 15:
		b.on(p, func() {
			if p.can.Poller != nil {
				p.can.Poller.Poll(1 + int(what/16))
			}
		})
	}
}

// spell makes a job of a script's bytes, within the limits.
func (l *load) spell(what byte, s *steps) job {
	op := l.ops[int(what%16)%len(l.ops)]
	if op == aio.OpFlush {
		return job{op: op}
	}
	block := int64(l.b.lim.BlockSize)
	first := int64(s.next()) % l.blocks
	n := min(1+int64(s.next())%l.most, l.blocks-first)
	return job{op: op, off: first * block, len: n * block}
}
