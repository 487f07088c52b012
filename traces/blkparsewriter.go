package traces

import (
	"container/heap"
	"fmt"
	"strconv"
)

// blkparseLines writes text as blkparse does: a Q event for each record, and D and C
// events where it was recorded when it was issued and completed. Those come later in
// the trace, in their turn: they wait in a heap until a Q is as late as they are.
// Volumes that are not called major,minor are 259,0 and on.
type blkparseLines struct {
	events  laterEvents
	seq     int64
	devices []string // by volume; "": not met
	next    int      // minor of the next volume without one
	taken   map[string]bool
}

// maxLater bounds the memory of the events that wait.
const maxLater = 1 << 20

// laterEvent is an event of an I/O that waits for its turn.
type laterEvent struct {
	time   int64
	order  int64 // of events of one time
	letter byte
	pid    uint32
	status uint16
	device string
	rwbs   string
	extent string
	comm   string
}

type laterEvents []laterEvent

func (h laterEvents) Len() int { return len(h) }
func (h laterEvents) Less(i, j int) bool {
	return h[i].time < h[j].time || h[i].time == h[j].time && h[i].order < h[j].order
}
func (h laterEvents) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *laterEvents) Push(x any)   { *h = append(*h, x.(laterEvent)) }
func (h *laterEvents) Pop() any {
	old := *h
	x := old[len(old)-1]
	old[len(old)-1] = laterEvent{}
	*h = old[:len(old)-1]
	return x
}

func (*blkparseLines) format() string { return "blkparse" }

func (l *blkparseLines) append(b []byte, r *Record, names *Names) ([]byte, string) {
	switch {
	case r.Op == WriteZeroes:
		return b, "blkparse has no letter for it"
	case r.Offset%512 != 0 || r.Length%512 != 0:
		return b, "it counts in sectors of 512 bytes"
	}
	e := laterEvent{time: r.Time, letter: 'Q', device: l.device(r.Volume, names), rwbs: rwbsOf(r)}
	if i := int(r.Process); i > 0 && i < len(names.Processes) {
		e.pid, e.comm = names.Processes[i].PID, names.Processes[i].Name
	}
	if r.Length > 0 {
		e.extent = strconv.FormatInt(r.Offset/512, 10) + " + " + strconv.FormatInt(r.Length/512, 10) + " "
	}
	for len(l.events) > 0 && (l.events[0].time <= r.Time || len(l.events) >= maxLater) {
		b = l.event(b, heap.Pop(&l.events).(laterEvent))
	}
	b = l.event(b, e)
	if r.Length == 0 {
		return b, "" // a flush without data: nothing pairs its events
	}
	if r.Issued > 0 {
		e.letter, e.time, e.order = 'D', r.Time+r.Issued, l.seq
		heap.Push(&l.events, e)
	}
	if r.Completed > 0 {
		e.letter, e.time, e.order, e.status = 'C', r.Time+r.Completed, l.seq, r.Status
		heap.Push(&l.events, e)
	}
	return b, ""
}

// event appends a line.
func (l *blkparseLines) event(b []byte, e laterEvent) []byte {
	l.seq++
	at := max(e.time, 0)
	comm := e.comm
	if e.letter == 'C' {
		comm = strconv.Itoa(-int(e.status))
	}
	return fmt.Appendf(b, "%7s %2d %8d %5d.%09d %5d  %c %3s %s[%s]\n", e.device, 0, l.seq, at/1e9, at%1e9, e.pid, e.letter, e.rwbs, e.extent, comm)
}

// device is the major,minor of a volume.
func (l *blkparseLines) device(volume uint32, names *Names) string {
	if l.taken == nil {
		l.taken = map[string]bool{}
	}
	for i := len(l.devices); i <= int(volume); i++ {
		l.devices = append(l.devices, "")
	}
	if l.devices[volume] == "" {
		name := ""
		if int(volume) < len(names.Volumes) {
			name = names.Volumes[volume]
		}
		for !isDevice([]byte(name)) || l.taken[name] {
			name = "259," + strconv.Itoa(l.next)
			l.next++
		}
		l.devices[volume], l.taken[name] = name, true
	}
	return l.devices[volume]
}

// rwbsOf is the rwbs column of a record.
func rwbsOf(r *Record) string {
	s := ""
	if r.Flags&Preflush != 0 && r.Op != Flush {
		s = "F"
	}
	s += string("RWFD"[r.Op])
	for _, f := range []struct {
		flag   Flags
		letter string
	}{{FUA, "F"}, {Readahead, "A"}, {Sync, "S"}, {Meta, "M"}} {
		if r.Flags&f.flag != 0 && (r.Op != Flush || f.flag != FUA) {
			s += f.letter
		}
	}
	return s
}

func (l *blkparseLines) end(b []byte) []byte {
	for len(l.events) > 0 {
		b = l.event(b, heap.Pop(&l.events).(laterEvent))
	}
	return b
}
