package nvme_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/device/nvme/spec"
	"blksim/driver"
	"blksim/driver/nvme"
)

func TestStatusSaysWhatBecameOfTheIO(t *testing.T) {
	r := newFakeRig(t, nvme.Options{}, nil)
	p := r.openPort(0, 4)
	buf := make([]byte, 4096)
	var n int64
	p.onEnd = func(_ *driver.Request, _ aio.Status, moved int64) { n = moved }
	for _, c := range []struct {
		from spec.Status
		to   aio.Status
	}{
		{spec.Success, aio.OK},
		{spec.Success | spec.More, aio.OK},
		{spec.AbortRequested, aio.Cancelled},
		{spec.InvalidOpcode, aio.NotSupported},
		{spec.InvalidField | spec.DoNotRetry, aio.Invalid},
		{spec.PRPOffsetInvalid, aio.Invalid},
		{spec.LBAOutOfRange | spec.DoNotRetry, aio.OutOfRange},
		{spec.WriteFault, aio.MediaError},
		{spec.UnrecoveredRead | spec.More, aio.MediaError},
		{spec.CompareFailure, aio.IOError},
		{spec.DataTransferError, aio.IOError},
		{spec.InternalError, aio.IOError},
		{spec.CapacityExceeded, aio.IOError},
		{spec.AbortedSQDeletion, aio.Gone},
		{spec.InvalidNamespace, aio.Gone},
		{0x3ff, aio.IOError},
		{0x7ff, aio.IOError},
	} {
		before := p.ends[c.to]
		r.at(p, func() { p.submit(p.get(aio.OpRead, 0, 4096, buf)); p.commit() })
		r.onDevice(func() { r.fake.end(0, c.from) })
		require.Equal(t, before+1, p.ends[c.to], "%v", c.from)
		if c.to == aio.OK {
			require.EqualValues(t, 4096, n)
		} else {
			require.Zero(t, n)
		}
	}
	require.Zero(t, r.driver.Stats().Strays)
}

func TestCommandsAreWhatTheSpecificationSays(t *testing.T) {
	r := newFakeRig(t, nvme.Options{Namespace: 5}, nil)
	p := r.openPort(0, 8)
	r.at(p, func() {
		p.submit(p.get(aio.OpRead, 8<<9, 4096, make([]byte, 4096)))
		p.submit(p.get(aio.OpWrite, 1<<9, 512, make([]byte, 512)))
		p.submit(p.get(aio.OpFlush, 0, 0))
		p.submit(p.get(aio.OpDiscard, 16<<9, 1<<20))
		p.submit(p.get(aio.OpWriteZeroes, 24<<9, 65536<<9))
		p.commit()
	})
	r.run()
	require.Len(t, r.fake.io, 5)
	want := []struct {
		opcode uint8
		slba   uint64
		cdw12  uint32
	}{{2, 8, 7}, {1, 1, 0}, {0, 0, 0}, {9, 4 << 32, 0}, {8, 24, 65535}} // of DSM, CDW10 and 11: one range, deallocate
	for i, c := range r.fake.io {
		require.Equal(t, want[i].opcode, c.Opcode())
		require.Equal(t, want[i].slba, c.SLBA())
		require.Equal(t, want[i].cdw12, c.CDW12())
		require.EqualValues(t, 5, c.NSID())
		require.Zero(t, c.PSDT())
		require.Zero(t, c.Fuse())
	}
	b, ok := r.fake.mem.Window(r.fake.io[3].PRP1(), spec.DSMRangeSize)
	require.True(t, ok)
	slba, blocks := spec.DSMRange(b)
	require.EqualValues(t, 16, slba)
	require.EqualValues(t, 2048, blocks)
}

func TestMalformedRequestsAreRefusedAndLeftAlone(t *testing.T) {
	r := newFakeRig(t, nvme.Options{}, func(f *fake) { f.controller.MDTS = 1; f.controller.ONCS = 0 })
	p := r.openPort(0, 4)
	buf := make([]byte, 16384)
	r.at(p, func() {
		for _, c := range []struct {
			want   aio.Status
			op     aio.Op
			off, n int64
			bufs   [][]byte
		}{
			{aio.Invalid, aio.OpRead, 1, 512, [][]byte{buf[:512]}},
			{aio.Invalid, aio.OpRead, 0, 511, [][]byte{buf[:511]}},
			{aio.Invalid, aio.OpRead, -512, 512, [][]byte{buf[:512]}},
			{aio.Invalid, aio.OpRead, 0, 0, nil},
			{aio.Invalid, aio.OpRead, 0, -512, nil},
			{aio.Invalid, aio.OpWrite, 0, 8192 + 512, [][]byte{buf[:8192+512]}},
			{aio.Invalid, aio.OpWrite, 0, 1024, [][]byte{buf[:512]}},
			{aio.Invalid, aio.OpWrite, 0, 512, nil},
			{aio.NotSupported, aio.OpDiscard, 0, 512, nil},
			{aio.NotSupported, aio.OpWriteZeroes, 0, 512, nil},
			{aio.NotSupported, aio.NumOps, 0, 512, nil},
			{aio.NotSupported, 255, 0, 512, nil},
		} {
			require.Equal(t, c.want, p.submit(p.get(c.op, c.off, c.n, c.bufs...)), "%+v", c)
		}
		p.commit()
	})
	r.run()
	require.Empty(t, r.fake.io)
	require.Zero(t, r.driver.Stats().Doorbells)
	r.at(p, func() { require.Equal(t, aio.OK, p.submit(p.get(aio.OpWrite, 0, 8192, buf[:8192]))) })
}

