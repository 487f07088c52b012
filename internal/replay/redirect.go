package replay

import (
	"fmt"
	"math/bits"
	"strings"

	"blksim/internal/option"
)

// Redirect says where the I/Os go on a disk that is not the one that was recorded. The
// zero value leaves them where they were: what lies beyond the end is an error.
type Redirect struct {
	Kind  RedirectKind
	Shift int64 // of RedirectOffset, bytes to add; may be negative
	From  int64 // of RedirectScale, bytes of the recorded disk; 0: not known yet, which no run takes
}

// RedirectKind is a way to redirect.
type RedirectKind uint8

// The ways.
const (
	RedirectNone   RedirectKind = iota
	RedirectWrap                // what lies beyond the end wraps around: modulo the disk's size
	RedirectScale               // offsets in proportion to the sizes: what was apart stays apart, and what was adjacent may not
	RedirectOffset              // all are moved by the same number of bytes
)

// ParseRedirect reads none, wrap, scale[:SIZE] or offset:[-]BYTES.
func ParseRedirect(s string) (r Redirect, err error) {
	word, rest, has := strings.Cut(s, ":")
	switch {
	case s == "none" || s == "":
		return r, nil
	case s == "wrap":
		r.Kind = RedirectWrap
		return r, nil
	case word == "scale":
		r.Kind = RedirectScale
		if has {
			if r.From, err = option.ParseSize(rest); err == nil && r.From == 0 {
				err = fmt.Errorf("size 0")
			}
		}
	case word == "offset" && has:
		r.Kind = RedirectOffset
		digits, negative := strings.CutPrefix(rest, "-")
		if r.Shift, err = option.ParseSize(digits); negative {
			r.Shift = -r.Shift
		}
	default:
		err = fmt.Errorf("no such way")
	}
	if err != nil {
		return Redirect{}, fmt.Errorf("redirect %q: %w: want none, wrap, scale, scale:SIZE (of the recorded disk) or offset:BYTES, such as offset:1GiB or offset:-1MiB", s, err)
	}
	return r, nil
}

// String is what ParseRedirect reads.
func (r Redirect) String() string {
	switch r.Kind {
	case RedirectWrap:
		return "wrap"
	case RedirectScale:
		if r.From == 0 {
			return "scale"
		}
		return "scale:" + option.FormatSize(r.From)
	case RedirectOffset:
		if r.Shift < 0 {
			return "offset:-" + option.FormatSize(-r.Shift)
		}
		return "offset:" + option.FormatSize(r.Shift)
	}
	return "none"
}

// first moves an offset of the trace, before it is made to fit blocks. It may answer
// one that is negative or beyond the end.
func (r Redirect) first(off, capacity int64) int64 {
	switch {
	case r.Kind == RedirectOffset:
		return off + r.Shift // both within 2^61: see farthest, and Validate
	case r.Kind == RedirectScale && off >= 0 && off < r.From:
		// off*capacity/From with all 128 bits of the product; the quotient is below
		// capacity.
		high, low := bits.Mul64(uint64(off), uint64(capacity))
		q, _ := bits.Div64(high, low, uint64(r.From))
		return int64(q)
	}
	return off
}

// last brings an extent of whole blocks back onto the disk, where the way has that.
func (r Redirect) last(off, length, capacity int64) int64 {
	if length > capacity || off <= capacity-length {
		return off
	}
	switch r.Kind {
	case RedirectWrap:
		return min(off%capacity, capacity-length)
	case RedirectScale:
		if off < capacity {
			return capacity - length // a length does not shrink with its offset
		}
	}
	return off
}
