package traces

import "strconv"

// fio iologs. The first line is "fio version 2 iolog" or "fio version 3 iolog".
//
//	version 2: file action [offset length]
//	version 3: time file action [offset length]
//
// Offset and length are in bytes. The time of version 3 is in microseconds from the
// start in fio's own code (its manual does not say so); users feed nanoseconds or
// milliseconds by mistake, see Stats.Notes and Options.TimeUnit. Version 2 has
// "wait" instead, whose offset is microseconds from the wait before it, after the
// manual; records between two waits share a time. Each file is a volume. add, open
// and close are no records, as headers are none.

type fio struct {
	s       *scan
	f       fields
	version int
	body    bool  // the first line was read
	at      int64 // version 2: sum of the waits
	waited  bool
	known   map[string]int // tally slots of the actions that are no I/O
}

func openFio2(s *scan) parser { return openFio(s, 2) }
func openFio3(s *scan) parser { return openFio(s, 3) }

func openFio(s *scan, version int) parser {
	p := &fio{s: s, version: version, known: map[string]int{}}
	for _, a := range []string{"unlink", "wait", "sync_file_range"} {
		p.known[a] = s.skips.slot("fio action " + a)
	}
	return p
}

func isFio2(head []byte) (string, bool) { return isFio(head, 2) }
func isFio3(head []byte) (string, bool) { return isFio(head, 3) }

func isFio(head []byte, version int) (string, bool) {
	line := firstLine(head)
	return "the first line is " + strconv.Quote(line), string(trim([]byte(line))) == fioHeader(version)
}

func fioHeader(version int) string { return "fio version " + strconv.Itoa(version) + " iolog" }

func (p *fio) parse(b []byte, rec *Record) verdict {
	if !p.body {
		p.body = true
		if string(trim(b)) != fioHeader(p.version) {
			return p.s.bad("first line", b, strconv.Quote(fioHeader(p.version)))
		}
		return notRecord
	}
	p.f.words(b)
	c, n := p.f.at[:min(p.f.n, maxFields)], p.f.n
	shape := "file action [offset length]"
	if p.version == 3 {
		shape = "time file action [offset length]"
		if n < 3 {
			return p.s.bad("line", b, shape)
		}
		if _, ok := parseInt(c[0]); !ok {
			return p.s.bad("time", c[0], "a decimal number of microseconds")
		}
		c, n = c[1:], n-1
	}
	if n != 2 && n != 4 {
		return p.s.bad("line", b, shape)
	}
	return p.act(b, c[0], c[1], c[2:n], rec)
}

// act reads a record from its file on; place is offset and length, or empty.
func (p *fio) act(b, file, action []byte, place [][]byte, rec *Record) verdict {
	zero := isBad
	switch string(action) {
	case "read":
		rec.Op = Read
	case "write":
		rec.Op = Write
	case "trim":
		rec.Op = Discard
	case "sync", "datasync":
		rec.Op, rec.Offset, rec.Length, zero = Flush, 0, 0, isRecord
	case "add", "open", "close":
		return notRecord
	default:
		slot, ok := p.known[string(action)]
		if !ok {
			return p.s.bad("action", action, "read, write, trim, sync, datasync, wait, add, open or close")
		}
		if string(action) == "wait" && !p.wait(place) {
			return p.s.bad("line", b, "file wait MICROSECONDS 0, in version 2 only")
		}
		return p.s.skip(slot)
	}
	if len(place) == 0 && rec.Op != Flush {
		return p.s.bad("line", b, "offset and length behind "+string(action))
	}
	if len(place) > 0 {
		if v := p.s.extent(rec, place[0], place[1], 1, 1, zero); v == isBad {
			return v
		}
	}
	if p.version == 3 {
		if !p.s.ticks(rec, p.f.at[0], "a decimal number of microseconds") {
			return isBad
		}
	} else {
		rec.Time, _ = p.s.clock.at(p.at) // wait has seen to the limit
	}
	return p.s.volume(rec, file)
}

// wait adds a wait of version 2.
func (p *fio) wait(place [][]byte) bool {
	if p.version != 2 || len(place) == 0 {
		return false
	}
	us, ok := parseInt(place[0])
	if !ok || us > p.s.clock.limit-p.at {
		return false
	}
	p.at += us
	if !p.waited {
		p.waited = true
		p.s.notes = append(p.s.notes, "waits were read as microseconds from the wait before, after fio's manual")
	}
	return true
}

// line is the fast way, see liner.
func (p *fio) line(b []byte, rec *Record) int {
	if p.version != 3 || !p.body || len(p.s.vols.names) == 0 {
		return 0
	}
	ticks, i := number(b, 0, ' ')
	if i == 0 {
		return 0
	}
	name := p.s.vols.names[p.s.vols.last]
	e := i + len(name)
	if e+6 >= len(b) || string(b[i:e]) != name || b[e] != ' ' {
		return 0
	}
	switch rest := b[e+1:]; {
	case string(rest[:5]) == "read ":
		rec.Op, i = Read, e+6
	case len(rest) > 6 && string(rest[:6]) == "write ":
		rec.Op, i = Write, e+7
	default:
		return 0
	}
	at, i := number(b, i, ' ')
	if i == 0 {
		return 0
	}
	size, i := lastNumber(b, i)
	if i == 0 || !extentOf(rec, at, size, 1, 1) {
		return 0
	}
	rec.Volume = p.s.vols.last
	return p.s.clock.set(rec, ticks, i)
}
