package wheel

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

type event struct {
	node Node[event]
	id   int
}

func newEvents(n int) []*event {
	es := make([]*event, n)
	for i := range es {
		es[i] = &event{id: i}
		es[i].node.Owner = es[i]
	}
	return es
}

// model is the queue as its contract puts it: a list, sorted.
type model []modelEntry

type modelEntry struct {
	at  int64
	seq int
	id  int
}

func (m *model) add(at int64, seq, id int) {
	m.remove(id)
	e := modelEntry{at, seq, id}
	i, _ := slices.BinarySearchFunc(*m, e, func(a, b modelEntry) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.seq, b.seq))
	})
	*m = slices.Insert(*m, i, e)
}

func (m *model) remove(id int) bool {
	i := slices.IndexFunc(*m, func(e modelEntry) bool { return e.id == id })
	if i >= 0 {
		*m = slices.Delete(*m, i, i+1)
	}
	return i >= 0
}

// distances are from the clock to a new time: ties, neighbours, the edges of
// each ring, far beyond them, and the past.
var distances = []int64{
	0, 0, 0, 1, 2, 63, 64, 65, slots - 1, slots, slots + 1, 10_000, 100_000, 1_000_000,
	1<<24 - 1, 1 << 24, 1<<24 + 1, 1e9, 30e9, 1<<36 - 1, 1 << 36, 1 << 47, 1 << 48, 1 << 55, -1, -5000, -1e9,
}

// loads are what one run of the property takes its distances from.
var loads = [][]int64{
	distances,
	{100_000, 100_001, 100_002},            // a crowded slot
	{0, 700, 8_000, 80_000, 30e9},          // a device, and its timeouts
	{1 << 48, 1<<48 + 1, 1 << 49, 1 << 60}, // the late heap
	{-1, -1000, -1e6, 10},                  // the early one
}

func TestQueueKeepsOrderOfTimeAndAdd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q Queue[event]
		var m model
		es := newEvents(200)
		var now int64
		pop := func(limit int64) {
			base := q.base
			n := q.PopDue(limit)
			if len(m) == 0 || m[0].at > limit {
				require.Nil(t, n)
				require.LessOrEqual(t, q.base, max(base, limit), "what is added after limit would go to early")
				return
			}
			require.NotNil(t, n)
			require.Equal(t, m[0].id, n.Owner.id)
			require.Equal(t, m[0].at, n.At())
			require.False(t, n.Queued())
			m = m[1:]
			now = max(now, n.At())
		}
		distances := rapid.SampledFrom(loads).Draw(t, "load")
		drawID := rapid.IntRange(0, len(es)-1)
		spread := rapid.Int64Range(0, 1).Draw(t, "spread")
		ops := rapid.SliceOfN(rapid.Uint64(), 100, 600).Draw(t, "ops")
		for seq, op := range ops {
			id := int(op >> 8 % uint64(len(es)))
			switch op % 16 {
			case 0, 1, 2, 3, 4, 5, 6, 7:
				d := distances[op>>16%uint64(len(distances))]
				d += spread * int64(op>>32&3)
				at := now + d
				if d > 0 && at < now {
					at = math.MaxInt64
				}
				q.Add(&es[id].node, at)
				m.add(at, seq, id)
			case 8:
				at := rapid.Int64().Draw(t, "anywhere")
				q.Add(&es[id].node, at)
				m.add(at, seq, id)
			case 9, 10:
				id = drawID.Draw(t, "victim")
				require.Equal(t, m.remove(id), q.Remove(&es[id].node))
			case 11:
				limit := now + distances[op>>16%uint64(len(distances))]
				pop(max(limit, now))
				now = max(now, limit)
			default:
				pop(math.MaxInt64)
			}
			require.Equal(t, len(m), q.Len())
			at, ok := q.Peek()
			bound, okBound := q.Bound()
			require.Equal(t, len(m) > 0, ok)
			require.Equal(t, len(m) > 0, okBound)
			if ok {
				require.Equal(t, m[0].at, at)
				require.LessOrEqual(t, bound, at)
				require.Less(t, uint64(at)-uint64(bound), uint64(1<<36))
			}
		}
		for len(m) > 0 {
			pop(math.MaxInt64)
		}
		require.Nil(t, q.Pop())
		require.Empty(t, q.late)
		require.Empty(t, q.early)
	})
}

// One long run, as a device makes it: 100,000 operations with
// clustered times, watched by the model at every pop.
func TestQueueKeepsOrderInALongRun(t *testing.T) {
	var q Queue[event]
	var m model
	es := newEvents(300)
	rnd := newRand(1)
	var now int64
	for seq := range 100_000 {
		e := es[rnd()%300]
		if seq%3 == 0 {
			require.Equal(t, m.remove(e.id), q.Remove(&e.node))
			continue
		}
		if seq%3 == 1 {
			at := now + distances[rnd()%20]*int64(rnd()%3)
			q.Add(&e.node, at)
			m.add(at, seq, e.id)
			continue
		}
		if n := q.Pop(); n != nil {
			if m[0].id != n.Owner.id {
				t.Fatalf("operation %d: popped %d at %d, want %d at %d", seq, n.Owner.id, n.At(), m[0].id, m[0].at)
			}
			m = slices.Delete(m, 0, 1)
			now = n.At() & (1<<50 - 1)
		}
	}
}

