package stack_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/blk"
	"blksim/blk/stack"
	"blksim/driver"
	"blksim/driver/null"
	"blksim/sim"
)

func linear(ds []*blk.Disk, o stack.Options) (*stack.Volume, error) { return stack.Linear(ds, o) }
func striped(ds []*blk.Disk, o stack.Options) (*stack.Volume, error) {
	return stack.Stripe(ds, 4096, o)
}
func mirrored(ds []*blk.Disk, o stack.Options) (*stack.Volume, error) {
	return stack.Mirror(ds, nil, o)
}

func hedged(h stack.Hedge) func(ds []*blk.Disk, o stack.Options) (*stack.Volume, error) {
	return func(ds []*blk.Disk, o stack.Options) (*stack.Volume, error) { return stack.Mirror(ds, &h, o) }
}

// Random I/O over each kind of volume reads what was written, and lies on the
// disks where the layout says.
func TestEachLayoutKeepsItsData(t *testing.T) {
	for name, build := range map[string]func([]*blk.Disk, stack.Options) (*stack.Volume, error){
		"linear": linear, "stripe": striped, "mirror": mirrored, "hedged": hedged(stack.Hedge{Delay: 5 * time.Microsecond}),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, []*memory{{}, {cache: true}, {cancels: true}}, build)
			size := r.vol.Limits().Capacity
			require.Equal(t, map[string]int64{"linear": 3 * capacity, "stripe": 3 * capacity}[name] == 0, size == capacity)
			model := make([]byte, size)
			rand := sim.NewRand(1, name)
			for n := range uint64(500) {
				blocks := 1 + rand.Uint64N(60)
				off := int64(rand.Uint64N(uint64(size)/512-blocks+1)) * 512
				io := aio.IO{Op: aio.Op(rand.Uint64N(aio.NumOps)), Off: off, Len: int64(blocks) * 512, Data: n}
				extent := model[io.Off : io.Off+io.Len]
				switch io.Op {
				case aio.OpRead:
					io.Buf = make([]byte, io.Len)
				case aio.OpWrite:
					io.Buf = fill(int(io.Len), byte(n))
					copy(extent, io.Buf)
				case aio.OpFlush:
					io.Off, io.Len = 0, 0
				default:
					clear(extent)
				}
				r.submit(int(n%3), io)
				r.run()
				ev := r.evs[n]
				require.Equal(t, aio.OK, ev.Status)
				require.Equal(t, io.Len, ev.N)
				if io.Op == aio.OpRead {
					require.True(t, bytes.Equal(extent, io.Buf))
				}
			}
			switch name {
			case "linear":
				require.Equal(t, model, append(append(r.mem[0].data, r.mem[1].data...), r.mem[2].data...))
			case "stripe":
				for i := int64(0); i < size/4096; i++ {
					require.Equal(t, model[i*4096:][:4096], r.mem[i%3].data[i/3*4096:][:4096])
				}
			default:
				for _, m := range r.mem {
					require.Equal(t, model, m.data)
				}
			}
		})
	}
}

