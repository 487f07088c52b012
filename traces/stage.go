package traces

import (
	"io"
	"time"
)

// stage is what records pass on their way out, once they are in order: copies of
// stacked devices are found, and dropped if that is asked for; records that share a
// whole second are spread over it if that is asked for. It holds back at most
// stackedSample records to learn from, and maxGroup of one second.
type stage struct {
	stacked *stacked
	dedup   bool
	spread  bool
	slot    int // tally slot of the copies

	out   []Record // ready
	pos   int
	held  []Record // to learn from
	group []Record // that share a second
	from  int64    // ns into their second that the group begins at
	mixed bool     // not every time is a whole second: nothing is spread
	large int64    // seconds with more than maxGroup records
	batch [256]Record
	err   error
}

const (
	maxGroup = 1 << 16
	second   = int64(time.Second)
)

func newStage(o *Options, s *scan) *stage {
	g := &stage{dedup: o.DedupStacked, spread: o.SpreadSeconds, slot: s.skips.slot("stacked copy")}
	g.stacked = newStacked()
	return g
}

// watch looks at records that are on their way already, where nothing is held back:
// at the first of the trace only.
func (g *stage) watch(recs []Record, names []string, end bool) {
	if g.stacked.learned != nil {
		return
	}
	for i := range recs {
		if g.stacked.seen == stackedSample {
			break
		}
		g.stacked.see(&recs[i])
	}
	if end || g.stacked.seen == stackedSample {
		g.stacked.learn(names)
	}
}

// read is Reader.Read where records are held back.
func (g *stage) read(r *Reader, recs []Record) (int, error) {
	for g.pos == len(g.out) && g.err == nil {
		g.out, g.pos = g.out[:0], 0
		n, err := r.read(g.batch[:])
		for i := range g.batch[:n] {
			g.take(r, &g.batch[i])
		}
		if err != nil {
			g.err = err
			g.learned(r)
			g.endGroup(second - g.from)
		}
	}
	n := copy(recs, g.out[g.pos:])
	g.pos += n
	r.withheld = int64(len(g.out) - g.pos + len(g.held) + len(g.group))
	if n == 0 && len(recs) > 0 {
		return 0, g.err
	}
	return n, nil
}

func (g *stage) take(r *Reader, rec *Record) {
	if g.dedup && g.stacked.learned == nil {
		g.stacked.see(rec)
		g.held = append(g.held, *rec)
		if g.stacked.seen == stackedSample || len(g.held) == 2*stackedSample {
			g.learned(r)
		}
		return
	}
	g.pass(r, rec)
}

// learned passes on what was held to learn from.
func (g *stage) learned(r *Reader) {
	if g.stacked.learned != nil {
		return
	}
	g.stacked.learn(r.scan.vols.names)
	for i := range g.held {
		g.pass(r, &g.held[i])
	}
	g.held = nil
}

// pass drops copies and spreads the rest.
func (g *stage) pass(r *Reader, rec *Record) {
	if g.dedup && g.stacked.see(rec) {
		r.done--
		r.scan.skips.counts[g.slot].Count++
		return
	}
	if !g.spread || g.mixed {
		g.out = append(g.out, *rec)
		return
	}
	if rec.Time%second != 0 {
		g.mixed = true
		g.endGroup(0)
		g.out = append(g.out, *rec)
		return
	}
	switch {
	case len(g.group) > 0 && g.group[0].Time != rec.Time:
		g.endGroup(second - g.from)
		g.from = 0
	case len(g.group) == maxGroup:
		// How many more will come nobody knows: half of what is left of the second is
		// theirs.
		if g.from == 0 {
			g.large++
		}
		part := (second - g.from) / 2
		g.endGroup(part)
		g.from += part
	}
	g.group = append(g.group, *rec)
}

// endGroup spreads the group over so many ns.
func (g *stage) endGroup(span int64) {
	for i := range g.group {
		rec := g.group[i]
		if span > 0 {
			rec.Time += g.from + span/int64(len(g.group))*int64(i)
		}
		g.out = append(g.out, rec)
	}
	g.group = g.group[:0]
}

// notes say what was found and done.
func (g *stage) notes(add func(format string, args ...any)) {
	for _, s := range g.stacked.told {
		add("%s", s)
	}
	switch {
	case !g.spread:
	case g.mixed:
		add("not every time is a whole second: nothing is spread from there on")
	default:
		add("records that share a whole second were spread over it")
	}
	if g.large > 0 {
		add("%d seconds have more than %d records: their first ones were spread over the first half", g.large, maxGroup)
	}
}

// Read fills recs with the next records and returns how many there are. Like
// io.Reader it returns records or an error, never both: io.EOF at the end, *Error
// for a bad record under Stop, *StreamError for input that breaks off.
func (r *Reader) Read(recs []Record) (int, error) {
	if r.stage.dedup || r.stage.spread {
		return r.stage.read(r, recs)
	}
	n, err := r.read(recs)
	if r.stage.stacked.learned == nil {
		r.stage.watch(recs[:n], r.scan.vols.names, err == io.EOF)
	}
	return n, err
}
