package traces

import "fmt"

// Op is what a record asks of the device.
type Op uint8

const (
	Read Op = iota
	Write
	Flush
	Discard
	WriteZeroes
)

var opNames = [...]string{"read", "write", "flush", "discard", "write-zeroes"}

// opLetters are the ops as blksim's text format and Options.OpMap write them.
const opLetters = "RWFDZ"

func (o Op) String() string {
	if int(o) < len(opNames) {
		return opNames[o]
	}
	return fmt.Sprintf("op(%d)", uint8(o))
}

// parseOp reads an op by its name or by its letter.
func parseOp(s string) (Op, bool) {
	for i, name := range opNames {
		if s == name || s == opLetters[i:i+1] {
			return Op(i), true
		}
	}
	return 0, false
}

// Record is one I/O of a trace.
type Record struct {
	Time        int64  // ns from the trace's first record
	Offset      int64  // bytes; never negative
	Length      int64  // bytes; 0 only for Flush; Offset+Length fits in an int64
	CancelAfter int64  // ns after Time at which this I/O is to be cancelled; -1: never
	Line        int64  // line (text, from 1) or byte offset (binary) in the decompressed input
	Volume      uint32 // index into Reader.Volumes
	Op          Op
}
