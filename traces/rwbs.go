package traces

// rwbs is what the RWBS column of blkparse says: an F in front for a preflush, then
// the op (R, W, D for discard, N for none), then flags: F for FUA, A for readahead,
// S for sync, M for metadata, B for barrier, E for a secure erase.
type rwbs struct {
	op    Op
	none  bool // N: no data, as a passthrough command or a message
	flags Flags
}

// rides says whether a preflush or FUA rides on a write.
func (r *rwbs) rides() bool { return r.op == Write && r.flags&(Preflush|FUA) != 0 }

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
	for _, c := range b[i+1:] {
		switch c {
		case 'F':
			r.flags |= FUA
		case 'A':
			r.flags |= Readahead
		case 'S':
			r.flags |= Sync
		case 'M':
			r.flags |= Meta
		case 'B', 'E':
		default:
			return r, false
		}
	}
	if preflush && r.op != Flush {
		r.flags |= Preflush
	}
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
