package fault_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/driver"
	"blksim/driver/example"
	"blksim/driver/fault"
	"blksim/sim"
	"blksim/sim/faultplan"
)

const (
	size    = 64 << 10
	service = 100 * time.Microsecond
)

// rig is a wrapped driver with one queue, and what became of its requests.
type rig struct {
	t      *testing.T
	world  *sim.World
	faults *fault.Faults
	dev    driver.Driver
	queue  driver.Queue
	ends   []end
}

type end struct {
	tag int
	st  aio.Status
	n   int64
	at  time.Duration
}

func newRig(t *testing.T, plan string) *rig {
	p, err := faultplan.Parse(plan)
	require.NoError(t, err)
	r := &rig{t: t, world: sim.NewWorld(1, 1)}
	r.faults, err = fault.New(fault.Options{Plan: p, Seed: 1})
	require.NoError(t, err)
	r.dev = r.faults.Wrap(example.New(size, service))
	r.queue, err = r.dev.OpenQueue(r.world.Lane(0), 0, 8)
	require.NoError(t, err)
	return r
}

func (r *rig) CompleteRequest(q *driver.Request, st aio.Status, n int64) {
	r.ends = append(r.ends, end{q.Tag, st, n, r.world.Now().Sub(0)})
}

func (r *rig) on(f func()) {
	require.NoError(r.t, r.world.Do(0, func(done func()) { f(); done() }))
}

// submit submits, and does not wait.
func (r *rig) submit(op aio.Op, tag int, off int64, buf []byte) (q *driver.Request, st aio.Status) {
	r.on(func() {
		q = driver.NewRequest(r, tag)
		q.Op, q.Off, q.Len, q.Bufs = op, off, int64(len(buf)), [][]byte{buf}
		st = r.queue.Submit(q)
	})
	return q, st
}

// do submits and runs the world until nothing is left to do.
func (r *rig) do(op aio.Op, off int64, buf []byte) end {
	r.ends = nil
	_, st := r.submit(op, 0, off, buf)
	require.Equal(r.t, aio.OK, st)
	require.NoError(r.t, r.world.Run())
	require.Len(r.t, r.ends, 1)
	return r.ends[0]
}

// after runs the world for a while.
func (r *rig) after(d time.Duration) {
	require.NoError(r.t, r.world.RunUntil(r.world.Now().Add(d)))
}

func filled(b byte) []byte {
	buf := make([]byte, 1024)
	for i := range buf {
		buf[i] = b
	}
	return buf
}

func TestErrorsEndARequestAndChangeNothing(t *testing.T) {
	r := newRig(t, "read-error lba=2 count=1\nwrite-error op=write lba=4-5\n")
	require.Equal(t, aio.OK, r.do(aio.OpWrite, 0, filled(1)).st)
	require.Equal(t, aio.MediaError, r.do(aio.OpRead, 1024, filled(0)).st)
	require.Equal(t, aio.OK, r.do(aio.OpRead, 1024, filled(0)).st, "once")
	require.Equal(t, aio.IOError, r.do(aio.OpWrite, 2048, filled(1)).st)
	got := filled(9)
	require.Equal(t, aio.OK, r.do(aio.OpRead, 2048, got).st)
	require.Equal(t, filled(0), got)
	require.EqualValues(t, 1, r.faults.Hits(0))
}

func TestSilentFaultsSayOK(t *testing.T) {
	half := append(filled(1)[:512:512], filled(0)[:512]...)
	flipped := filled(1)
	flipped[512] ^= 0x10
	for plan, want := range map[string][2][]byte{ // what is read at 0 and at 1024
		"corrupt count=1":           {flipped, filled(0)},
		"torn-write count=1":        {half, filled(0)},
		"misdirected-write count=1": {filled(0), filled(1)},
		"lost-write count=1":        {filled(0), filled(0)},
	} {
		r := newRig(t, plan+"\n")
		require.Equal(t, end{0, aio.OK, 1024, r.do(aio.OpWrite, 0, filled(1)).at}, r.ends[0], plan)
		for i, w := range want {
			got := filled(9)
			require.Equal(t, aio.OK, r.do(aio.OpRead, int64(i)*1024, got).st)
			require.Equal(t, w, got, plan)
		}
	}
}

