package traces

// fio iolog, version 1: rw,offset,length without a first line that says so. offset
// and length are in bytes; rw is 0 for a read, 1 for a write. 2 was a sync in the fio
// of that time and is a trim in later ones: it is taken as a flush without a length,
// as a discard with one. There are no times: every record is due at once.

const fio1Columns = 3

type fio1 struct {
	s *scan
	f fields
}

func openFio1(s *scan) parser { return &fio1{s: s} }

func (p *fio1) parse(b []byte, rec *Record) verdict {
	p.f.split(b, ',')
	if p.f.n != fio1Columns {
		return p.s.bad("line", b, "3 columns: rw,offset,length")
	}
	c, zero := &p.f.at, isBad
	switch string(c[0]) {
	case "0":
		rec.Op = Read
	case "1":
		rec.Op = Write
	case "2":
		rec.Op, zero = Discard, isSkipped
	default:
		return p.s.bad("rw", c[0], "0, 1 or 2: read, write, sync or trim")
	}
	switch p.s.extent(rec, c[1], c[2], 1, 1, zero) {
	case isBad:
		return isBad
	case isSkipped:
		rec.Op, rec.Offset = Flush, 0
	}
	return p.s.volume(rec, nil)
}