// A mirrored or striped write is all or none. However a cancel is timed, all disks
// have it or none has, and the event says which.
func TestAWriteOfSeveralDisksIsAllOrNone(t *testing.T) {
	for name, build := range map[string]func([]*blk.Disk, stack.Options) (*stack.Volume, error){
		"mirror": mirrored, "stripe": striped, "linear": linear,
	} {
		t.Run(name, func(t *testing.T) {
			outcomes := map[aio.Status]int{}
			for at := range 40 {
				// The disks are busy for different times, so that their children are
				// dispatched one after the other.
				mems := []*memory{{cancels: true, depth: 1}, {cancels: true, depth: 1}, {depth: 1}}
				for i, m := range mems {
					m.latency = func(r *driver.Request) time.Duration {
						return time.Duration(10*(i+1)) * time.Microsecond
					}
				}
				r := newRig(t, mems, build)
				size := int(r.vol.Limits().Capacity)
				first := aio.IO{Op: aio.OpWrite, Len: int64(size), Buf: make([]byte, size), Data: 1}
				r.submit(0, first)
				id := r.submit(0, aio.IO{Op: aio.OpWrite, Len: int64(size), Buf: fill(size, 1), Data: 2})
				r.runTo(time.Duration(at) * 2 * time.Microsecond)
				answer := r.ctx.Cancel(id)
				r.run()
				ev := r.evs[2]
				outcomes[ev.Status]++
				whole, none := 0, 0
				for i, m := range mems {
					want := fill(size, 1)
					switch name {
					case "stripe":
						var part []byte
						for c := i; c < size/4096; c += 3 {
							part = append(part, want[c*4096:][:4096]...)
						}
						want = part
					case "linear":
						want = want[i*capacity:][:capacity]
					}
					if bytes.Equal(m.data, want) {
						whole++
					} else if bytes.Equal(m.data, make([]byte, capacity)) {
						none++
					}
				}
				switch ev.Status {
				case aio.OK:
					require.Equal(t, 3, whole, "cancel at %d us", 2*at)
					require.EqualValues(t, size, ev.N)
				case aio.Cancelled:
					require.Equal(t, aio.Accepted, answer)
					require.Equal(t, 3, none, "cancel at %d us", 2*at)
					require.False(t, ev.Started)
				default:
					t.Fatal(ev.Status)
				}
			}
			require.Positive(t, outcomes[aio.OK], "the test did not test it")
			require.Positive(t, outcomes[aio.Cancelled], "the test did not test it")
		})
	}
}

// A striped read is cancelled child by child: what was read up to the gap counts.
func TestACancelledReadOfSeveralDisksHasADefinedPart(t *testing.T) {
	mems := []*memory{{cancels: true}, {cancels: true, latency: fixed(-1)}, {}}
	r := newRig(t, mems, striped)
	copy(mems[0].data, fill(4096, 9))
	io := aio.IO{Op: aio.OpRead, Len: 3 * 4096, Buf: make([]byte, 3*4096), Data: 1}
	id := r.submit(0, io)
	r.runTo(time.Millisecond)
	require.Empty(t, r.evs)
	require.Equal(t, aio.Accepted, r.ctx.Cancel(id))
	r.run()
	ev := r.evs[1]
	require.Equal(t, []any{aio.OK, int64(4096), true, true}, []any{ev.Status, ev.N, ev.Started, ev.CancelAsked})
	require.Equal(t, fill(4096, 9), io.Buf[:4096])
	require.Equal(t, 1, mems[1].aborted)
}

func TestADeadlineOfAVolumesIOCancelsIt(t *testing.T) {
	r := newRig(t, []*memory{{cancels: true, latency: fixed(-1)}, {cancels: true, latency: fixed(-1)}}, mirrored)
	r.submit(0, aio.IO{Op: aio.OpRead, Len: 512, Buf: make([]byte, 512), Data: 1, Deadline: lane.Time(time.Millisecond)})
	r.run()
	require.Equal(t, aio.Cancelled, r.evs[1].Status)
	require.EqualValues(t, time.Millisecond, r.w.Now())
}

func TestAReadThatFailsGoesToTheOtherLegs(t *testing.T) {
	fails := func(*driver.Request) bool { return true }
	r := newRig(t, []*memory{{fail: fails}, {fail: fails}, {data: fill(capacity, 3)}}, mirrored)
	io := aio.IO{Op: aio.OpRead, Off: 1024, Len: 1024, Buf: make([]byte, 1024), Data: 1}
	r.submit(0, io)
	r.run()
	require.Equal(t, aio.OK, r.evs[1].Status)
	require.Equal(t, r.mem[2].data[1024:2048], io.Buf)
	require.EqualValues(t, 2, r.vol.Stats().ReadRetries)
}

