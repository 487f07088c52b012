package drivertest

import (
	"fmt"
	"time"

	"blksim/aio"
	"blksim/driver"
)

// A PowerCutter is a Driver whose power can be cut, for the rules about what then
// survives. A driver that stores nothing that outlives it is none, and those
// rules are not claimed.
type PowerCutter interface {
	driver.Driver

	// PowerCut cuts the power at this moment: the driver is gone, and completes
	// nothing more. It returns a driver that is opened over what the medium has
	// kept. Called from outside all lanes, with requests in flight.
	PowerCut() (driver.Driver, error)
}

// playFlush cuts the power while a load with flushes runs.
func playFlush(b *bench) {
	b.crash("flush-order", "crash-whole", func(l *load) { l.keep(aio.OpRead, aio.OpWrite, aio.OpWrite, aio.OpFlush) })
}

// playFUA cuts the power while a load runs in which some writes go through the
// cache.
func playFUA(b *bench) {
	b.crash("fua-durable", "crash-whole", func(l *load) {
		l.keep(aio.OpRead, aio.OpWrite)
		l.through = true
	})
}

// playCrash cuts the power while a load runs. A driver with a cache may lose what
// it will, but in whole blocks.
func playCrash(b *bench) {
	b.crash("crash-durable", "crash-whole", func(l *load) { l.keep(aio.OpRead, aio.OpWrite) })
}

// crash cuts the power in the middle of a load, and reads everything back. lost is
// the rule when a block has what it cannot have, torn when it is nobody's.
func (b *bench) crash(lost, torn string, change func(l *load)) {
	b.queues(1, b.depth())
	p := b.ports[0]
	l := b.known(p, 0, p.depth, "data-stored")
	b.run(l)
	if b.lim.WriteCache { // from here on it is known what is on the medium
		l.next = append(l.next, job{op: aio.OpFlush})
		b.run(l)
	}
	change(l)
	l.left = 2 * jobs
	l.start()
	if err := b.pass(b.rand.Duration(0, 3*time.Millisecond)); err != nil {
		b.broke("complete-bounded", nil, nil, "the world ran away: %v", err)
	}
	if b.failed() {
		return
	}
	d, err := b.drv.(PowerCutter).PowerCut()
	if err != nil {
		panic(openError{fmt.Errorf("drivertest: power cut: %w", err)})
	}
	b.closed.Store(true) // the old one completes nothing more
	l.left, l.next = 0, nil
	b.settle()
	model := p.model
	model.Crash()
	b.use(d)
	b.queues(1, 1)
	p = b.ports[0]
	r := b.newLoad(p, 0, 1)
	p.model, p.base, p.rule, p.torn = model, r.base, lost, torn
	b.reread(r)
	b.close()
}
