package nvme_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	device "blksim/device/nvme"
	"blksim/driver/nvme"
	"blksim/sim"
)

// pairs observes both ends of the completion queues, by id, without memory of its
// own.
type pairs struct {
	posted, consumed, most [8]int
	least                  int
	last                   lane.Time
	back                   bool // time went back
}

func (o *pairs) SubmissionQueue(lane.Time, uint16, int, int) {}

func (o *pairs) Posted(at lane.Time, qid uint16, _ int) {
	o.posted[qid]++
	o.tell(at, qid)
}

func (o *pairs) Consumed(at lane.Time, qid uint16) {
	o.consumed[qid]++
	o.tell(at, qid)
}

func (o *pairs) tell(at lane.Time, qid uint16) {
	o.back = o.back || at < o.last
	o.last = at
	left := o.posted[qid] - o.consumed[qid]
	o.least, o.most[qid] = min(o.least, left), max(o.most[qid], left)
}

// TestOccupancyOfACompletionQueueIsWhatIsNotConsumed: a batch of 32 that takes no
// time is there as a whole, and none of it afterwards, although the head doorbell
// waits for the next submit; so it is with the admin queue, with Aborts, and over a
// reset. Telling allocates nothing.
func TestOccupancyOfACompletionQueueIsWhatIsNotConsumed(t *testing.T) {
	o := &pairs{}
	w := sim.NewWorld(1, firstQueueLane+2)
	r := newRig(t, rigOptions{group: w, medium: device.NewNull(),
		device: device.Config{Capacity: 16 << 20, Data: device.Discard, Observer: o}, driver: nvme.Options{Callback: true, Observer: o}})
	p := r.openPort(0, 32)
	require.Positive(t, o.consumed[0], "admin commands of the set-up")
	buf := [][]byte{make([]byte, 4096)}
	step := func() {
		for range 32 {
			q := p.get(aio.OpRead, 0, 4096)
			q.Bufs = buf
			p.submit(q)
		}
		p.commit()
	}
	batch := func() {
		p.lane.Post(step)
		_ = w.Run()
	}
	check := func(batches int) {
		t.Helper()
		require.Equal(t, o.posted, o.consumed)
		require.Equal(t, 32*batches, o.consumed[1])
		require.Equal(t, 32, o.most[1])
		require.Zero(t, o.least)
		require.False(t, o.back)
	}
	batch()
	check(1)
	for range 50 {
		batch()
	}
	require.Zero(t, testing.AllocsPerRun(48, batch))
	check(100)
	reset := false
	r.driver.Reset(func(err error) {
		require.NoError(t, err)
		reset = true
	})
	r.run()
	require.True(t, reset)
	batch()
	check(101)
	require.Zero(t, o.posted[2], "no such queue")
	r.close()
}

// TestOccupancyWithCancelsComesToNothing: what is cancelled is posted and consumed
// like all else, and its Abort is in the admin queue.
func TestOccupancyWithCancelsComesToNothing(t *testing.T) {
	o := &pairs{}
	w := sim.NewWorld(1, firstQueueLane+2)
	r := newRig(t, rigOptions{group: w, medium: newSlow(w.Lane(deviceLane), 1, time.Millisecond),
		device: device.Config{Capacity: 16 << 20, Observer: o}, driver: nvme.Options{Callback: true, Observer: o}})
	p := r.openPort(1, 16)
	admin := o.posted[0]
	p.lane.Post(func() {
		for range 16 {
			p.submit(p.get(aio.OpWriteZeroes, 0, 4096))
		}
		p.commit()
		for _, q := range p.reqs[:4] {
			p.cancel(q)
		}
	})
	r.run()
	require.Equal(t, 16, o.posted[2])
	require.Equal(t, 4, o.posted[0]-admin, "Aborts")
	require.Equal(t, o.posted, o.consumed)
	require.Zero(t, o.least)
	r.close()
}