func TestALegThatFailsAWriteIsOutOfTheMirror(t *testing.T) {
	r := newRig(t, []*memory{{}, {fail: func(r *driver.Request) bool { return r.Op == aio.OpWrite }}}, mirrored)
	for n := range uint64(6) {
		io := aio.IO{Op: aio.OpWrite, Len: 512, Buf: fill(512, byte(n)), Data: 2 * n}
		r.submit(0, io)
		r.run()
		read := aio.IO{Op: aio.OpRead, Len: 512, Buf: make([]byte, 512), Data: 2*n + 1}
		r.submit(0, read)
		r.run()
		require.Equal(t, aio.OK, r.evs[2*n].Status)
		require.Equal(t, io.Buf, read.Buf, "a read of old data")
	}
	require.EqualValues(t, 1, r.vol.Stats().LegsLost)
	require.Len(t, r.mem[1].seen, 1)
}

func TestAMirrorOfWhichAllLegsFailSaysSo(t *testing.T) {
	fails := func(*driver.Request) bool { return true }
	r := newRig(t, []*memory{{fail: fails}, {fail: fails}}, mirrored)
	r.submit(0, aio.IO{Op: aio.OpWrite, Len: 512, Buf: make([]byte, 512), Data: 1})
	r.submit(0, aio.IO{Op: aio.OpRead, Len: 512, Buf: make([]byte, 512), Data: 2})
	r.run()
	require.Equal(t, aio.MediaError, r.evs[1].Status)
	require.Equal(t, aio.MediaError, r.evs[2].Status)
	require.Zero(t, r.vol.Stats().LegsLost, "none is better than another")
}

// The second leg answers for one that is stuck; the loser is cancelled, and what it
// does to its buffer later is nobody's.
func TestAHedgedReadDoesNotWaitForAStuckLeg(t *testing.T) {
	for _, cancels := range []bool{true, false} {
		slow := &memory{cancels: cancels, latency: fixed(50 * time.Millisecond), data: fill(capacity, 77)}
		r := newRig(t, []*memory{slow, {data: fill(capacity, 5)}}, hedged(stack.Hedge{Delay: 100 * time.Microsecond}))
		io := aio.IO{Op: aio.OpRead, Len: 4096, Buf: make([]byte, 4096), Data: 1}
		r.submit(0, io)
		var at lane.Time
		r.each = func(*aio.Event) { at = r.w.Now() }
		r.run()
		require.Equal(t, aio.OK, r.evs[1].Status)
		require.EqualValues(t, 110*time.Microsecond, at)
		require.Equal(t, fill(4096, 5), io.Buf)
		s := r.vol.Stats()
		require.Equal(t, []int64{1, 1}, []int64{s.HedgesIssued, s.HedgesWon})
		if cancels {
			require.Equal(t, []int64{1, 0}, []int64{s.LosersCancelled, s.LosersLate})
		} else {
			require.Equal(t, []int64{0, 1}, []int64{s.LosersCancelled, s.LosersLate})
		}
	}
}

func TestHedgesKeepTheirBudget(t *testing.T) {
	slow := []*memory{{cancels: true, latency: fixed(time.Millisecond)}, {cancels: true, latency: fixed(time.Millisecond)}}
	r := newRig(t, slow, hedged(stack.Hedge{Delay: 10 * time.Microsecond, Budget: 100}))
	const n = 300
	for i := range uint64(n) {
		r.submit(0, aio.IO{Op: aio.OpRead, Len: 512, Buf: make([]byte, 512), Data: i})
		r.run()
	}
	s := r.vol.Stats()
	require.InDelta(t, n/10, s.HedgesIssued, 2)
	require.EqualValues(t, n, s.HedgesIssued+s.HedgesDenied)
}