// A queue grows beyond what is kept as a short one, with ties and with times that have
// passed among its nodes, empties, and does so again.
func TestQueueKeepsOrderWhenItGrowsLong(t *testing.T) {
	var q Queue[event]
	rnd := newRand(1)
	base := int64(0)
	for n := 1; n <= 3*fewMost; n++ {
		es := newEvents(n)
		for i, e := range es {
			at := base + distances[rnd()%20]
			if i%7 == 6 {
				at = base - int64(rnd()%3)
			}
			q.Add(&e.node, at)
		}
		require.Equal(t, n > fewMost, q.long)
		gone := es[rnd()%uint64(n)]
		require.True(t, q.Remove(&gone.node))
		es = slices.DeleteFunc(es, func(e *event) bool { return e == gone })
		slices.SortStableFunc(es, func(a, b *event) int { return cmp.Compare(a.node.at, b.node.at) })
		for i, e := range es {
			require.Same(t, e, q.Pop().Owner, "of %d, number %d", n, i)
			base = max(base, e.node.at)
		}
		require.Nil(t, q.Pop())
	}
}

// The heap by itself, as large as it never is in the other tests.
func TestHeapKeepsOrderWhenAnythingIsRemoved(t *testing.T) {
	rnd := newRand(1)
	for range 20 {
		var h heap4[event]
		var in []*event
		for i, e := range newEvents(300) {
			e.node.at = int64(rnd() % 500)
			h.push(&e.node, uint64(i))
			in = append(in, e)
		}
		for range 150 {
			i := int(rnd() % uint64(len(in)))
			h.remove(int(in[i].node.index))
			in = slices.Delete(in, i, i+1)
		}
		slices.SortStableFunc(in, func(a, b *event) int { return cmp.Compare(a.node.at, b.node.at) })
		for _, e := range in {
			require.Same(t, e, h[0].node.Owner)
			h.remove(0)
		}
		require.Empty(t, h)
	}
}

// Whole chunks of a slot are removed, at its start, middle and end; the rest
// comes in order, and what is added later comes after it.
func TestSlotSurvivesTheRemovalOfItsChunks(t *testing.T) {
	const at, n = 100_000, 4 * chunkSize
	for from := 0; from < n; from += chunkSize {
		for to := from + chunkSize; to <= n; to += chunkSize {
			var q Queue[event]
			var want, got []int
			es := newEvents(n + 1)
			for _, e := range es[:n] {
				q.Add(&e.node, at)
			}
			for i, e := range es[:n] {
				if from <= i && i < to {
					require.True(t, q.Remove(&e.node))
				} else {
					want = append(want, i)
				}
			}
			q.Add(&es[n].node, at)
			for q.Len() > 0 {
				got = append(got, q.Pop().Owner.id)
			}
			require.Equal(t, append(want, n), got, "without %d to %d", from, to)
		}
	}
}

// A caller that sleeps until Bound and then takes what is due reaches a node's
// exact time in at most four rounds, whatever shares its slots.
func TestBoundIsReachedInFourRounds(t *testing.T) {
	var q Queue[event]
	es := newEvents(3 + fewMost)
	for _, e := range es[3:] { // so that it is no short queue
		q.Add(&e.node, 1<<40)
	}
	for i, at := range []int64{20e9 + 5_000_001, 20e9 + 5_000_002, 20e9 + 5_004_097} {
		q.Add(&es[i].node, at)
	}
	rounds := 0
	for {
		at, ok := q.Bound()
		require.True(t, ok)
		rounds++
		if n := q.PopDue(at); n != nil {
			require.Equal(t, 0, n.Owner.id)
			break
		}
	}
	require.LessOrEqual(t, rounds, 4)
}

func TestQueueDoesNotAllocate(t *testing.T) {
	var q Queue[event]
	es := newEvents(1000)
	rnd := newRand(1)
	var now int64
	work := func() {
		for range 1000 {
			e := es[rnd()%1000]
			q.Add(&e.node, now+distances[rnd()%20])
			q.Remove(&es[rnd()%1000].node)
			if n := q.Pop(); n != nil {
				now = n.At()
			}
		}
	}
	for range 100 { // all rings, and the heaps at their largest
		work()
	}
	for _, e := range es {
		q.Add(&e.node, now+1<<40)
	}
	require.Zero(t, testing.AllocsPerRun(20, work))
}

func newRand(seed uint64) func() uint64 {
	return func() uint64 { // xorshift64*
		seed ^= seed >> 12
		seed ^= seed << 25
		seed ^= seed >> 27
		return seed * 0x2545F4914F6CDD1D >> 1
	}
}
