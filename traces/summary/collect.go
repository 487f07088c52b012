package summary

import (
	"cmp"
	"slices"
	"time"

	"blksim/internal/hist"
	"blksim/traces"
)

// Collector takes the records of a trace. It belongs to one goroutine at a time.
type Collector struct {
	n, bytes       int64
	first, last    int64
	end            int64
	ops            [traces.NumOps]opTally
	touched        footprint
	bursts         *bursts
	line           timeline
	access         accessTally
	volumes        []volumeTally
	processes      []processTally
	total, queue   hist.Histogram
	device         hist.Histogram
	cancels, fails int64
}

// opTally is the records of an op, and its sizes as far as they are few.
type opTally struct {
	n, bytes, min, max int64
	sizes              map[int64]int64
}

// maxSizes bounds the memory of the sizes of an op: rarer ones that come later are
// not listed.
const maxSizes = 4096

type volumeTally struct {
	n, reads, writes, bytes, end int64
	last, begin                  int64 // end and beginning of the last record
	run                          bool  // the last record continued a run
}

type processTally struct{ n, bytes int64 }

type accessTally struct {
	n, sequential, near, again, aligned int64
	runs                                int64
}

// nearBytes is how far from where the last record ended an offset is still near.
const nearBytes = 128 << 10

// New returns an empty collector.
func New() *Collector { return &Collector{bursts: newBursts()} }

// Add takes records, in order of time; it keeps nothing of recs.
func (c *Collector) Add(recs []traces.Record) {
	for i := range recs {
		c.one(&recs[i])
	}
}

func (c *Collector) one(r *traces.Record) {
	if c.n == 0 {
		c.first = r.Time
	}
	c.n++
	c.last = max(c.last, r.Time)
	c.end = max(c.end, r.Offset+r.Length)
	c.bursts.add(r.Time)
	c.ops[r.Op].add(r.Length)
	v := c.volume(r.Volume)
	v.n++
	v.end = max(v.end, r.Offset+r.Length)
	data := r.Op == traces.Read || r.Op == traces.Write
	moved := int64(0)
	if data {
		moved = r.Length
		c.bytes += moved
		v.bytes += moved
		if r.Op == traces.Read {
			v.reads++
		} else {
			v.writes++
		}
		c.touched.add(r.Volume, r.Offset, r.Length, r.Op == traces.Write)
		c.follow(v, r)
	}
	c.line.add(r.Time, r.Op != traces.Read, moved)
	if r.Process > 0 {
		for int(r.Process) >= len(c.processes) {
			c.processes = append(c.processes, processTally{})
		}
		c.processes[r.Process].n++
		c.processes[r.Process].bytes += moved
	}
	c.recorded(r)
}

// recorded counts what a recorder saw.
func (c *Collector) recorded(r *traces.Record) {
	if r.CancelAfter >= 0 {
		c.cancels++
	}
	if r.Status != 0 {
		c.fails++
	}
	if r.Completed > 0 {
		c.total.Add(r.Completed)
	}
	if r.Issued > 0 {
		c.queue.Add(r.Issued)
		if r.Completed >= r.Issued {
			c.device.Add(r.Completed - r.Issued)
		}
	}
}

func (c *Collector) volume(i uint32) *volumeTally {
	for int(i) >= len(c.volumes) {
		c.volumes = append(c.volumes, volumeTally{last: -1, begin: -1})
	}
	return &c.volumes[i]
}

// follow says how a record follows the one before it on its volume.
func (c *Collector) follow(v *volumeTally, r *traces.Record) {
	a := &c.access
	a.n++
	if r.Offset%4096 == 0 && r.Length%4096 == 0 {
		a.aligned++
	}
	follows := false
	if v.last >= 0 {
		distance := r.Offset - v.last
		switch {
		case distance == 0:
			a.sequential++
			follows = true
		case r.Offset == v.begin:
			a.again++
		}
		if distance >= -nearBytes && distance <= nearBytes {
			a.near++
		}
	}
	if !follows {
		a.runs++
	}
	v.last, v.begin, v.run = r.Offset+r.Length, r.Offset, follows
}

