package timeline

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"

	"blksim/aio/lane"
	"blksim/internal/option"
	"blksim/internal/replay"
)

// writer writes one trace.
type writer struct {
	out  *bufio.Writer
	uuid uint64 // the last that was given
}

// sequence identifies the writer of packets: there is one.
const sequence = 1

// WriteTrace writes what was collected, after Close; name is what the viewer calls
// the process.
func (c *Collector) WriteTrace(out io.Writer, name string) error {
	w := &writer{out: bufio.NewWriterSize(out, 1<<16)}
	process := message(nil)
	process.uint(processID, 1)
	process.string(processName, name)
	root := w.track(0, "", func(d *message) { d.message(trackProcess, process) })
	slices.SortStableFunc(c.kept, func(a, b drawn) int {
		return cmp.Or(cmp.Compare(a.Submitted, b.Submitted), cmp.Compare(a.Ended, b.Ended), cmp.Compare(a.Lane, b.Lane))
	})
	queues := 0
	for i := range c.kept {
		queues = max(queues, c.kept[i].Lane+1)
	}
	occupied := c.queues.draw()
	if changing(occupied, 0) {
		w.queueCounters(occupied, 0, w.track(root, "admin queue", nil))
	}
	for _, of := range occupied {
		queues = max(queues, len(of)-1)
	}
	for q := range queues {
		w.queue(c.kept, q, occupied, root)
	}
	return w.out.Flush()
}

// packet writes one packet, of a time unless at is negative.
func (w *writer) packet(at lane.Time, field int, body message) {
	p := message(nil)
	if at >= 0 {
		p.uint(packetTimestamp, uint64(at))
		p.uint(packetSequence, sequence)
	}
	p.message(field, body)
	m := message(nil)
	m.message(tracePacket, p)
	w.out.Write(m) // Flush tells of errors
}

// track makes a track below parent, 0 for none; more adds to its description.
func (w *writer) track(parent uint64, name string, more func(d *message)) uint64 {
	w.uuid++
	d := message(nil)
	d.uint(trackUUID, w.uuid)
	if name != "" {
		d.string(trackName, name)
	}
	if parent != 0 {
		d.uint(trackParent, parent)
	}
	if more != nil {
		more(&d)
	}
	w.packet(-1, packetDescriptor, d)
	return w.uuid
}

func (w *writer) event(at lane.Time, track uint64, kind uint64, name, category string, more func(e *message)) {
	e := message(nil)
	e.uint(eventType, kind)
	e.uint(eventTrack, track)
	if name != "" {
		e.string(eventName, name)
		e.string(eventCategory, category)
	}
	if more != nil {
		more(&e)
	}
	w.packet(at, packetTrackEvent, e)
}

// queue writes the I/Os of one queue, which are sorted by submit, and its counters
// and those of its queue pairs: the driver's queue q is a controller's q + 1.
func (w *writer) queue(all []drawn, q int, occupied [][]drawnQueue, root uint64) {
	any := slices.ContainsFunc(all, func(d drawn) bool { return d.Lane == q })
	if !any && !changing(occupied, q+1) {
		return
	}
	group := w.track(root, fmt.Sprintf("queue %d", q), nil)
	w.counters(all, q, group)
	w.queueCounters(occupied, q+1, group)
	type slot struct {
		track uint64
		until lane.Time
	}
	var slots []slot
	for i := range all {
		io := &all[i]
		if io.Lane != q {
			continue
		}
		s := slices.IndexFunc(slots, func(s slot) bool { return s.until <= io.Submitted })
		if s < 0 {
			s = len(slots)
			slots = append(slots, slot{track: w.track(group, fmt.Sprintf("slot %d", s), nil)})
		}
		slots[s].until = max(io.Ended, io.Submitted+1)
		w.io(io, slots[s].track)
	}
}

