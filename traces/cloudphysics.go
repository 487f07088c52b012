package traces

// CloudPhysics CSV, as libCacheSim ships it: version,time,op,size,lbn.
//
// Descriptions of the format give the time in microseconds, as in the binary it
// was made from. The published file holds whole seconds (the binary's time over
// 10^6), and the file wins; Options.TimeUnit says another. op is a SCSI opcode in
// hex, size is in bytes, lbn in sectors of 512 bytes. There is one volume.

const cloudPhysicsColumns = 5

type cloudPhysics struct {
	s    *scan
	f    fields
	scsi scsi
}

func openCloudPhysics(s *scan) parser { return &cloudPhysics{s: s, scsi: newSCSI(s)} }

func (p *cloudPhysics) parse(b []byte, rec *Record) verdict {
	p.f.split(b, ',')
	if p.s.isHeader(&p.f, cloudPhysicsColumns, b) {
		return notRecord
	}
	if p.f.n != cloudPhysicsColumns {
		return p.s.bad("line", b, "5 columns: version,time,op,size,lbn")
	}
	c := &p.f.at
	if s := string(c[0]); s != "1" && s != "2" {
		return p.s.bad("version", c[0], "1 or 2")
	}
	opcode, ok := parseHex(c[2])
	if !ok || opcode > 0xff {
		return p.s.bad("op", c[2], "a SCSI opcode in hex")
	}
	v := p.s.extent(rec, c[4], c[3], p.s.opts.BlockSize, 1, isSkipped)
	if v == isBad || !p.s.ticks(rec, c[1], "a decimal number of seconds") {
		return isBad
	}
	if w := p.scsi.op(rec, uint8(opcode)); w != isRecord {
		return w
	}
	if v == isSkipped && rec.Op != Flush {
		return p.s.bad("size", c[3], wantBytesPos)
	}
	return p.s.volume(rec, nil)
}

// line is the fast way, see liner.
func (p *cloudPhysics) line(b []byte, rec *Record) int {
	if len(b) < 3 || b[0] != '1' && b[0] != '2' || b[1] != ',' || !p.s.vols.met(nil) {
		return 0
	}
	ticks, i := number(b, 2, ',')
	if i == 0 || i+3 > len(b) || b[i+2] != ',' {
		return 0
	}
	switch string(b[i : i+2]) {
	case "28", "88":
		rec.Op = Read
	case "2a", "8a":
		rec.Op = Write
	default: // others, of which most are no I/O
		return 0
	}
	size, i := number(b, i+3, ',')
	if i == 0 {
		return 0
	}
	at, i := lastNumber(b, i)
	if i == 0 || !extentOf(rec, at, size, p.s.opts.BlockSize, 1) {
		return 0
	}
	rec.Volume = p.s.vols.last
	return p.s.clock.set(rec, ticks, i)
}