func (o *opTally) add(size int64) {
	if o.n == 0 {
		o.min, o.sizes = size, map[int64]int64{}
	}
	o.n++
	o.bytes += size
	o.min, o.max = min(o.min, size), max(o.max, size)
	if _, ok := o.sizes[size]; ok || len(o.sizes) < maxSizes {
		o.sizes[size]++
	}
}

// Info is what the trace holds, so far. names are what the records' indexes stand
// for. The caller fills in the trace itself: name, format, records, notes.
func (c *Collector) Info(names traces.Names) *Info {
	in := &Info{Schema: Schema, FirstNs: c.first, SpanNs: max(c.last-c.first, 0), Bytes: c.bytes, EndBytes: c.end,
		Cancels: c.cancels, Failed: c.fails, Arrivals: c.bursts.arrivals(), Ops: []Op{}}
	if s := time.Duration(in.SpanNs).Seconds(); s > 0 {
		in.IOPS, in.BytesPS = float64(c.n)/s, float64(c.bytes)/s
	}
	if n := c.ops[traces.Read].n + c.ops[traces.Write].n; n > 0 {
		in.ReadPart = share(c.ops[traces.Read].n, n)
	}
	for op := range traces.NumOps {
		if o := &c.ops[op]; o.n > 0 {
			in.Ops = append(in.Ops, Op{Op: traces.Op(op).String(), Records: o.n, Bytes: o.bytes, Share: share(o.n, c.n),
				MinSize: o.min, MaxSize: o.max, Sizes: o.frequent()})
		}
	}
	in.Footprint = c.touched.result()
	a := &c.access
	in.Access = Access{Sequential: share(a.sequential, a.n), Near: share(a.near, a.n), Again: share(a.again, a.n), Aligned4K: share(a.aligned, a.n)}
	if a.runs > 0 {
		in.Access.MeanRun = float64(a.n) / float64(a.runs)
	}
	in.Timeline = Timeline{StepNs: c.line.step, Reads: c.line.reads, Writes: c.line.writes, Bytes: c.line.bytes}
	for i, v := range c.volumes {
		if v.n == 0 {
			continue
		}
		name := ""
		if i < len(names.Volumes) {
			name = names.Volumes[i]
		}
		in.Volumes = append(in.Volumes, Volume{Name: name, Records: v.n, Reads: v.reads, Writes: v.writes, Bytes: v.bytes, End: v.end})
	}
	slices.SortStableFunc(in.Volumes, func(a, b Volume) int { return cmp.Compare(b.Records, a.Records) })
	for i, p := range c.processes {
		if p.n > 0 && i < len(names.Processes) {
			who := names.Processes[i]
			in.Processes = append(in.Processes, Process{PID: who.PID, Name: who.Name, Records: p.n, Bytes: p.bytes})
		}
	}
	slices.SortStableFunc(in.Processes, func(a, b Process) int { return cmp.Compare(b.Records, a.Records) })
	if c.total.Count()+c.queue.Count() > 0 {
		in.Latency = &Latencies{Total: percentiles(&c.total), Queue: percentiles(&c.queue), Device: percentiles(&c.device)}
	}
	return in
}

func share(n, of int64) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// listedSizes is how many sizes of an op are listed.
const listedSizes = 8

func (o *opTally) frequent() []Size {
	var list []Size
	for size, n := range o.sizes {
		if size > 0 {
			list = append(list, Size{size, n, share(n, o.n)})
		}
	}
	slices.SortFunc(list, func(a, b Size) int { // a map has no order
		return cmp.Or(cmp.Compare(b.Records, a.Records), cmp.Compare(a.Bytes, b.Bytes))
	})
	return list[:min(len(list), listedSizes)]
}

func (f *footprint) result() Footprint {
	all, exact := f.all.count()
	reads, _ := f.reads.count()
	writes, _ := f.writes.count()
	return Footprint{Bytes: all << blockShift, ReadBytes: reads << blockShift, WriteBytes: writes << blockShift, Exact: exact}
}

func percentiles(h *hist.Histogram) *Percentiles {
	if h.Count() == 0 {
		return nil
	}
	return &Percentiles{Count: h.Count(), P50: h.Percentile(500_000), P90: h.Percentile(900_000), P99: h.Percentile(990_000),
		P999: h.Percentile(999_000), Max: h.Max()}
}
