package main

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/blk"
	engine "blksim/device/disk"
	"blksim/driver/disk"
	"blksim/internal/hist"
)

// ours is a stack over a disk, on one lane, with a load that keeps its depth.
type ours struct {
	kind  string // of the engine
	spec  spec
	group *lane.Real
	lane  lane.Lane
	disk  *disk.Disk
	blk   *blk.Disk
	ctx   *aio.Context

	// The lane's.
	ios     []aio.IO // by the event's data
	batch   []aio.IO
	latency hist.Histogram
	places  places
	total   int
	flying  int
	end     lane.Time
	done    func()
	err     error
}

// openOurs opens the stack. kind is io_uring, libaio, sync or auto.
func openOurs(path, kind string, s spec) (*ours, error) {
	o := disk.Options{Engine: engine.EngineOptions{Kind: engine.EngineKind(kind)}}
	o.Write = s.op == aio.OpWrite
	d, err := disk.Open(path, o)
	if err != nil {
		return nil, err
	}
	l := &ours{spec: s, group: lane.NewReal(1), disk: d, places: newPlaces(d.Limits().Capacity)}
	l.lane = l.group.Lane(0)
	if l.blk, err = blk.Open(d, blk.Options{Queues: []lane.Lane{l.lane}, Depth: s.depth}); err != nil {
		l.group.Close()
		return nil, errors.Join(err, d.Close())
	}
	used, _ := d.Engine()
	l.kind = string(used)
	for i := range s.depth {
		l.ios = append(l.ios, aio.IO{Op: s.op, Len: 4096, Buf: d.Alloc(4096), Data: uint64(i)})
	}
	if l.ctx, err = aio.New(aio.Options{Capacity: 2 * s.depth, Lanes: []lane.Lane{l.lane}, OnEvents: l.events}); err != nil {
		return nil, errors.Join(err, l.close())
	}
	if s.pinned {
		err = l.pin()
	}
	return l, err
}

// pin holds the lane's thread on one CPU.
func (l *ours) pin() (err error) {
	var set unix.CPUSet
	set.Set(pinnedCPU())
	done := l.group.Do(0, func(done func()) {
		err = unix.SchedSetaffinity(0, &set)
		done()
	})
	return errors.Join(done, err)
}

// pinnedCPU is the last that this process may use.
func pinnedCPU() int {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return 0
	}
	for cpu := 8*len(set)*8 - 1; cpu > 0; cpu-- {
		if set.IsSet(cpu) {
			return cpu
		}
	}
	return 0
}

// run keeps the depth for about d and says what was done.
func (l *ours) run(d time.Duration) (window, error) {
	l.total, l.err = 0, nil
	start, cpu := time.Now(), processTime()
	err := l.group.Do(0, func(done func()) {
		l.done, l.end = done, l.lane.Now().Add(d)
		l.batch = l.batch[:0]
		for i := range l.ios {
			l.again(uint64(i))
		}
		l.submit()
	})
	took, used := time.Since(start), processTime()-cpu
	if err = errors.Join(err, l.err); err != nil {
		return window{}, fmt.Errorf("ours, %v by %s: %w", l.spec, l.kind, err)
	}
	return window{iops: float64(l.total) / took.Seconds(), cpu: float64(used) / float64(l.total)}, nil
}

// places are random blocks of a disk, the same each time.
type places struct{ blocks, random uint64 }

func newPlaces(capacity int64) places { return places{uint64(capacity / 4096), 1} }

// next is where the next I/O goes.
func (p *places) next() int64 {
	x := p.random // xorshift64*
	x ^= x >> 12
	x ^= x << 25
	x ^= x >> 27
	p.random = x
	return int64(x*0x2545f4914f6cdd1d%p.blocks) * 4096
}

// again puts an I/O into the next batch, at another place.
func (l *ours) again(data uint64) {
	l.ios[data].Off = l.places.next()
	l.batch = append(l.batch, l.ios[data])
}

func (l *ours) submit() {
	if len(l.batch) == 0 {
		return
	}
	if _, err := l.ctx.SubmitBatch(l.lane, l.blk, l.batch, nil); err != nil {
		l.err = err
	}
	l.flying += len(l.batch)
	l.batch = l.batch[:0]
}

func (l *ours) events(_ lane.Lane, evs []aio.Event) {
	now := l.lane.Now()
	over := now >= l.end
	for i := range evs {
		ev := &evs[i]
		l.latency.Add(int64(now.Sub(ev.Dispatched)))
		if ev.Status != aio.OK {
			l.err = ev.Status.Err()
			over = true
		}
		if !over {
			l.again(ev.Data)
		}
	}
	l.total += len(evs)
	l.flying -= len(evs)
	l.submit()
	if l.flying == 0 {
		l.done()
	}
}

func (l *ours) close() error {
	err := l.blk.Close()
	l.group.Close()
	return err
}

// processTime is the processor time of this process.
func processTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		panic("bench/disk: " + err.Error())
	}
	return time.Duration(t.Nano())
}
