package model

import "hash/maphash"

// graph is what a search has seen: states by number, in the order in which they
// were found, and the steps between them.
//
// The table finds the number of a state: open addressing with linear probing, of
// which each entry is half of the state's hash and its number. The hash only saves
// looks at other states; the answer is by comparison of the states.
type graph[S comparable] struct {
	seed    maphash.Seed
	chunks  [][]S
	count   int
	table   []uint64 // half of the hash << 32 | number + 1; 0: no entry
	parents []uint32 // who found it first

	next  []uint32 // the states one step from state 0, then those from 1, ...
	until []uint32 // where those of each state end in next
	ends  []uint32
}

const (
	chunkBits = 14
	none      = ^uint32(0)
)

func newGraph[S comparable]() *graph[S] {
	return &graph[S]{seed: maphash.MakeSeed(), table: make([]uint64, 1<<12)}
}

func (g *graph[S]) size() int { return g.count }

func (g *graph[S]) at(i int) *S { return &g.chunks[i>>chunkBits][i&(1<<chunkBits-1)] }

// add returns the number of s, which it gets now if it is new; then parent found
// it.
func (g *graph[S]) add(s *S, parent uint32) uint32 {
	hash := maphash.Comparable(g.seed, *s) >> 32
	i := g.place(hash)
	for ; g.table[i] != 0; i = g.after(i) {
		if e := g.table[i]; e>>32 == hash && *g.at(int(uint32(e) - 1)) == *s {
			return uint32(e) - 1
		}
	}
	n := uint32(g.count)
	if g.count&(1<<chunkBits-1) == 0 {
		g.chunks = append(g.chunks, make([]S, 1<<chunkBits))
	}
	*g.at(g.count) = *s
	g.count++
	g.parents = append(g.parents, parent)
	g.table[i] = hash<<32 | uint64(n+1)
	if 2*g.count > len(g.table) {
		g.grow()
	}
	return n
}

// place is where the search for a hash begins, and after where it goes on.
func (g *graph[S]) place(hash uint64) uint64 { return hash & uint64(len(g.table)-1) }
func (g *graph[S]) after(i uint64) uint64    { return (i + 1) & uint64(len(g.table)-1) }

func (g *graph[S]) grow() {
	old := g.table
	g.table = make([]uint64, 2*len(old))
	for _, e := range old {
		if e == 0 {
			continue
		}
		i := g.place(e >> 32)
		for ; g.table[i] != 0; i = g.after(i) {
		}
		g.table[i] = e
	}
}

// link notes a step from the state that is being expanded to the state n.
func (g *graph[S]) link(n uint32) { g.next = append(g.next, n) }

// seal ends the expansion of the next state.
func (g *graph[S]) seal() { g.until = append(g.until, uint32(len(g.next))) }

// cannotEnd returns the first state from which no end can be reached.
//
// A step mostly leads to a state with a higher number, so one pass from the last
// state to the first finds nearly all that can reach an end, and there are few
// passes until nothing changes.
func (g *graph[S]) cannotEnd() (int, bool) {
	can := make([]bool, g.count)
	for _, e := range g.ends {
		can[e] = true
	}
	for changed := true; changed; {
		changed = false
		for i := g.count - 1; i >= 0; i-- {
			if can[i] {
				continue
			}
			first := uint32(0)
			if i > 0 {
				first = g.until[i-1]
			}
			for _, n := range g.next[first:g.until[i]] {
				if can[n] {
					can[i], changed = true, true
					break
				}
			}
		}
	}
	for i, ok := range can {
		if !ok {
			return i, true
		}
	}
	return 0, false
}
