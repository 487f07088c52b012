package stack_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/aio/lane"
	"blksim/sim"
)

// pair is a queue pair by what an observer is told.
type pair struct{ sq, sqMost, cq, cqMost, posted int }

// pairs observes the admin queue and one other, without memory of its own.
type pairs struct {
	all    [2]pair
	beyond int // levels below 0 or above what the queue holds
	size   int // entries of the queues, as last told
}

func (o *pairs) SubmissionQueue(_ lane.Time, qid uint16, pending, entries int) {
	p := &o.all[qid]
	p.sq, p.sqMost = pending, max(p.sqMost, pending)
	o.check(pending, entries)
}

func (o *pairs) Posted(_ lane.Time, qid uint16, entries int) {
	p := &o.all[qid]
	p.posted++
	p.cq++
	p.cqMost = max(p.cqMost, p.cq)
	o.size = entries
	o.check(p.cq, entries)
}

func (o *pairs) Consumed(_ lane.Time, qid uint16) {
	p := &o.all[qid]
	p.cq--
	o.check(p.cq, o.size)
}

func (o *pairs) check(n, entries int) {
	if n < 0 || n >= entries {
		o.beyond++
	}
}

// TestOccupancyThroughTheWholeStack stays within the queues, accounts for every
// command that the device had, comes to nothing, and allocates nothing; with and
// without cancels.
func TestOccupancyThroughTheWholeStack(t *testing.T) {
	for _, device := range []string{"sim:null", "sim", "sim:slow"} {
		for _, cancel := range []int{0, 5} {
			o := &pairs{}
			p := newLoop(t, device, 64, cancel, o)
			p.run(20_000)
			p.run(20_000)
			const n = 2000
			allocs := testing.AllocsPerRun(5, func() { p.run(n) })
			require.Less(t, allocs/n, 0.005, "%s, every %dth cancelled: allocations an I/O", device, cancel)
			require.NoError(t, p.st.Group.(*sim.World).Run())
			require.Zero(t, o.beyond)
			for qid, q := range o.all {
				require.Zero(t, q.sq, "%s, queue %d", device, qid)
				require.Zero(t, q.cq, "%s, queue %d", device, qid)
			}
			io := o.all[1]
			require.EqualValues(t, p.st.Counts().Devices[0].IOCommands(), io.posted)
			require.Positive(t, io.sqMost)
			require.Positive(t, io.cqMost)
		}
	}
}
