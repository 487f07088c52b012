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
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e {
			return '?'
		}
		return r
	}, comm)
}
