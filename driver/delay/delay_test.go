package delay_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/driver"
	"blksim/driver/delay"
	"blksim/driver/null"
	"blksim/sim"
)

// owner notes when requests come back, and how.
type owner struct {
	world *sim.World
	at    []time.Duration
	tags  []int
	ends  []aio.Status
}

func (o *owner) CompleteRequest(r *driver.Request, st aio.Status, _ int64) {
	o.at, o.tags, o.ends = append(o.at, o.world.Now().Sub(0)), append(o.tags, r.Tag), append(o.ends, st)
}

// busy is a null device that says Busy to some requests first.
type busy struct {
	driver.Driver
	first int
	queue driver.Queue
	seen  []int // tags
}

func (b *busy) OpenQueue(l lane.Lane, qid, depth int) (driver.Queue, error) {
	var err error
	b.queue, err = b.Driver.OpenQueue(l, qid, depth)
	return b, err
}

func (b *busy) Submit(r *driver.Request) aio.Status {
	if b.first > 0 {
		b.first--
		return aio.Busy
	}
	b.seen = append(b.seen, r.Tag)
	return b.queue.Submit(r)
}

type rig struct {
	t     *testing.T
	world *sim.World
	below *busy
	queue driver.Queue
	owner owner
}

func newRig(t *testing.T, busyFirst int, o delay.Options) *rig {
	d, err := null.New(null.Options{Capacity: 1 << 20})
	require.NoError(t, err)
	r := &rig{t: t, world: sim.NewWorld(1, 1), below: &busy{Driver: d, first: busyFirst}}
	r.owner.world = r.world
	w, err := delay.Wrap(r.below, o)
	require.NoError(t, err)
	r.queue, err = w.OpenQueue(r.world.Lane(0), 0, 8)
	require.NoError(t, err)
	return r
}

// on runs f on the queue's lane.
func (r *rig) on(f func()) {
	require.NoError(r.t, r.world.Do(0, func(done func()) { f(); done() }))
}

func (r *rig) submit(tags ...int) (reqs []*driver.Request) {
	r.on(func() {
		for _, tag := range tags {
			q := driver.NewRequest(&r.owner, tag)
			q.Op, q.Len, q.Bufs = aio.OpRead, 512, [][]byte{make([]byte, 512)}
			require.Equal(r.t, aio.OK, r.queue.Submit(q))
			reqs = append(reqs, q)
		}
	})
	return reqs
}

func TestARequestIsHeldForItsDelay(t *testing.T) {
	r := newRig(t, 0, delay.Options{Delay: delay.Fixed(time.Millisecond)})
	r.submit(0, 1)
	require.Empty(t, r.below.seen)
	require.NoError(t, r.world.Run())
	require.Equal(t, []time.Duration{time.Millisecond, time.Millisecond}, r.owner.at)
	require.Equal(t, []aio.Status{aio.OK, aio.OK}, r.owner.ends)
}

func TestWhatIsCancelledWhileItIsHeldNeverGoesOn(t *testing.T) {
	r := newRig(t, 0, delay.Options{Delay: delay.Fixed(time.Millisecond)})
	reqs := r.submit(0, 1)
	r.on(func() { r.queue.(driver.Canceler).Cancel(reqs[0]) })
	require.Equal(t, []aio.Status{aio.Cancelled}, r.owner.ends)
	require.NoError(t, r.world.Run())
	require.Equal(t, []int{1}, r.below.seen)
	require.Equal(t, []int{0, 1}, r.owner.tags)
}

func TestBusyBelowIsTriedAgainInOrderAndCanBeCancelled(t *testing.T) {
	r := newRig(t, 2, delay.Options{Delay: delay.Fixed(time.Millisecond)})
	reqs := r.submit(3, 1, 2)
	require.NoError(t, r.world.RunUntil(lane.Time(time.Millisecond)))
	require.Empty(t, r.below.seen)
	r.on(func() { r.queue.(driver.Canceler).Cancel(reqs[1]) })
	require.NoError(t, r.world.Run())
	require.Equal(t, []int{3, 2}, r.below.seen)
	require.Equal(t, []aio.Status{aio.Cancelled, aio.OK, aio.OK}, r.owner.ends)
}

func TestWithoutADelayTheAnswerIsThatOfTheDriverBelow(t *testing.T) {
	r := newRig(t, 1, delay.Options{Delay: delay.Fixed(0)})
	r.on(func() {
		q := driver.NewRequest(&r.owner, 0)
		q.Op, q.Len = aio.OpFlush, 0
		require.Equal(t, aio.Busy, r.queue.Submit(q))
		require.Equal(t, aio.OK, r.queue.Submit(q))
		q.Off = 1 << 20
		q.Len = 512
		require.Equal(t, aio.OutOfRange, r.queue.Submit(q))
	})
}

func TestNoCancelLeavesTheCallbackOut(t *testing.T) {
	r := newRig(t, 0, delay.Options{Delay: delay.Fixed(1), NoCancel: true})
	require.Nil(t, driver.OptionalOf(r.queue).Canceler)
	_, err := delay.Wrap(r.below, delay.Options{})
	require.ErrorContains(t, err, "no distribution")
}
