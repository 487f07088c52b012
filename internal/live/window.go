package live

import (
	"cmp"
	"slices"

	"blksim/internal/ebpf"
	"blksim/internal/hist"
	"blksim/traces"
)

// window adds up the records of an interval, and is used again for the next.
type window struct {
	from, to  int64
	ops       [kinds]opTally
	devices   map[ebpf.Dev]*deviceTally
	names     names
	processes map[uint32]*processTally
	others    processTally // those beyond maxProcesses
}

// kinds are the operations of traces, and all others as one.
const kinds = traces.NumOps + 1

// maxProcesses bounds what an interval keeps: a fork bomb must not be one of memory.
const maxProcesses = 4096

type opTally struct {
	count, bytes, errors int64
	total, queue, device hist.Histogram // queue and device only of what was split
}

type deviceTally struct {
	name              string
	reads, writes     tally
	others            tally
	totalNs, deviceNs int64
}

// tally is the I/Os of one kind on one device.
type tally struct {
	count, bytes int64
	total        hist.Histogram
}

type processTally struct {
	pid          uint32
	comm         string
	count, bytes int64
	totalNs, max int64
}

func newWindow() *window {
	return &window{devices: map[ebpf.Dev]*deviceTally{}, names: names{}, processes: map[uint32]*processTally{}}
}

func (w *window) add(e *ebpf.Event) {
	total, queue, split := times(e)
	op := &w.ops[min(int(e.Op), kinds-1)]
	op.count++
	op.bytes += e.Bytes
	if e.Status != 0 {
		op.errors++
	}
	op.total.Add(total)
	if split {
		op.queue.Add(queue)
		op.device.Add(total - queue)
	}
	d := w.devices[e.Dev]
	if d == nil {
		d = &deviceTally{name: w.names.of(e.Dev)}
		w.devices[e.Dev] = d
	}
	d.totalNs += total
	d.deviceNs += total - queue
	kind := &d.others
	switch e.Op {
	case traces.Read:
		kind = &d.reads
	case traces.Write:
		kind = &d.writes
	}
	kind.count++
	kind.bytes += e.Bytes
	kind.total.Add(total)
	p := w.process(e)
	p.count++
	p.bytes += e.Bytes
	p.totalNs += total
	p.max = max(p.max, total)
}

func (w *window) process(e *ebpf.Event) *processTally {
	p := w.processes[e.PID]
	switch {
	case p != nil:
	case len(w.processes) >= maxProcesses:
		w.others.comm = "(others)"
		return &w.others
	default:
		p = &processTally{pid: e.PID, comm: e.Command()}
		w.processes[e.PID] = p
	}
	return p
}

// reset begins the next interval. Devices stay, with nothing: a line that comes and
// goes is hard to follow.
func (w *window) reset(from int64) {
	w.from = from
	for i := range w.ops {
		w.ops[i] = opTally{}
	}
	for _, d := range w.devices {
		*d = deviceTally{name: d.name}
	}
	clear(w.processes)
	w.others = processTally{}
}

// seconds is how long the interval is.
func (w *window) seconds() float64 { return float64(max(w.to-w.from, 1)) / 1e9 }

// deviceList is the devices by name.
func (w *window) deviceList() []*deviceTally {
	var all []*deviceTally
	for _, d := range w.devices {
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b *deviceTally) int {
		return cmp.Or(cmp.Compare(len(a.name), len(b.name)), cmp.Compare(a.name, b.name))
	})
	return all
}

// processList is the processes, those with the most first.
func (w *window) processList(by string) []*processTally {
	var all []*processTally
	for _, p := range w.processes {
		all = append(all, p)
	}
	if w.others.count > 0 {
		all = append(all, &w.others)
	}
	key := func(p *processTally) int64 {
		switch by {
		case "bandwidth":
			return p.bytes
		case "time":
			return p.totalNs
		}
		return p.count
	}
	slices.SortFunc(all, func(a, b *processTally) int { return cmp.Or(cmp.Compare(key(b), key(a)), cmp.Compare(a.pid, b.pid)) })
	return all
}

// all is the sum of all ops.
func (w *window) all() *opTally {
	sum := &opTally{}
	for i := range w.ops {
		o := &w.ops[i]
		sum.count += o.count
		sum.bytes += o.bytes
		sum.errors += o.errors
		sum.total.Merge(&o.total)
		sum.queue.Merge(&o.queue)
		sum.device.Merge(&o.device)
	}
	return sum
}

// inFlight is the mean number of I/Os underway, of them with the device, by Little's
// law: the rate of completions times the mean time. An I/O counts in the interval in
// which it ended.
func (w *window) inFlight() (all, device float64) {
	for _, d := range w.devices {
		all += float64(d.totalNs)
		device += float64(d.deviceNs)
	}
	ns := float64(max(w.to-w.from, 1))
	return all / ns, device / ns
}
