package traces

import (
	"bytes"
	"encoding/binary"
	"math"
)

// MSR Cambridge CSV: Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime.
//
// Timestamp is a Windows FILETIME, 100 ns ticks since 1601, and so is the unit of
// ResponseTime: when the I/O completed. Some are negative: those are not used. Offset and Size are in bytes. The volume is
// host_disk, as the trace's own files are named.
//
// line takes what the published files hold; parse takes blanks, headers and other
// cases of letters too, and says what is wrong with the rest.

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
	word  uint64            // the first eight digits of the last timestamp, as written
	first int64             // and their value
}

func openMSR(s *scan) parser { return &msr{s: s, known: map[string]uint32{}} }

// line is the fast way, see liner.
func (p *msr) line(b []byte, rec *Record) int {
	ticks, i := p.ticks(b)
	if i == 0 {
		return 0
	}
	if n := i + len(p.raw); len(p.raw) == 0 || n >= len(b) || b[n] != ',' || !bytes.Equal(b[i:n], p.raw) {
		if !p.pair(b[i:]) {
			return 0
		}
	}
	i += len(p.raw) + 1
	if i+6 >= len(b) {
		return 0
	}
	switch rest := b[i:]; {
	case string(rest[:5]) == "Read,":
		rec.Op = Read
		i += 5
	case string(rest[:6]) == "Write,":
		rec.Op = Write
		i += 6
	default:
		return 0
	}
	at, i := number(b, i, ',')
	if i == 0 {
		return 0
	}
	size, i := number(b, i, ',')
	if i == 0 {
		return 0
	}
	response, i := lastNumber(b, i)
	if i == 0 || response > maxTicks || !extentOf(rec, at, size, 1, 1) {
		return 0
	}
	rec.Completed, rec.Volume = response*filetimeTick, p.vol
	return p.s.clock.set(rec, ticks, i)
}

// ticks reads the timestamp and the comma behind it. Its first eight digits stay the
// same for 1000 seconds and more, and are read once.
func (p *msr) ticks(b []byte) (v int64, next int) {
	if len(b) < 8 {
		return 0, 0
	}
	word := binary.LittleEndian.Uint64(b)
	if word == p.word {
		rest, e := uintAt(b, 8)
		if digits := e - 8; digits > 0 && digits <= 10 && e < len(b) && b[e] == ',' {
			return p.first*pow10[digits] + int64(rest), e + 1
		}
	}
	if v, next = number(b, 0, ','); next > 9 {
		p.word, p.first = word, int64(eightDigits(word^eightZeros))
	}
	return v, next
}

// pair makes the host and disk at the start of b the last ones, if they are known.
func (p *msr) pair(b []byte) bool {
	b = b[:min(len(b), 2*maxVolumeName)]
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

func (p *msr) parse(b []byte, rec *Record) verdict {
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

// learn keeps host and disk for line, if they stand in the line without blanks.
func (p *msr) learn(b, host, disk []byte, vol uint32) {
	raw := append(append(append(p.name[:0], host...), ','), disk...)
	p.name = raw
	if i := bytes.IndexByte(b, ','); bytes.HasPrefix(b[i+1:], raw) && len(p.known) < maxVolumes {
		if _, ok := p.known[string(raw)]; !ok {
			p.known[string(raw)] = vol
		}
	}
}
