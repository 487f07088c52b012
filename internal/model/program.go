package model

// op is what a line of a program calls.
type op uint8

const (
	opSubmit   op = iota // one I/O: waits for room, and may fail
	opHanded             // waits until the target has the I/O; ends the program if it never will
	opRegister           // SetCancelFunc
	opCancel             // Cancel, with the ID of an I/O that is published
	opCancelID           // Cancel, with an ID that may never have been given out
	opStart              // TryStart
	opUndo               // Requeue, if TryStart let it through
	opComplete           // Complete: OK if the device has the I/O, else Cancelled
	opLook               // Cancelled, twice
	opAsked              // waits until Cancelled says so
	opCalled             // waits until the callback was called
	opClose              // the first half of Shutdown
	opVisit              // one slot of the second, a Cancel of whatever I/O is there
	opDrained            // Close: waits until nothing is in flight
	opReap               // takes so many events, or until there will be no more
	opLock               // takes the target's lock
	opUnlock
)

// What a callback does.
const (
	doesNothing uint8 = iota
	completes         // completes its I/O as Cancelled
	locks             // takes the target's lock
)

// instr is one line of a program.
type instr struct {
	op    op
	io    uint8 // for opVisit the slot, for opReap how many; 0: all
	does  uint8 // for opRegister
	id    handle
	maybe bool // the actor may leave it out
}

func submit(n uint8) instr      { return instr{op: opSubmit, io: n} }
func awaitHanded(n uint8) instr { return instr{op: opHanded, io: n} }
func register(n uint8) instr    { return instr{op: opRegister, io: n} }
func cancel(n uint8) instr      { return instr{op: opCancel, io: n} }
func tryStart(n uint8) instr    { return instr{op: opStart, io: n} }
func requeue(n uint8) instr     { return instr{op: opUndo, io: n} }
func complete(n uint8) instr    { return instr{op: opComplete, io: n} }
func look(n uint8) instr        { return instr{op: opLook, io: n} }
func awaitAsked(n uint8) instr  { return instr{op: opAsked, io: n} }
func awaitCalled(n uint8) instr { return instr{op: opCalled, io: n} }
func awaitDrained() instr       { return instr{op: opDrained} }
func reap() instr               { return instr{op: opReap} }
func reapOne() instr            { return instr{op: opReap, io: 1} }
func lock() instr               { return instr{op: opLock} }
func unlock() instr             { return instr{op: opUnlock} }
func cancelID(slot int, gen uint8) instr {
	return instr{op: opCancelID, id: handleOf(slot, gen)}
}

// shutdown is Shutdown of a context with so many slots, and Close's wait.
func shutdown(slots int) []instr {
	lines := []instr{{op: opClose}}
	for i := range slots {
		lines = append(lines, instr{op: opVisit, io: uint8(i)})
	}
	return append(lines, awaitDrained())
}

// maybe is an instr that the actor takes or leaves.
func maybe(in instr) instr { in.maybe = true; return in }

// with is a registration of a callback that does something.
func (in instr) with(does uint8) instr { in.does = does; return in }

// player is an actor of a configuration.
type player struct {
	name    string
	program []instr
}

func plays(name string, program ...instr) player { return player{name, program} }

// Protocol is a configuration of the protocol: a Model.
type Protocol struct {
	Name    string
	slots   int
	ios     int  // how many I/Os are submitted, or are there from the start
	begun   int  // the first so many of them are with their target already
	quick   bool // it is small: part of the short setting
	noPages bool // the memory for a slot may be missing
	players []player
	rules   rules
}

var _ Model[world] = (*Protocol)(nil)

// Start is the state in which nobody has done anything.
func (p *Protocol) Start() world {
	var s world
	s.pool = 1<<p.slots - 1
	for i := range p.slots {
		s.words[i] = wordOf(1, free)
	}
	for n := range p.begun {
		s.words[n] = wordOf(1, live)
		s.ios[n] = io{h: handleOf(n, 1), facts: handed}
		s.datas[n] = uint8(n) + 1
		s.pool &^= 1 << n
		s.reserved++
	}
	return s
}

// places is how many I/Os may be submitted and not yet reaped.
func (p *Protocol) places() int { return p.slots }

// Moves appends what each actor can do.
func (p *Protocol) Moves(s *world, moves []Move[world]) []Move[world] {
	t := turn{p: p, from: s, moves: moves}
	for i := range p.players {
		t.take(i)
	}
	return t.moves
}

// Lacks says what is missing at the end.
func (p *Protocol) Lacks(s *world) string {
	for i := range p.players {
		if a := &s.actors[i]; int(a.line) < len(p.players[i].program) {
			return p.players[i].name + " waits"
		}
	}
	waits, held := uint8(0), uint8(0) // events that nobody took, and their slots
	for n := range s.ios[:p.ios] {
		o := &s.ios[n]
		switch {
		case o.is(taken):
		case o.is(ended):
			waits++
			held |= 1 << o.h.slot()
		case o.h != 0:
			return "L1: no event of " + o.h.String()
		}
		if o.is(running) {
			return "S4: a callback still runs"
		}
	}
	switch {
	case s.pool|held != 1<<p.slots-1 || s.pool&held != 0:
		return "S10: a tag is lost"
	case s.reserved != waits || s.ring != waits:
		return "S13: a place is lost"
	case s.flags&locked != 0:
		return "the lock is taken"
	}
	for i := range p.slots {
		if held>>i&1 == 0 && (s.words[i].state() != free || s.fns[i] != 0) {
			return "S10: a slot is not free"
		}
	}
	return ""
}
