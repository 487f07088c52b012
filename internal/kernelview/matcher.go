package kernelview

import (
	"iter"
	"maps"
	"slices"

	"blksim/aio"
	"blksim/internal/ebpf"
	"blksim/internal/hist"
	"blksim/internal/replay"
	"blksim/traces"
)

const (
	// zoneBits: what overlaps is looked for by zones of 64 KiB.
	zoneBits = 16

	// tolerance is how far the two clocks may be apart when they are set side by side,
	// with room for what a lane takes one time for. ns.
	tolerance = 20_000

	// retention is how long an I/O is kept, after bios have come that completed later:
	// the ring has them in the order of their completions, but for a few that CPUs
	// wrote at once. ns.
	retention = 10_000_000

	// wide requests, such as a discard of all of a disk, are in one list and not in
	// every zone: wideZone.
	wide           = 256 << 20
	wideZone int64 = -1

	// keptCancels is how many of the I/Os that were cancelled before dispatch are kept,
	// the latest, to say which a bio is of that should not be.
	keptCancels = 1 << 16
)

// extent is bytes of the disk, from the first up to and without the last.
type extent struct{ from, to int64 }

// within is what of an extent is in a zone.
func (e extent) within(zone int64) extent {
	return extent{max(e.from, zone<<zoneBits), min(e.to, (zone+1)<<zoneBits)}
}

// zones gives the numbers of those that an extent touches.
func (e extent) zones() iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for zone := e.from >> zoneBits; zone<<zoneBits < e.to && yield(zone); zone++ {
		}
	}
}

// lists are the zones in whose lists an extent of a request is.
func (e extent) lists() iter.Seq[int64] {
	if e.to-e.from > wide {
		return func(yield func(int64) bool) { yield(wideZone) }
	}
	return e.zones()
}

// request is an I/O of the run that was dispatched.
type request struct {
	extent
	op         aio.Op
	start, end int64 // with the device, ns of the kernel's clock
	left       int64 // bytes that no bio has told of
	queue      int64 // when its first bio was queued; 0: none yet
	issue      int64 // when the driver got the first of them; 0: no driver did
	complete   int64 // when its last one completed
	aborted    bool
	held       *held // waits for the bios; nil: nobody wants to know
}

// piece is what of a bio is in one zone, and which no request has explained in full.
type piece struct {
	op         aio.Op
	start, end int64    // queued, completed
	issue      int64    // 0: never
	holes      []extent // that are not explained
}

// explains says whether a request may be what made a bio.
func (r *request) explains(p *piece) bool {
	// The kernel may do a zeroing by writes.
	same := r.op == p.op || r.op == aio.OpWriteZeroes && p.op == aio.OpWrite
	return same && p.start >= r.start-tolerance && p.end <= r.end+tolerance
}

// matcher pairs requests with bios. It belongs to whoever has the View's lock.
type matcher struct {
	requests map[int64][]*request // by zone
	pieces   map[int64][]*piece   // by zone
	old      []*request           // in the order in which they came, to be forgotten in that
	latest   int64                // completion of a bio

	cancelled []request // ring of those cancelled before dispatch, submitted at start
	nextGone  int

	skipped    int64    // cancelled before dispatch
	aborted    int64    // cancelled after it; of them
	abortedIn  int64    // the kernel had
	dispatched int64    // with bytes, and not cancelled
	told       int64    // of them: all of it in bios
	flushes    [2]int64 // requests, bios
	outside    [aio.NumOps]hist.Histogram
}

func newMatcher() *matcher {
	return &matcher{requests: map[int64][]*request{}, pieces: map[int64][]*piece{}}
}

// addIO takes an I/O that ended, whose times count from epoch on the kernel's clock. h, if
// it is not nil, is told when the kernel had it.
func (m *matcher) addIO(io *replay.IO, epoch int64, h *held) {
	r := &request{extent: extent{io.Off, io.Off + io.Len}, op: io.Op, left: io.Len, held: h}
	if h != nil && (!io.Started() || io.Len == 0) {
		h.ready = true
	}
	if !io.Started() {
		r.start, r.end = epoch+int64(io.Submitted), epoch+int64(io.Ended)
		if io.Status == aio.Cancelled {
			m.skipped++
			m.keep(r)
		}
		return
	}
	r.start, r.end = epoch+int64(io.Dispatched), epoch+int64(io.Ended)
	if io.Returned != replay.NoTime {
		r.end = epoch + int64(io.Returned)
	}
	switch {
	case io.Len == 0:
		m.flushes[0]++
		return
	case io.Status == aio.Cancelled:
		m.aborted++
		r.aborted = true
	default:
		m.dispatched++
	}
	m.old = append(m.old, r)
	for zone := range m.near(r.extent) {
		kept := m.pieces[zone][:0]
		for _, p := range m.pieces[zone] {
			if r.explains(p) {
				m.pair(r, p)
			}
			if len(p.holes) > 0 {
				kept = append(kept, p)
			}
		}
		put(m.pieces, zone, kept)
	}
	for zone := range r.lists() {
		m.requests[zone] = append(m.requests[zone], r)
	}
	m.forget()
}

