package model

import "fmt"

const (
	maxSlots  = 2
	maxIOs    = 3
	maxActors = 7
)

// world is a state of a Protocol: what is shared, what each actor has in hand,
// and for each I/O what an observer who sees everything knows of it.
type world struct {
	words   [maxSlots]word
	actors  [maxActors]actor
	ios     [maxIOs]io
	fns     [maxSlots]callback // the cell beside the word
	datas   [maxSlots]uint8    // 1 + the I/O whose extent and buffer are in the body
	results [maxSlots]result   // what a completer wrote there last

	pool     uint8 // free tags, a bit a slot
	reserved uint8 // places taken in the completion rings
	ring     uint8 // of these, with the I/O over
	flags    uint8
}

// The flags of a world.
const (
	closed  uint8 = 1 << iota // teardown has begun
	drained                   // and has found that nothing is in flight
	locked                    // the target's lock is taken
)

// actor is what one actor has in hand.
type actor struct {
	w    word   // loaded, or in a delivery the final word
	line uint8  // of its program
	pc   uint8  // the step within that line; pcEnter: none taken
	h    handle // the kiocb that it is at
	x    uint8  // the callback that it calls, and within
}

// inside says, in actor.x, that the actor runs a callback which completes.
const inside = 0x80

// handle is what an ID is: generation and slot.
type handle uint8

func handleOf(slot int, gen uint8) handle { return handle(gen<<1) | handle(slot) }
func (h handle) slot() int                { return int(h & 1) }
func (h handle) gen() uint8               { return uint8(h >> 1) }
func (h handle) String() string           { return fmt.Sprintf("%d#%d", h.slot(), h.gen()) }

// callback is a callback that was registered: for which I/O and by which actor.
// 0 is none.
type callback uint8

func callbackOf(io uint8, actor int) callback { return callback(io<<4) | callback(actor+1) }
func (f callback) io() uint8                  { return uint8(f >> 4) }
func (f callback) actor() int                 { return int(f&15) - 1 }

// result is the result of an I/O: who completed it, and as what. 0 is none.
type result uint8

func resultOf(actor int, seen bool) result {
	r := result(actor+1) << 1
	if seen {
		r |= 1
	}
	return r
}

// io is what is true of an I/O.
type io struct {
	h      handle // 0: not published
	result result // of the completion that was taken
	by     uint8  // 1 + the actor whose registration was taken
	facts  facts
}

type facts uint16

const (
	handed   facts = 1 << iota // its target has it
	refused                    // its submit failed
	accepted                   // a cancel
	called                     // its callback was
	running                    // its callback is
	atDevice                   // the device has it
	freed                      // its slot is another's
	ended                      // it is in the ring
	taken                      // the reaper has it
)

func (o *io) is(f facts) bool { return o.facts&f != 0 }

// published returns the I/O of a handle, nil if it was never published.
func (s *world) published(h handle) (*io, uint8) {
	for n := range s.ios {
		if s.ios[n].h == h && h != 0 {
			return &s.ios[n], uint8(n)
		}
	}
	return nil, 0
}
