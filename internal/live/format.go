package live

import (
	"fmt"
	"strings"
	"syscall"

	"blksim/internal/ebpf"
	"blksim/traces"
)

// rwbs is the op with its flags, as blkparse writes them.
func rwbs(e *ebpf.Event) string {
	b := make([]byte, 0, 6)
	if e.Flags&traces.Preflush != 0 && e.Op != traces.Flush {
		b = append(b, 'F')
	}
	if int(e.Op) < traces.NumOps {
		b = append(b, "RWFDZ"[e.Op])
	} else {
		b = append(b, '?')
	}
	for _, f := range []struct {
		flag   traces.Flags
		letter byte
	}{{traces.FUA, 'F'}, {traces.Readahead, 'A'}, {traces.Sync, 'S'}, {traces.Meta, 'M'}} {
		if e.Flags&f.flag != 0 {
			b = append(b, f.letter)
		}
	}
	return string(b)
}

// opName is the op in words.
func opName(op traces.Op) string {
	if op == ebpf.OtherOp {
		return "other"
	}
	return op.String()
}

// errnoName is the name of an error number that block devices give; the numbers are
// Linux's on any system.
func errnoName(n syscall.Errno) string {
	names := map[syscall.Errno]string{5: "EIO", 11: "EAGAIN", 12: "ENOMEM", 16: "EBUSY", 19: "ENODEV", 22: "EINVAL", 28: "ENOSPC", 52: "EBADE",
		61: "ENODATA", 62: "ETIME", 67: "ENOLINK", 84: "EILSEQ", 95: "EOPNOTSUPP", 110: "ETIMEDOUT", 121: "EREMOTEIO", 125: "ECANCELED"}
	if name, ok := names[n]; ok {
		return name
	}
	return fmt.Sprintf("errno %d", uint(n))
}

// printable is a thread's name that cannot play with a terminal.
func printable(comm string) string {
	bad := func(r rune) bool { return r < 0x20 || r > 0x7e }
	if strings.IndexFunc(comm, bad) < 0 {
		return comm
	}
	return strings.Map(func(r rune) rune {
		if bad(r) {
			return '?'
		}
		return r
	}, comm)
}

// left appends a text, and blanks up to a width.
func left(b []byte, s string, width int) []byte {
	b = append(b, s...)
	for n := len(s); n < width; n++ {
		b = append(b, ' ')
	}
	return b
}

// right appends n, in units of unit, rounded, with so many decimals, behind blanks up to
// a width: of 12345, 100 and 1 it is 12.3.
func right(b []byte, n, unit int64, decimals, width int) []byte {
	if n < 0 {
		n = 0 // an event from before the start
	}
	n = (n + unit/2) / unit
	var digits [24]byte
	at := len(digits)
	for i := 0; i <= decimals || n > 0; i++ {
		if i == decimals && decimals > 0 {
			at--
			digits[at] = '.'
		}
		at--
		digits[at] = byte('0' + n%10)
		n /= 10
	}
	for n := len(digits) - at; n < width; n++ {
		b = append(b, ' ')
	}
	return append(b, digits[at:]...)
}