func TestSpikesAndStallsTakeTheirTimeAndCanBeCancelled(t *testing.T) {
	r := newRig(t, "spike op=read count=2 for=3ms\nstall op=write count=1 for=5ms\n")
	require.Equal(t, 3*time.Millisecond+service, r.do(aio.OpRead, 0, filled(0)).at)
	began := r.world.Now().Sub(0)
	r.ends = nil
	q, _ := r.submit(aio.OpRead, 0, 0, filled(0))
	r.on(func() { r.queue.(driver.Canceler).Cancel(q) })
	require.Equal(t, []end{{0, aio.Cancelled, 0, began}}, r.ends)
	r.ends = nil
	r.submit(aio.OpWrite, 0, 0, filled(1))
	r.after(time.Millisecond)
	r.submit(aio.OpRead, 1, 0, filled(1)) // waits for the end of the stall as well
	require.NoError(t, r.world.Run())
	require.Len(t, r.ends, 2)
	require.Equal(t, began+5*time.Millisecond+service, r.ends[1].at)
}

func TestAHangEndsByHealOrReset(t *testing.T) {
	for _, reset := range []bool{false, true} {
		r := newRig(t, "hang count=1\n")
		q, _ := r.submit(aio.OpWrite, 0, 0, filled(1))
		r.on(func() { r.queue.(driver.Canceler).Cancel(q) })
		r.after(time.Second)
		require.Empty(t, r.ends)
		if !reset {
			r.faults.Heal()
			require.NoError(t, r.world.Run())
			require.Equal(t, aio.OK, r.ends[0].st)
			continue
		}
		r.submit(aio.OpRead, 1, 0, filled(0)) // with the device: that ends it itself
		done := 0
		r.on(func() {
			r.dev.(driver.Resetter).Reset(func(err error) {
				require.NoError(t, err)
				require.Len(t, r.ends, 2)
				done++
			})
		})
		_, st := r.submit(aio.OpRead, 2, 0, filled(0))
		require.Equal(t, aio.Busy, st, "a reset is under way")
		require.NoError(t, r.world.Run())
		require.Equal(t, 1, done)
		require.Equal(t, []aio.Status{aio.TimedOut, aio.OK}, []aio.Status{r.ends[0].st, r.ends[1].st})
		require.Equal(t, aio.OK, r.do(aio.OpRead, 0, filled(0)).st)
	}
}

func TestAPollFindsWhatAnInterruptDidNotTell(t *testing.T) {
	r := newRig(t, "lost-interrupt count=1\n")
	r.submit(aio.OpWrite, 0, 0, filled(1))
	r.after(time.Second)
	require.Empty(t, r.ends)
	r.on(func() {
		require.Equal(t, 1, r.queue.(driver.Poller).Poll(8))
		require.Equal(t, 0, r.queue.(driver.Poller).Poll(8))
	})
	require.Equal(t, aio.OK, r.ends[0].st)
}

func TestADuplicateCompletesTwice(t *testing.T) {
	r := newRig(t, "duplicate count=1\n")
	r.submit(aio.OpWrite, 0, 0, filled(1))
	require.NoError(t, r.world.Run())
	require.Len(t, r.ends, 2)
}

func TestFatalAndRemoveHappenAtTheirTime(t *testing.T) {
	r := newRig(t, "fatal after=1ms\nremove after=5ms\n")
	r.submit(aio.OpWrite, 0, 0, filled(1))
	r.after(2 * time.Millisecond)
	require.Equal(t, aio.OK, r.ends[0].st)
	r.submit(aio.OpWrite, 1, 0, filled(1))
	r.after(time.Millisecond)
	require.Len(t, r.ends, 1, "it hangs")
	r.after(3 * time.Millisecond)
	require.Equal(t, end{1, aio.Gone, 0, 5 * time.Millisecond}, r.ends[1])
	_, st := r.submit(aio.OpRead, 2, 0, filled(0))
	require.Equal(t, aio.Gone, st)
}

func TestAPlanThatADriverCannotMakeIsRefused(t *testing.T) {
	for _, plan := range []string{"power-cut after=1ms\n", "late count=1\n"} {
		p, err := faultplan.Parse(plan)
		require.NoError(t, err)
		_, err = fault.New(fault.Options{Plan: p})
		require.ErrorContains(t, err, "driver/fault cannot make "+plan[:4])
	}
}

func TestWithoutAPlanNothingIsChangedAndNothingAllocated(t *testing.T) {
	r := newRig(t, "")
	require.Nil(t, driver.OptionalOf(r.queue).Poller)
	q := driver.NewRequest(r, 0)
	q.Op, q.Len, q.Bufs = aio.OpRead, 1024, [][]byte{filled(0)}
	r.ends = make([]end, 0, 1000)
	f := func() { r.queue.Submit(q) }
	run := func() {
		r.world.Lane(0).Post(f)
		_ = r.world.Run()
	}
	run()
	require.Zero(t, testing.AllocsPerRun(100, run))
	require.Equal(t, lane.Time(len(r.ends))*lane.Time(service), r.world.Now())
}