// With a quantile the delay follows what reads take, so only about its share of
// them is sent twice.
func TestTheHedgeDelayFollowsTheQuantile(t *testing.T) {
	rand := sim.NewRand(3, "latency")
	latency := func(*driver.Request) time.Duration {
		return time.Duration(100+rand.Uint64N(100)) * time.Microsecond
	}
	r := newRig(t, []*memory{{cancels: true, latency: latency}, {cancels: true, latency: latency}},
		hedged(stack.Hedge{Delay: 10 * time.Millisecond, Quantile: 900, Budget: 1000}))
	const n = 2000
	for i := range uint64(n) {
		r.submit(0, aio.IO{Op: aio.OpRead, Len: 512, Buf: make([]byte, 512), Data: i})
		r.run()
	}
	require.InDelta(t, n/10, r.vol.Stats().HedgesIssued, n/20)
}

// More children than there is room for wait their turn, and all end.
func TestChildrenBeyondTheRoomWait(t *testing.T) {
	r := newRig(t, []*memory{{}, {}, {}}, striped)
	size := 3 * capacity
	for i := range uint64(20) {
		r.submit(int(i%3), aio.IO{Op: aio.OpWrite, Len: int64(size), Buf: make([]byte, size), Data: i})
	}
	r.run()
	require.Len(t, r.evs, 20)
	require.Positive(t, r.vol.Stats().Waited)
}

func TestVolumesThatMakeNoSenseAreRefused(t *testing.T) {
	_, err := stack.Linear(nil, stack.Options{})
	require.ErrorContains(t, err, "no disks")
	for _, h := range []stack.Hedge{{}, {Delay: -1}, {Delay: 1, Quantile: 1000}, {Delay: 1, Budget: 1001}} {
		require.Error(t, h.Validate())
	}
}

func TestNoAllocationPerIO(t *testing.T) {
	for name, build := range map[string]func([]*blk.Disk, stack.Options) (*stack.Volume, error){
		"stripe": striped, "mirror": mirrored, "hedged": hedged(stack.Hedge{Delay: time.Second, Quantile: 990}),
	} {
		var drivers []driver.Driver
		for range 2 {
			d, err := null.New(null.Options{Capacity: capacity})
			require.NoError(t, err)
			drivers = append(drivers, d)
		}
		r := newRigOver(t, drivers, build)
		buf := make([]byte, 8192)
		round := func() {
			for i := range uint64(4) {
				op := aio.OpRead
				if i%2 == 0 {
					op = aio.OpWrite
				}
				if _, err := r.ctx.Submit(r.w.Lane(0), r.vol, aio.IO{Op: op, Len: 8192, Buf: buf, Data: i}); err != nil {
					panic(err)
				}
			}
		}
		all := func() {
			r.w.Lane(0).Post(round)
			if err := r.w.Run(); err != nil {
				panic(err)
			}
			clear(r.evs)
		}
		for range 20 {
			all()
		}
		require.Zero(t, testing.AllocsPerRun(50, all), name)
	}
}

// A hedged read ends with its first answer; the volume is idle when the other leg
// has come back as well.
func TestAVolumeIsIdleWhenTheLosersAreBack(t *testing.T) {
	slow := &memory{latency: fixed(50 * time.Millisecond)}
	r := newRig(t, []*memory{slow, {}}, hedged(stack.Hedge{Delay: 100 * time.Microsecond}))
	var ended, idle []lane.Time
	r.each = func(*aio.Event) { ended = append(ended, r.w.Now()) }
	wait := func() {
		require.NoError(t, r.w.Do(0, func(done func()) {
			r.vol.WhenIdle(r.w.Lane(0), func() { idle = append(idle, r.w.Now()) })
			done()
		}))
	}
	wait()
	require.Equal(t, []lane.Time{0}, idle, "at once")
	r.submit(0, aio.IO{Op: aio.OpRead, Len: 512, Buf: make([]byte, 512)})
	wait()
	r.run()
	require.Equal(t, []lane.Time{lane.Time(110 * time.Microsecond)}, ended)
	require.Equal(t, []lane.Time{0, lane.Time(50 * time.Millisecond)}, idle)
}
