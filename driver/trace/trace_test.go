package trace_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/driver"
	"blksim/driver/delay"
	"blksim/driver/example"
	"blksim/driver/ram"
	"blksim/driver/trace"
	"blksim/sim"
)

type owner struct{ ends int }

func (o *owner) CompleteRequest(*driver.Request, aio.Status, int64) { o.ends++ }

func TestTheStoryOfOneRequest(t *testing.T) {
	w := sim.NewWorld(1, 1)
	rec, err := trace.New(trace.Options{})
	require.NoError(t, err)
	q, err := rec.Wrap(example.New(1<<20, time.Millisecond)).OpenQueue(w.Lane(0), 0, 4)
	require.NoError(t, err)
	var o owner
	a, b := driver.NewRequest(&o, 0), driver.NewRequest(&o, 1)
	for _, r := range []*driver.Request{a, b} {
		r.Op, r.Off, r.Len, r.Bufs = aio.OpWrite, 512, 512, [][]byte{make([]byte, 512)}
	}
	require.NoError(t, w.Do(0, func(done func()) {
		require.Equal(t, aio.OK, q.Submit(a))
		require.Equal(t, aio.OK, q.Submit(b))
		q.(driver.Canceler).Cancel(b)
		b.Off = 1 << 20
		require.Equal(t, aio.OutOfRange, q.Submit(b))
		done()
	}))
	require.NoError(t, w.Run())
	require.Equal(t, 2, o.ends)
	var text strings.Builder
	require.NoError(t, trace.Write(&text, rec.Events()))
	require.Equal(t, `            0s               q0 tag 0.1 submit write off=512 len=512
            0s               q0 tag 1.1 submit write off=512 len=512
            0s               q0 tag 1.1 cancel
            0s               q0 tag 1.1 complete: cancelled n=0
            0s               q0 tag 1.2 submit write off=1048576 len=512: out-of-range
           1ms         +1ms  q0 tag 0.1 complete: ok n=512
`, text.String())
	require.Len(t, trace.OneIO(rec.Events(), 0, 1, 1), 3)
	require.Len(t, trace.OneIO(rec.Events(), 0, 1, 2), 1)
}

func TestTheQueueCanDoWhatTheWrappedOneCan(t *testing.T) {
	for _, cancel := range []bool{false, true} {
		inner, err := delay.Wrap(example.New(1<<20, 0), delay.Options{Delay: delay.Fixed(0), NoCancel: !cancel})
		require.NoError(t, err)
		rec, err := trace.New(trace.Options{})
		require.NoError(t, err)
		q, err := rec.Wrap(inner).OpenQueue(sim.NewWorld(1, 1).Lane(0), 0, 1)
		require.NoError(t, err)
		can := driver.OptionalOf(q)
		require.Equal(t, cancel, can.Canceler != nil)
		require.Nil(t, can.Committer)
		require.Nil(t, can.Poller)
	}
}

func TestARingKeepsTheLastAndAllocatesNothing(t *testing.T) {
	w := sim.NewWorld(1, 1)
	rec, err := trace.New(trace.Options{Keep: 5})
	require.NoError(t, err)
	q, err := rec.Wrap(ram.New(make([]byte, 4096))).OpenQueue(w.Lane(0), 0, 1)
	require.NoError(t, err)
	var o owner
	r := driver.NewRequest(&o, 0)
	r.Op, r.Len, r.Bufs = aio.OpRead, 512, [][]byte{make([]byte, 512)}
	n := testing.AllocsPerRun(100, func() { q.Submit(r) })
	require.Zero(t, n)
	evs := rec.Events()
	require.Len(t, evs, 5)
	last := evs[4]
	require.Equal(t, trace.Complete, last.Kind)
	require.EqualValues(t, o.ends, last.Use)
	require.Equal(t, trace.Submit, evs[3].Kind)
	_, err = trace.New(trace.Options{Keep: -1})
	require.ErrorContains(t, err, "keep -1 events")
}

// resettable is a device with a reset.
type resettable struct{ driver.Driver }

func (resettable) Reset(done func(error)) { done(nil) }

func TestAResetIsThereOnlyIfItIsBelow(t *testing.T) {
	rec, err := trace.New(trace.Options{})
	require.NoError(t, err)
	_, ok := rec.Wrap(ram.New(nil)).(driver.Resetter)
	require.False(t, ok)
	r, ok := rec.Wrap(resettable{ram.New(nil)}).(driver.Resetter)
	require.True(t, ok)
	called := false
	r.Reset(func(error) { called = true })
	require.True(t, called)
}
