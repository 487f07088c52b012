package traces

import (
	"fmt"
	"strings"
	"time"
)

// Policy says what a bad record does to the stream.
type Policy uint8

const (
	Stop Policy = iota // the stream ends with the record's error
	Skip               // the record is counted as rejected, and the stream goes on
)

// OrderPolicy says what a record that is older than one before it does.
type OrderPolicy uint8

const (
	Sort   OrderPolicy = iota // sorted within the window; older than that is a bad record
	AsIs                      // delivered in the order of the file
	Reject                    // a bad record
)

// Limits and defaults of Options.
const (
	DefaultWindow        = time.Second
	DefaultWindowRecords = 64 << 10
	maxWindowRecords     = 1 << 20 // 80 MiB of records
	maxBlockSize         = 1 << 20
)

// Options says how to read a trace. The zero value detects the format, stops at
// the first bad record and sorts within a second.
type Options struct {
	// Format is one of Formats; "" finds it by content.
	Format string
	// OnError is what a bad record does.
	OnError Policy
	// MaxErrors ends a stream under Skip with the error of the bad record that
	// passes it; 0 is no limit.
	MaxErrors int64
	// Order is what time going backwards does.
	Order OrderPolicy
	// Window is how far Sort looks ahead, in trace time; 0 is DefaultWindow.
	Window time.Duration
	// WindowRecords is how far Sort looks ahead, in records; 0 is
	// DefaultWindowRecords.
	WindowRecords int
	// Action is the one blkparse action that becomes records: 0 is 'Q', or 'D',
	// or 'C', the first of them that the beginning of the file has.
	Action byte
	// Volume keeps the records of the volume of this name; "" keeps all.
	Volume string
	// BlockSize is the sector of formats that count in sectors; 0 is 512.
	BlockSize int64
	// TimeUnit is the unit of a time column of whole numbers; 0 is the format's
	// own. Formats with decimal times refuse it.
	TimeUnit time.Duration
	// OpMap is the meaning of the op column of mqsim and tencent and of bit 0 of
	// disksim's flags, as in "0=write,1=read", which is the default of mqsim and
	// disksim; and of csv's op column, where "=read" is one op for all records.
	OpMap string
	// DedupStacked drops the I/Os that stacked devices logged twice: all but the first
	// of each, once the beginning of the trace has shown that there are such.
	DedupStacked bool
	// SpreadSeconds spreads records that share a whole second evenly over it, in a
	// trace whose times are whole seconds.
	SpreadSeconds bool
	// Columns says what the columns of a table of any kind are, and that the trace
	// is one: FIELD=COLUMN[:UNIT],... with the fields time, offset, size, op, volume,
	// latency, process and pid, as in "time=ts:us,offset=lba:512,size=3,op=type".
	// COLUMN is a name of the header or a number from 1.
	Columns string
}

// Validate says what is wrong with o, if anything.
func (o Options) Validate() error {
	switch {
	case o.Format != "" && formatNamed(o.Format) == nil:
		return fmt.Errorf("traces: format %q: want one of %s", o.Format, strings.Join(formatNames(), ", "))
	case o.OnError > Skip:
		return fmt.Errorf("traces: error policy %d: want Stop or Skip", o.OnError)
	case o.Order > Reject:
		return fmt.Errorf("traces: order policy %d: want Sort, AsIs or Reject", o.Order)
	case o.MaxErrors < 0:
		return fmt.Errorf("traces: max errors %d: want 0 (no limit) or more", o.MaxErrors)
	case o.Window < 0:
		return fmt.Errorf("traces: window %v: want a positive duration", o.Window)
	case o.WindowRecords < 0 || o.WindowRecords > maxWindowRecords:
		return fmt.Errorf("traces: window of %d records: want at most %d", o.WindowRecords, maxWindowRecords)
	case o.Action != 0 && !isBlkparseAction(o.Action):
		return fmt.Errorf("traces: blkparse action %q: want one of %s", o.Action, blkparseActions)
	case o.BlockSize < 0 || o.BlockSize > maxBlockSize:
		return fmt.Errorf("traces: block size %d: want 1 to %d bytes", o.BlockSize, maxBlockSize)
	case o.TimeUnit < 0:
		return fmt.Errorf("traces: time unit %v: want a positive duration", o.TimeUnit)
	}
	if o.Columns != "" || o.Format == "csv" {
		if o.Format != "" && o.Format != "csv" {
			return fmt.Errorf("traces: columns %q: the format %s has its own", o.Columns, o.Format)
		}
		cols, err := parseColumns(o.Columns)
		if err != nil {
			return err
		}
		if one := strings.HasPrefix(o.OpMap, "="); !cols[csvOp].used && !one {
			return fmt.Errorf("traces: columns %q: want a column for op, or an op map of one op for all: =read", o.Columns)
		}
	}
	_, err := parseOpMap(o.OpMap)
	return err
}

// resolved is o with its defaults filled in.
func (o Options) resolved() Options {
	if o.Window == 0 {
		o.Window = DefaultWindow
	}
	if o.WindowRecords == 0 {
		o.WindowRecords = DefaultWindowRecords
	}
	if o.BlockSize == 0 {
		o.BlockSize = 512
	}
	if o.Columns != "" {
		o.Format = "csv"
	}
	return o
}

// opMap is an Options.OpMap: the values of an op column and their meaning.
type opMap []opEntry

type opEntry struct {
	value string
	op    Op
}

func parseOpMap(s string) (opMap, error) {
	if s == "" {
		return opMap{{"0", Write}, {"1", Read}}, nil
	}
	var m opMap
	for _, part := range strings.Split(s, ",") {
		value, name, _ := strings.Cut(part, "=")
		op, ok := ParseOp(strings.TrimSpace(name))
		if value = strings.TrimSpace(value); !ok || value == "" && part != s {
			return nil, fmt.Errorf("traces: op map %q: want VALUE=OP[,...] with the ops %s, as in 0=write,1=read",
				s, strings.Join(opNames[:], ", "))
		}
		m = append(m, opEntry{value, op})
	}
	return m, nil
}

func (m opMap) find(b []byte) (Op, bool) {
	for i := range m {
		if string(b) == m[i].value {
			return m[i].op, true
		}
	}
	return 0, false
}

func (m opMap) String() string {
	parts := make([]string, len(m))
	for i, e := range m {
		parts[i] = e.value + "=" + e.op.String()
	}
	return strings.Join(parts, ",")
}
