package traces

// FIU traces (Koller, Rangaswami; SNIA IOTTA): ts pid process lba size op major minor
// md5, apart by blanks. ts is in nanoseconds, lba and size in sectors of 512 bytes, op
// is R or W; what follows the minor is a hash of the content, or nothing. The name of
// a process may hold blanks, so the columns behind it are counted from the end. The
// volume is major,minor.

type fiu struct {
	s    *scan
	name []byte // scratch for major,minor
}

func openFIU(s *scan) parser { return &fiu{s: s} }

const fiuShape = "ts pid process lba size op major minor md5"

func (p *fiu) parse(b []byte, rec *Record) verdict {
	at, i := word(b, 0)
	pid, i := word(b, i)
	// From the end: md5, minor, major, op, size, lba.
	var tail [6][]byte
	end := len(b)
	for k := range tail {
		tail[k], end = lastWord(b, i, end)
	}
	process := trim(b[min(i, end):end])
	if len(tail[5]) == 0 || len(process) == 0 {
		return p.s.bad("line", b, fiuShape)
	}
	id, ok := parseInt(pid)
	if !ok || id > 1<<32-1 {
		return p.s.bad("pid", pid, "a decimal number")
	}
	if rec.Op, ok = opOfLetter(tail[3]); !ok {
		return p.s.bad("op", tail[3], "R or W")
	}
	for k, field := range []string{"minor", "major"} {
		if !isDigits(tail[1+k]) {
			return p.s.bad(field, tail[1+k], wantDevice)
		}
	}
	unit := p.s.opts.BlockSize
	if v := p.s.extent(rec, tail[5], tail[4], unit, unit, isBad); v != isRecord {
		return v
	}
	if !p.s.ticks(rec, at, "a decimal number of nanoseconds") {
		return isBad
	}
	p.name = append(append(append(p.name[:0], tail[2]...), ','), tail[1]...)
	v := p.s.volume(rec, p.name)
	if v == isRecord {
		rec.Process = p.s.procs.index(uint32(id), process)
	}
	return v
}

// lastWord is the last word of b[from:end], and where it begins.
func lastWord(b []byte, from, end int) ([]byte, int) {
	for end > from && isBlank(b[end-1]) {
		end--
	}
	start := end
	for start > from && !isBlank(b[start-1]) {
		start--
	}
	return b[start:end], start
}
