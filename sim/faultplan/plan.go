package faultplan

import (
	"math"
	"strings"
	"time"
)

// What goes wrong.
type What uint8

// The faults. Each says what a layer that has it makes of an operation that is
// hit; a layer that cannot make a fault refuses a plan that has it ([Plan.Check]).
const (
	ReadError     What = iota // a read ends with an unrecovered read error
	WriteError                // a write, trim or flush ends with a write fault
	Corrupt                   // a read gives wrong data, and says that all is well
	Torn                      // a write stores only a part of its blocks, and says that all is well
	Misdirected               // a write stores its blocks elsewhere
	LostWrite                 // a write stores nothing
	Spike                     // an operation takes so much longer
	Stall                     // all operations wait so long
	Hang                      // an operation never ends, whatever is done, until the plan is healed or the device reset
	LostInterrupt             // an interrupt does not arrive
	Duplicate                 // an operation completes twice
	Late                      // an operation that was aborted completes once more, later
	Fatal                     // the controller fails and must be reset
	PowerCut                  // power goes, with what the write cache held
	Remove                    // the device is gone
	numWhats
)

// An Op is a kind of operation.
type Op uint8

// The operations.
const (
	Read Op = iota
	Write
	Flush
	Trim
	numOps
)

// Ops is a set of operations, a bit each; 0 is all that a fault can meet.
type Ops uint8

// Has says whether op is in the set.
func (s Ops) Has(op Op) bool { return s>>op&1 != 0 }

const allOps = Ops(1<<numOps - 1)

// whats is what there is to know of each fault. Events are not of an operation:
// they happen once, at their time.
var whats = [numWhats]struct {
	name     string
	ops      Ops // that it can meet; 0: none, it is not about operations
	duration bool
	event    bool
}{
	ReadError:     {name: "read-error", ops: 1 << Read},
	WriteError:    {name: "write-error", ops: 1<<Write | 1<<Flush | 1<<Trim},
	Corrupt:       {name: "corrupt", ops: 1 << Read},
	Torn:          {name: "torn-write", ops: 1 << Write},
	Misdirected:   {name: "misdirected-write", ops: 1 << Write},
	LostWrite:     {name: "lost-write", ops: 1 << Write},
	Spike:         {name: "spike", ops: allOps, duration: true},
	Stall:         {name: "stall", ops: allOps, duration: true},
	Hang:          {name: "hang", ops: allOps},
	LostInterrupt: {name: "lost-interrupt"},
	Duplicate:     {name: "duplicate", ops: allOps},
	Late:          {name: "late", ops: allOps},
	Fatal:         {name: "fatal", event: true},
	PowerCut:      {name: "power-cut", event: true},
	Remove:        {name: "remove", event: true},
}

var opNames = [numOps]string{Read: "read", Write: "write", Flush: "flush", Trim: "trim"}

// String is the fault's word.
func (w What) String() string { return whats[w].name }

// String is the operation's word.
func (o Op) String() string { return opNames[o] }

// Event says that the fault is not about an operation, but happens at a time.
func (w What) Event() bool { return whats[w].event }

// Meets says whether the fault can be about op.
func (w What) Meets(op Op) bool { return whats[w].ops.Has(op) }

// Forever is Rule.Until where a rule has no end, and Any is Rule.Count where it
// hits any number.
const (
	Forever = time.Duration(math.MaxInt64)
	Any     = 0
)

// Rule is one rule.
type Rule struct {
	What        What
	Ops         Ops    // 0: all that What can meet
	Ranged      bool   // First and Last count
	First, Last uint64 // logical blocks
	Chance      float64
	Count       uint64        // Any: no limit
	After       time.Duration // since the start
	Until       time.Duration // not included; Forever: no end
	For         time.Duration // of Spike and Stall
}

// line is a line of a plan: a rule, or a comment or nothing.
type line struct {
	text string // if rule is -1
	rule int
}

// Plan is a plan: its rules, in order. The zero Plan has no faults.
type Plan struct {
	Rules []Rule
	lines []line // as they were read; nil: the rules, one a line
}

// New makes a plan of rules.
func New(rules ...Rule) Plan { return Plan{Rules: rules} }

// String is the text of the plan.
func (p Plan) String() string {
	var b strings.Builder
	if p.lines == nil {
		for i := range p.Rules {
			b.WriteString(p.Rules[i].String() + "\n")
		}
		return b.String()
	}
	for _, l := range p.lines {
		if l.rule >= 0 {
			b.WriteString(p.Rules[l.rule].String())
		} else {
			b.WriteString(l.text)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