// readOne submits one read and has the device fetch it.
func (r *fakeRig) readOne(p *port) fakeCommand {
	r.t.Helper()
	r.at(p, func() {
		require.Equal(r.t, aio.OK, p.submit(p.get(aio.OpRead, 0, 512, make([]byte, 512))))
		p.commit()
	})
	r.run()
	return r.fake.io[len(r.fake.io)-1]
}

func TestCompletionsOfNoCommandAreCountedAndIgnored(t *testing.T) {
	r := newFakeRig(t, nvme.Options{}, nil)
	p := r.openPort(0, 4)
	r.openPort(1, 4)
	c := r.readOne(p)
	for i, post := range []func(){
		func() { r.fake.post(1, 2, c.CID(), 0, 0) },        // of another submission queue
		func() { r.fake.post(2, 2, c.CID(), 0, 0) },        // on another completion queue, where it is free
		func() { r.fake.post(1, 1, c.CID()+1, 0, 0) },      // free
		func() { r.fake.post(1, 1, c.CID()^0x1000, 0, 0) }, // of another generation
		func() { r.fake.post(1, 1, 0x0fff, 0, 0) },         // beyond the table
		func() { r.fake.post(1, 1, 0xffff, 0, 0) },         // none at all
		func() { r.fake.post(0, 0, 0x1234, 0, 0) },         // admin, free
		func() { r.fake.post(0, 1, c.CID(), 0, 0) },        // on the admin queue
	} {
		r.onDevice(post)
		require.Equal(t, 1, p.inFlight(), i)
		require.EqualValues(t, i+1, r.driver.Stats().Strays)
	}
	r.onDevice(func() { r.fake.end(0, spec.Success) })
	require.Equal(t, 1, p.ends[aio.OK])
	require.Zero(t, p.wrong)
}

func TestACommandCompletesOnceHoweverOftenTheDeviceSaysSo(t *testing.T) {
	r := newFakeRig(t, nvme.Options{}, nil)
	p := r.openPort(0, 1)
	c := r.readOne(p)
	r.onDevice(func() {
		r.fake.post(1, 1, c.CID(), 0, 0)
		r.fake.post(1, 1, c.CID(), 0, 0)
	})
	require.Equal(t, 1, p.ends[aio.OK])

	// The only slot is used again; the old command's completions must not be
	// taken for the new one's.
	for use := range 15 {
		r.fake.io = nil
		now := r.readOne(p)
		r.onDevice(func() { r.fake.post(1, 1, c.CID(), 0, 0) })
		require.Equal(t, 1, p.inFlight(), use)
		r.onDevice(func() { r.fake.post(1, 1, now.CID(), 0, 0) })
		require.Zero(t, p.inFlight())
	}
	require.Zero(t, p.wrong)
	require.EqualValues(t, 16, r.driver.Stats().Strays)
}

func TestAnImpossibleHeadIsCountedAndTheCommandCompletes(t *testing.T) {
	r := newFakeRig(t, nvme.Options{}, nil)
	p := r.openPort(0, 4)
	c := r.readOne(p)
	r.onDevice(func() {
		r.fake.pairs[1].sqHead = 77
		r.fake.post(1, 1, c.CID(), 0, 0)
	})
	require.Equal(t, 1, p.ends[aio.OK])
	require.EqualValues(t, 1, r.driver.Stats().BadHeads)
}

func TestFullSubmissionQueueIsBusyAndTheRequestIsLeftAlone(t *testing.T) {
	r := newFakeRig(t, nvme.Options{}, func(f *fake) { f.frozenHead = true })
	p := r.openPort(0, 4)
	for range 4 { // the device completes them and never says that it fetched them
		r.readOne(p)
		r.onDevice(func() { r.fake.end(0, spec.Success) })
	}
	q := p.get(aio.OpRead, 0, 512, make([]byte, 512))
	r.at(p, func() { require.Equal(t, aio.Busy, p.submit(q)) })
	require.EqualValues(t, 1, r.driver.Stats().Busy)
	require.Equal(t, 4, p.ends[aio.OK])
}

