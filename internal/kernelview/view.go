package kernelview

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/internal/ebpf"
	"blksim/internal/hist"
	"blksim/internal/record"
	"blksim/internal/report"
)

// grace is how long bios that are underway at the end are waited for: all I/Os of the run
// have returned by then, but for those that are stuck.
const grace = 200 * time.Millisecond

// View watches one run on one block device. Close ends it, at whatever stage.
type View struct {
	tracer   *ebpf.Tracer // nil: not begun
	device   ebpf.Device
	stopping chan struct{}
	done     chan error // of the reader

	mu     sync.Mutex // guards the rest: a leaf
	epoch  int64      // of the I/Os' times, on the kernel's clock
	match  *matcher
	hold   hold
	stages [aio.NumOps]stages // of the bios
}

// stages are the times of the bios of one operation.
type stages struct{ queue, device, total hist.Histogram }

// New makes a view that has not begun. It takes I/Os as a sink from then on. next, if it
// is not nil, gets them behind it, with the times at which the kernel had them; it is closed by
// Finish or Abort.
func New(next record.Sink) *View { return &View{match: newMatcher(), hold: hold{next: next}} }

// Begin traces a block device, by its name or path, before there is any I/O of the run. now
// is the clock that the times of the I/Os count on. An error that is ebpf.ErrUnavailable
// says what is missing.
func (v *View) Begin(device string, now func() lane.Time) (err error) {
	if v.device, err = ebpf.FindDevice(device); err != nil {
		return err
	}
	v.tracer, err = ebpf.Open(ebpf.Options{Devices: []ebpf.Device{v.device}, PIDs: []uint32{uint32(os.Getpid())}})
	if err != nil {
		return err
	}
	v.epoch = offset(now)
	v.stopping, v.done = make(chan struct{}), make(chan error, 1)
	go v.read()
	return nil
}

// Epoch says where the times of the I/Os begin; once, after Begin.
func (v *View) Epoch(epoch lane.Time) {
	v.mu.Lock()
	v.epoch += int64(epoch)
	v.mu.Unlock()
}

// offset is how far the kernel's clock is ahead of another one: where both were read in
// the shortest time.
func offset(now func() lane.Time) int64 {
	var best, took int64 = 0, 1 << 62
	for range 20 {
		before := ebpf.Now()
		at := int64(now())
		after := ebpf.Now()
		if after-before < took {
			best, took = before+(after-before)/2-at, after-before
		}
	}
	return best
}

// read takes bios until it is told to stop and all are there.
func (v *View) read() {
	evs := make([]ebpf.Event, 4096)
	stopped := false
	for {
		select {
		case <-v.stopping:
			if !stopped {
				stopped = true
				if err := v.tracer.Stop(grace); err != nil {
					v.done <- err
					return
				}
			}
		default:
		}
		n, err := v.tracer.Read(evs, 50*time.Millisecond)
		v.mu.Lock()
		for i := range evs[:n] {
			v.add(&evs[i])
		}
		v.mu.Unlock()
		if err != nil {
			if err == io.EOF {
				err = nil
			}
			v.done <- err
			return
		}
	}
}

// add takes one bio, under the lock.
func (v *View) add(e *ebpf.Event) {
	v.match.addBio(e, v.device.First)
	op := opOf(e.Op)
	if op >= aio.NumOps {
		return
	}
	s := &v.stages[op]
	if ns, ok := e.QueueTime(); ok {
		s.queue.Add(ns)
	}
	if ns, ok := e.DeviceTime(); ok {
		s.device.Add(ns)
	}
	if ns, ok := e.TotalTime(); ok {
		s.total.Add(ns)
	}
}

// Write takes I/Os that ended, as a sink of the recorder's.
func (v *View) Write(b *record.Batch) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	for i := range b.IOs {
		v.match.addIO(&b.IOs[i], v.epoch, v.hold.add(&b.IOs[i], b.Job, v.epoch))
	}
	return v.hold.pass(false)
}

// Close says as a sink that there are no more I/Os. Finish ends the view.
func (v *View) Close() error { return nil }

var _ record.Sink = (*View)(nil)

// Finish ends the tracing, when the run has ended and all its I/Os were written, and
// has the run say what the kernel saw.
func (v *View) Finish(run *report.Run) error {
	k, err := v.end()
	if k != nil && err == nil {
		run.SetKernel(k)
	}
	return err
}

// Abort ends a view whose result nobody wants. After Finish it does nothing.
func (v *View) Abort() {
	_, _ = v.end()
}

// end stops the tracer and passes on what waits; of a view that had not begun there is
// no result.
func (v *View) end() (k *report.Kernel, err error) {
	if v.tracer != nil {
		close(v.stopping)
		err = <-v.done
		counts, err2 := v.tracer.Counts()
		err = errors.Join(err, err2, v.tracer.Close())
		v.tracer = nil
		if err == nil {
			v.mu.Lock()
			k = v.result(&counts)
			v.mu.Unlock()
		} else {
			err = fmt.Errorf("the kernel's view: %w", err)
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.hold.next != nil {
		err = errors.Join(err, v.hold.pass(true), v.hold.next.Close())
		v.hold.next = nil
	}
	return k, err
}

// examples is how many of the bios that should not be are told one by one.
const examples = 8

// result is what there is to tell.
func (v *View) result(c *ebpf.Counts) *report.Kernel {
	m := v.match
	k := &report.Kernel{Device: v.device.Name, Bios: int64(c.Started), Requests: int64(c.Requests), BackMerges: int64(c.BackMerges),
		FrontMerges: int64(c.FrontMerges), RequestMerges: int64(c.RequestMerges), Splits: int64(c.Splits), Requeues: int64(c.Requeued), Errors: int64(c.Failed),
		Done: int64(c.Done), Lost: int64(c.Lost), NotFollowed: int64(c.NoRoom), NeverSeen: int64(c.NeverDelivered()), Unmatched: int64(c.Unmatched),
		Dispatched: m.dispatched, Told: m.told, Flushes: m.flushes[0], FlushBios: m.flushes[1],
		Ops: map[string]report.KernelOp{}, Examples: []string{}}
	k.Cancelled.Skipped, k.Cancelled.Aborted, k.Cancelled.AbortedInKernel = m.skipped, m.aborted, m.abortedIn
	for _, p := range m.unexplained() {
		k.Unexplained++
		first, last := p.holes[0], p.holes[len(p.holes)-1]
		text := fmt.Sprintf("%v of bytes %d to %d, %s after the start", p.op, first.from, last.to, report.Nanos(p.start-v.epoch))
		if gone := m.cancelledAt(p); gone != nil {
			k.Cancelled.SkippedInKernel++
			text += fmt.Sprintf(", of one that was cancelled before dispatch %s after the start", report.Nanos(gone.end-v.epoch))
		}
		if len(k.Examples) < examples {
			k.Examples = append(k.Examples, text)
		}
	}
	k.Proven = k.Unexplained == 0 && k.Lost+k.NotFollowed+k.NeverSeen+k.Unmatched == 0
	for op := range v.stages {
		s := &v.stages[op]
		if s.total.Count() > 0 {
			k.Ops[aio.Op(op).String()] = report.KernelOp{Bios: s.total.Count(), QueueNs: report.Sum(&s.queue), DeviceNs: report.Sum(&s.device),
				TotalNs: report.Sum(&s.total), OutsideNs: report.Sum(&m.outside[op])}
		}
	}
	return k
}
