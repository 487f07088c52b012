package traces

// rwbs is what the RWBS column of blkparse says: an F in front for a preflush, then
// the op (R, W, D for discard, N for none), then flags: F for FUA, A for readahead,
// S for sync, M for metadata, B for barrier, E for a secure erase.
type rwbs struct {
	op    Op
	none  bool // N: no data, as a passthrough command or a message
	flags bool // a preflush or FUA rides on a write, which a Record cannot carry
}

func parseRWBS(b []byte) (r rwbs, ok bool) {
	if len(b) == 0 {
		return r, false
	}
	preflush := b[0] == 'F'
	i := 0
	if preflush && len(b) > 1 && isOneOf(b[1], "RWDNF") {
		i = 1
	}
	switch b[i] {
	case 'R':
		r.op = Read
	case 'W':
		r.op = Write
	case 'D':
		r.op = Discard
	case 'F':
		r.op = Flush
	case 'N':
		r.op, r.none = Flush, !preflush
	default:
		return r, false
	}
	fua := false
	for _, c := range b[i+1:] {
		if !isOneOf(c, "FASMBE") {
			return r, false
		}
		fua = fua || c == 'F'
	}
	r.flags = r.op == Write && (preflush || fua)
	return r, true
}

func isOneOf(c byte, set string) bool {
	for i := range len(set) {
		if set[i] == c {
			return true
		}
	}
	return false
}