func TestPollCompletesNoMoreThanItsBudgetWithoutInterrupts(t *testing.T) {
	r := newFakeRig(t, nvme.Options{}, nil)
	p := r.openPort(0, 8)
	for range 8 {
		r.readOne(p)
	}
	r.fake.mute = true
	r.onDevice(func() {
		r.fake.post(1, 1, 0xffff, 0, 0) // a stray is not a completion
		for range 5 {
			r.fake.end(0, spec.Success)
		}
	})
	require.Equal(t, 8, p.inFlight())
	poll := p.queue.(driver.Poller).Poll
	r.at(p, func() {
		require.Zero(t, poll(0))
		require.Equal(t, 2, poll(2))
		require.Equal(t, 3, poll(100))
		require.Zero(t, poll(100))
	})
	require.Equal(t, 3, p.inFlight())
	require.Zero(t, r.driver.Stats().Interrupts)
}

func TestABurstOfInterruptsIsHandledOnce(t *testing.T) {
	r := newFakeRig(t, nvme.Options{}, nil)
	p := r.openPort(0, 8)
	for range 8 {
		r.readOne(p)
	}
	r.onDevice(func() {
		for range 8 {
			r.fake.end(0, spec.Success)
		}
	})
	s := r.driver.Stats()
	require.EqualValues(t, 1, s.Interrupts)
	require.EqualValues(t, 8, s.Completions)
}

func TestACompletionThatTheHandlerJustMissedIsNotLost(t *testing.T) {
	r := newFakeRig(t, nvme.Options{}, nil)
	p := r.openPort(0, 8)
	for range 8 {
		r.readOne(p)
	}
	next := func() {
		if len(r.fake.io) > 0 {
			r.fake.end(0, spec.Success)
			r.fake.post(1, 1, 0xffff, 0, 0) // a stray, after which the head doorbell is rung
		}
	}
	r.fake.onHead = next // after the handler's last look
	r.onDevice(next)
	require.Equal(t, 8, p.ends[aio.OK])
	require.EqualValues(t, 8, r.driver.Stats().Interrupts)
}

// The head doorbell waits for the next Commit where it can. It must not wait so
// long that the device has no room for a completion, also not where completions
// that nobody expects take the room.
func TestEveryCompletionFindsRoom(t *testing.T) {
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		r := newFakeRig(t, nvme.Options{}, nil)
		depth := 1 + rnd.IntN(4)
		p := r.openPort(0, depth)
		ended := 0
		for range 200 {
			r.at(p, func() {
				for len(p.free) > 0 && rnd.IntN(3) > 0 {
					p.start(t)
				}
				p.commit()
			})
			r.run()
			if len(r.fake.io) == 0 {
				continue
			}
			r.onDevice(func() {
				c := r.fake.end(rnd.IntN(len(r.fake.io)), spec.Success)
				for ended++; rnd.IntN(3) == 0; {
					r.fake.post(1, 1, c.CID(), spec.Success, 0)
				}
			})
			require.Equal(t, ended, p.ends[aio.OK], "seed %d: a completion waits for room that nobody gives", seed)
		}
		require.Zero(t, p.wrong)
	}
}

func TestHeadDoorbellGoesAlongWithTheTail(t *testing.T) {
	r := newFakeRig(t, nvme.Options{}, nil)
	p := r.openPort(0, 4)
	heads := 0
	r.fake.onHead = func() { heads++ }
	for range 100 {
		r.readOne(p)
		r.onDevice(func() { r.fake.end(0, spec.Success) })
	}
	require.Equal(t, 99, heads, "one for each Commit after a completion, and none between")
}

func TestInterruptsOfUnknownVectorsAreIgnored(t *testing.T) {
	r := newFakeRig(t, nvme.Options{}, nil)
	r.openPort(0, 4)
	r.onDevice(func() {
		for _, v := range []int{-1, 2, 5, 1 << 30} {
			r.fake.irq.Raise(v)
		}
	})
}

func TestNothingCompletesAfterClose(t *testing.T) {
	r := newFakeRig(t, nvme.Options{}, nil)
	p := r.openPort(0, 4)
	c := r.readOne(p)
	pair := r.fake.pairs[1]
	require.NoError(t, r.driver.Close())
	r.fake.pairs[1] = pair
	r.onDevice(func() { r.fake.post(1, 1, c.CID(), 0, 0) })
	require.Zero(t, p.ends[aio.OK])
	r.at(p, func() {
		require.Zero(t, p.queue.(driver.Poller).Poll(8))
		require.Equal(t, aio.Gone, p.submit(p.get(aio.OpRead, 0, 512, make([]byte, 512))))
	})
}
