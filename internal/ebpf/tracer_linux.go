package ebpf

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cilium/ebpf/rlimit"
	"golang.org/x/sys/unix"
)

// Tracer is a set of programs in the kernel. Read belongs to one goroutine; Stop, Counts,
// Settled and Histograms may be called by another meanwhile, and Close when none is underway.
type Tracer struct {
	programs *programs
	rings    *rings // nil: there are histograms and no events
	decoder  decoder
	options  Options
	left     []Event  // those never seen to complete, once it has stopped
	classic  *classic // nil: the programs know which events are of one I/O
	links    []io.Closer
	starts   []io.Closer
	stopped  atomic.Bool
	closed   bool
	note     string
}

// Open loads the programs and attaches them. An error that is ErrUnavailable says what
// the machine or the user lacks.
func Open(o Options) (*Tracer, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if err := checkRights(); err != nil {
		return nil, err
	}
	k, err := runningKernel()
	return open(o, k, err)
}

// open tries what the kernel may have, best first. Without BTF, for which noBTF is the
// reason, classic tracepoints are left.
func open(o Options, k *kernel, noBTF error) (*Tracer, error) {
	// Kernels before 5.11 count what programs take as locked memory. Where that is not
	// so, or the limit may not be raised, loading tells.
	rlimit.RemoveMemlock()
	var tried []error
	for _, way := range []struct {
		kind  Attach
		plain bool
	}{{BTFTracepoint, false}, {BTFTracepoint, true}, {RawTracepoint, false}, {RawTracepoint, true}, {ClassicTracepoint, true}} {
		if o.Attach != Auto && o.Attach != way.kind {
			continue
		}
		if noBTF != nil && way.kind != ClassicTracepoint {
			tried = append(tried, noBTF)
			continue
		}
		t, err := openAs(o, k, way.kind, way.plain)
		if err == nil {
			if len(tried) > 0 {
				t.note = reason(tried[0])
			}
			if why := t.programs.noApps; why != nil {
				t.note = strings.TrimPrefix(t.note+"; "+why.Error(), "; ")
			}
			return t, nil
		}
		tried = append(tried, err)
	}
	return nil, whyNot(tried)
}

// whyNot tells of the best way that was tried, and of the last resort.
func whyNot(tried []error) error {
	first, last := tried[0], tried[len(tried)-1]
	why := &Missing{What: "a kernel that takes the programs", Why: reason(first), Do: "see blksim trace doctor"}
	var missing *Missing
	if errors.As(first, &missing) {
		*why = *missing
	}
	if len(tried) > 1 && last.Error() != first.Error() {
		why.Why += "; at last: " + reason(last)
	}
	return why
}

func openAs(o Options, k *kernel, kind Attach, plain bool) (*Tracer, error) {
	if kind == ClassicTracepoint {
		return openClassic(o)
	}
	p, err := load(o, k, kind, plain)
	if err != nil {
		return nil, err
	}
	t := &Tracer{programs: p, decoder: k.decoder(), options: o}
	if o.Mode == Events {
		const completeAt = 24 // in struct record
		if t.rings, err = newRings(p.rings, completeAt); err != nil {
			p.Close()
			return nil, err
		}
	}
	if t.links, t.starts, err = p.start(); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// Attached is the kind of tracepoint in use.
func (t *Tracer) Attached() Attach { return t.programs.attach }

// Fallback is why something better could not be had: other tracepoints, or the ids of
// applications. "" if nothing is better.
func (t *Tracer) Fallback() string { return t.note }

// patience is how long an event may lie in the ring before a reader that waits sees it,
// if there are too few to wake it.
const patience = 20 * time.Millisecond

// Read fills evs with events, in the order in which the I/Os completed (as far as the
// CPUs agree). It returns at once with what is there, else waits for the first one, for
// at most so long; a wait that ends without one gives 0. After Stop it gives what is
// left, and then io.EOF.
func (t *Tracer) Read(evs []Event, wait time.Duration) (int, error) {
	if t.rings == nil || t.closed {
		return 0, io.EOF
	}
	until := time.Now().Add(wait)
	for {
		stopped := t.stopped.Load() // before the ring is found empty
		n, err := t.take(evs)
		if n > 0 || err != nil {
			return n, err
		}
		if stopped && len(t.left) > 0 {
			n := copy(evs, t.left)
			t.left = t.left[n:]
			return n, nil
		}
		if stopped {
			return 0, io.EOF
		}
		left := time.Until(until)
		if left <= 0 {
			return 0, nil
		}
		if err := t.rings.wait(min(left, patience)); err != nil {
			return 0, err
		}
	}
}

func (t *Tracer) take(evs []Event) (int, error) {
	if t.classic != nil {
		return t.classic.take(t.rings, evs)
	}
	return take(t.rings, evs, t.decoder.decode)
}

// underway is how many bios are, and when the first of them was queued.
func (t *Tracer) underway() (n uint64, oldest int64, err error) {
	if t.classic != nil {
		return t.classic.underway()
	}
	return t.programs.underway()
}

// Stop takes the programs away from where I/O begins, gives what is underway at most so
// long to complete, and then takes away the rest. Read gives what is in the ring until
// io.EOF; the counts are final then.
func (t *Tracer) Stop(grace time.Duration) error {
	if t.stopped.Load() {
		return nil
	}
	closeAll(t.starts)
	t.starts = nil
	settle()
	var err error
	for until := time.Now().Add(grace); ; time.Sleep(time.Millisecond) {
		var n uint64
		if t.classic != nil {
			if err = t.classic.gather(t.rings); err != nil {
				break
			}
		}
		if n, _, err = t.underway(); err != nil || n == 0 || time.Now().After(until) {
			break
		}
	}
	closeAll(t.links)
	t.links = nil
	settle()
	if t.options.Unfinished && t.classic == nil && err == nil {
		t.left, err = t.programs.unfinished(&t.decoder)
	}
	t.stopped.Store(true)
	return err
}

// settle waits until no CPU runs a program any more that has been detached.
func settle() {
	const global = 1 // MEMBARRIER_CMD_GLOBAL: a grace period of RCU
	if _, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, global, 0, 0); errno != 0 {
		time.Sleep(20 * time.Millisecond)
	}
}

// Close detaches the programs and frees what they used. What is in the ring is lost.
func (t *Tracer) Close() error {
	if t.closed {
		return nil
	}
	t.closed = true
	closeAll(t.starts)
	closeAll(t.links)
	if t.rings != nil {
		t.rings.close()
	}
	t.programs.Close()
	return nil
}

// Counts are what was seen until now.
func (t *Tracer) Counts() (Counts, error) {
	var c Counts
	var cpus []perCPU
	if err := t.programs.Maps["counters"].Lookup(uint32(0), &cpus); err != nil {
		return c, fmt.Errorf("ebpf: reading the counters: %w", err)
	}
	for i := range cpus {
		c.add(&cpus[i])
	}
	for _, p := range t.programs.Programs {
		if s, err := p.Stats(); err == nil {
			c.Skipped += s.RecursionMisses
		}
	}
	if t.classic != nil {
		t.classic.count(&c)
	}
	var err error
	c.Underway, _, err = t.underway()
	return c, err
}