// io writes one I/O: a slice, with its stages within.
func (w *writer) io(io *drawn, track uint64) {
	outcome := io.Outcome()
	name := fmt.Sprintf("%s %s", io.Op, option.FormatSize(io.Len))
	if outcome != "completed" {
		name += ", " + outcome
	}
	w.event(io.Submitted, track, sliceBegin, name, outcome, func(e *message) {
		annotate := func(name string, v uint64) {
			a := message(nil)
			a.string(annotationName, name)
			a.uint(annotationUint, v)
			e.message(eventAnnotation, a)
		}
		annotate("offset", uint64(io.Off))
		annotate("bytes", uint64(io.Len))
		annotate("job", uint64(io.job))
		annotate("latency_ns", uint64(io.Ended-io.Due))
		annotate("slip_ns", uint64(io.Submitted-io.Due))
		a := message(nil)
		a.string(annotationName, "status")
		a.string(annotationString, io.Status.String())
		e.message(eventAnnotation, a)
	})
	dispatched := io.Dispatched
	if dispatched == replay.NoTime {
		dispatched = io.Ended
	}
	stage := func(from, to lane.Time, name string) {
		if to <= from {
			return
		}
		w.event(from, track, sliceBegin, name, "stage", nil)
		// Where it stands in the order of time within the track.
		if io.Asked != replay.NoTime && io.Asked >= from && io.Asked < to {
			w.event(io.Asked, track, instant, "cancel accepted", "cancel", nil)
		}
		w.event(to, track, sliceEnd, "", "", nil)
	}
	stage(io.Submitted, dispatched, "queue")
	if io.Started() {
		returned := io.Returned
		if returned == replay.NoTime {
			returned = io.Ended
		}
		stage(dispatched, returned, "device")
		stage(returned, io.Ended, "complete")
	}
	w.event(io.Ended, track, sliceEnd, "", "", nil)
}

// step is a change of a counter.
type step struct {
	at    lane.Time
	delta int64
}

// counters writes what waits in a queue, what of it the device has, and what was
// cancelled so far, by stage.
func (w *writer) counters(all []drawn, q int, group uint64) {
	var waiting, device []step
	ended := map[string][]step{}
	for i := range all {
		io := &all[i]
		if io.Lane != q {
			continue
		}
		dispatched := io.Dispatched
		if dispatched == replay.NoTime {
			dispatched = io.Ended
		} else {
			returned := io.Returned
			if returned == replay.NoTime {
				returned = io.Ended
			}
			device = append(device, step{dispatched, 1}, step{returned, -1})
		}
		waiting = append(waiting, step{io.Submitted, 1}, step{dispatched, -1})
		if o := io.Outcome(); o != "completed" {
			ended[o] = append(ended[o], step{io.Ended, 1})
		}
	}
	w.counter(group, "waiting in the software queue", waiting)
	w.counter(group, "with the device (SQ to CQ)", device)
	for _, outcome := range []string{"skipped", "aborted", "too-late", "failed"} {
		w.counter(group, outcome+" so far", ended[outcome])
	}
}

// counter writes a counter's steps, the sum at each time once.
func (w *writer) counter(group uint64, name string, steps []step) {
	if len(steps) == 0 {
		return
	}
	track := w.counterTrack(group, name)
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(a.at, b.at) })
	sum := int64(0)
	for i, s := range steps {
		sum += s.delta
		if i+1 < len(steps) && steps[i+1].at == s.at {
			continue
		}
		w.count(s.at, track, uint64(sum))
	}
}

// counterTrack makes the track of a counter.
func (w *writer) counterTrack(group uint64, name string) uint64 {
	unit := message(nil)
	unit.uint(counterUnit, counterCount)
	return w.track(group, name, func(d *message) { d.message(trackCounter, unit) })
}

// count writes a counter's value.
func (w *writer) count(at lane.Time, track, value uint64) {
	w.event(at, track, counter, "", "", func(e *message) { e.uint(eventCounter, value) })
}