// near are the zones with pieces that an extent touches.
func (m *matcher) near(e extent) iter.Seq[int64] {
	if e.to-e.from <= wide {
		return e.zones()
	}
	return slices.Values(slices.Collect(maps.Keys(m.pieces))) // they change meanwhile
}

// put sets the list of a zone; an empty one goes.
func put[T any](zones map[int64][]T, zone int64, list []T) {
	if len(list) == 0 {
		delete(zones, zone)
		return
	}
	old := zones[zone]
	clear(old[len(list):])
	zones[zone] = list
}

// keep keeps the latest of those that were cancelled before dispatch.
func (m *matcher) keep(r *request) {
	if len(m.cancelled) < keptCancels {
		m.cancelled = append(m.cancelled, *r)
		return
	}
	m.cancelled[m.nextGone] = *r
	m.nextGone = (m.nextGone + 1) % keptCancels
}

// addBio takes a bio that completed; first is where the disk begins, in sectors, if it is
// a part of another one.
func (m *matcher) addBio(e *ebpf.Event, first int64) {
	m.latest = max(m.latest, e.Complete)
	if e.Bytes == 0 {
		m.flushes[1]++
		return
	}
	from := (e.Sector - first) * 512
	whole := extent{from, from + e.Bytes}
	for zone := range whole.zones() {
		p := &piece{op: opOf(e.Op), start: e.Queue, issue: e.Issue, end: e.Complete, holes: []extent{whole.within(zone)}}
		// Those that no bio has told of yet come first.
		for _, again := range []bool{false, true} {
			for _, list := range [][]*request{m.requests[zone], m.requests[wideZone]} {
				for _, r := range list {
					if len(p.holes) > 0 && r.left <= 0 == again && r.explains(p) {
						m.pair(r, p)
					}
				}
			}
		}
		if len(p.holes) > 0 {
			m.pieces[zone] = append(m.pieces[zone], p)
		}
	}
}

// pair takes off both what they have in common. What a bio has of a request that was
// told of before, as when it was sent again, is explained all the same.
func (m *matcher) pair(r *request, p *piece) {
	var n int64
	if p.holes, n = without(p.holes, r.extent); n == 0 {
		return
	}
	if r.queue == 0 || p.start < r.queue {
		r.queue = p.start
	}
	if r.issue == 0 || p.issue != 0 && p.issue < r.issue {
		r.issue = p.issue
	}
	r.complete = max(r.complete, p.end)
	if r.left <= 0 {
		return
	}
	if r.left -= n; r.left > 0 {
		return
	}
	if r.held != nil {
		r.held.known(r)
	}
	if r.aborted {
		m.abortedIn++
		return
	}
	m.told++
	m.outside[r.op].Add(max(r.end-r.start-(r.complete-r.queue), 0))
}

// without takes an extent out of others, and says how many bytes that were.
func without(holes []extent, gone extent) (left []extent, n int64) {
	for _, h := range holes {
		n += max(min(h.to, gone.to)-max(h.from, gone.from), 0)
	}
	if n == 0 {
		return holes, 0
	}
	for _, h := range holes {
		for _, rest := range []extent{{h.from, min(h.to, gone.from)}, {max(h.from, gone.to), h.to}} {
			if rest.from < rest.to {
				left = append(left, rest)
			}
		}
	}
	return left, n
}

// forget drops requests for which no bio can come any more.
func (m *matcher) forget() {
	n := 0
	for ; n < len(m.old) && m.latest-m.old[n].end > retention; n++ {
		r := m.old[n]
		if r.held != nil {
			r.held.ready = true // what is not known by now will not be
		}
		for zone := range r.lists() {
			list := m.requests[zone]
			i := slices.Index(list, r)
			put(m.requests, zone, slices.Delete(list, i, i+1))
		}
		m.old[n] = nil
	}
	m.old = m.old[n:]
}

// unexplained are the bios, in whole or in part, that no dispatched request explains.
func (m *matcher) unexplained() (all []*piece) {
	for _, zone := range slices.Sorted(maps.Keys(m.pieces)) {
		for _, p := range m.pieces[zone] {
			if n := len(all); n > 0 && all[n-1].start == p.start && all[n-1].end == p.end && adjoin(all[n-1].holes, p.holes) {
				all[n-1].holes = append(all[n-1].holes, p.holes...) // of the same bio, over zones
				continue
			}
			all = append(all, p)
		}
	}
	return all
}

// adjoin says whether the one ends where the other begins.
func adjoin(a, b []extent) bool { return a[len(a)-1].to == b[0].from }

// cancelledAt is an I/O that was cancelled before dispatch, and where a bio is that came
// after its submit; nil: none that is kept.
func (m *matcher) cancelledAt(p *piece) *request {
	for i := range m.cancelled {
		c := &m.cancelled[i]
		if c.op != p.op || p.start < c.start-tolerance {
			continue
		}
		if _, n := without(p.holes, c.extent); n > 0 {
			return c
		}
	}
	return nil
}

func opOf(op traces.Op) aio.Op {
	if op == ebpf.OtherOp {
		return aio.NumOps // nothing that a run asks for
	}
	return replay.OpOf(op)
}
