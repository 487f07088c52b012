package traces

import (
	"bytes"
	"math"
)

// MSR Cambridge CSV: Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime.
//
// Timestamp is a Windows FILETIME, 100 ns ticks since 1601, and so is the unit of
// ResponseTime: when the I/O completed. Some are negative: those are not used. Offset and Size are in bytes. The volume is
// host_disk, as the trace's own files are named.
//
// Each line is tried by fast, which takes what the published files hold, and falls
// back to slow, which takes blanks, headers and other cases of letters too, and
// says what is wrong with the rest. Whatever fast takes, slow reads alike.

const (
	msrColumns   = 7
	filetimeTick = 100 // ns
	maxTicks     = math.MaxInt64 / filetimeTick
)

type msr struct {
	s     *scan
	f     fields
	name  []byte            // scratch for host_disk
	raw   []byte            // "host,disk" of the last line, as written
	vol   uint32            // its volume
	known map[string]uint32 // the same for every such pair, as written
}

func openMSR(s *scan) parser { return &msr{s: s, known: map[string]uint32{}} }

func (p *msr) parse(b []byte, rec *Record) verdict {
	if p.fast(b, rec) {
		return isRecord
	}
	return p.slow(b, rec)
}

func (p *msr) fast(b []byte, rec *Record) bool {
	ticks, i := uintAt(b, 0)
	if i == 0 || i == len(b) || b[i] != ',' || ticks > math.MaxInt64 {
		return false
	}
	i++
	if n := i + len(p.raw); len(p.raw) == 0 || n >= len(b) || b[n] != ',' || !bytes.Equal(b[i:n], p.raw) {
		if !p.pair(b[i:]) {
			return false
		}
	}
	if i += len(p.raw) + 1; i >= len(b) {
		return false
	}
	switch rest := b[i:]; {
	case len(rest) > 5 && string(rest[:5]) == "Read,":
		rec.Op = Read
		i += 5
	case len(rest) > 6 && string(rest[:6]) == "Write,":
		rec.Op = Write
		i += 6
	default:
		return false
	}
	offset, e := uintAt(b, i)
	if e == i || e == len(b) || b[e] != ',' {
		return false
	}
	i = e + 1
	size, e := uintAt(b, i)
	if e == i || e == len(b) || b[e] != ',' {
		return false
	}
	i = e + 1
	response, e := uintAt(b, i)
	if e == i || e != len(b) || response > maxTicks {
		return false
	}
	rec.Completed = int64(response) * filetimeTick
	if offset > math.MaxInt64 || size == 0 || size > math.MaxInt64-offset {
		return false
	}
	rec.Offset, rec.Length, rec.Volume = int64(offset), int64(size), p.vol
	t, ok := p.s.clock.at(int64(ticks))
	rec.Time = t
	return ok
}

// pair makes the host and disk at the start of b the last ones, if they are known.
func (p *msr) pair(b []byte) bool {
	i := bytes.IndexByte(b, ',')
	if i < 0 {
		return false
	}
	j := bytes.IndexByte(b[i+1:], ',')
	if j < 0 {
		return false
	}
	raw := b[:i+1+j]
	v, ok := p.known[string(raw)]
	if ok {
		p.raw, p.vol = append(p.raw[:0], raw...), v
	}
	return ok
}

func (p *msr) slow(b []byte, rec *Record) verdict {
	p.f.split(b, ',')
	if p.s.isHeader(&p.f, msrColumns, b) {
		return notRecord
	}
	if p.f.n != msrColumns {
		return p.s.bad("line", b, "7 columns: Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime")
	}
	c := &p.f.at
	if len(c[1]) == 0 {
		return p.s.bad("host", c[1], "a host name")
	}
	if _, ok := parseInt(c[2]); !ok {
		return p.s.bad("disk", c[2], "a decimal disk number")
	}
	switch {
	case equalFold(c[3], "read"):
		rec.Op = Read
	case equalFold(c[3], "write"):
		rec.Op = Write
	default:
		return p.s.bad("type", c[3], "Read or Write")
	}
	if v := p.s.extent(rec, c[4], c[5], 1, 1, isBad); v != isRecord {
		return v
	}
	if !isNumber(c[6]) {
		return p.s.bad("response time", c[6], "a decimal number of 100 ns ticks")
	}
	if response, ok := parseInt(c[6]); ok && response <= maxTicks {
		rec.Completed = response * filetimeTick
	}
	if !p.s.ticks(rec, c[0], "a decimal number of 100 ns ticks") {
		return isBad
	}
	p.name = append(append(append(p.name[:0], c[1]...), '_'), c[2]...)
	v := p.s.volume(rec, p.name)
	if v == isRecord {
		p.learn(b, c[1], c[2], rec.Volume)
	}
	return v
}

// learn keeps host and disk for fast, if they stand in the line without blanks.
func (p *msr) learn(b, host, disk []byte, vol uint32) {
	raw := append(append(append(p.name[:0], host...), ','), disk...)
	p.name = raw
	if i := bytes.IndexByte(b, ','); bytes.HasPrefix(b[i+1:], raw) && len(p.known) < maxVolumes {
		p.known[string(raw)] = vol
	}
}
