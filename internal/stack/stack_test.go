package stack_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	volume "blksim/blk/stack"
	"blksim/device/nvme/spec"
	"blksim/internal/profile"
	"blksim/internal/stack"
	"blksim/sim"
)

// loop keeps a number of I/Os in flight on lane 0 of a simulated stack, and
// cancels some of them.
type loop struct {
	st     *stack.Stack
	ctx    *aio.Context
	ios    []aio.IO
	ids    []aio.ID
	left   int
	ended  int
	cancel int // every cancel-th I/O is cancelled at once; 0: none
	count  int
}

func newLoop(tb testing.TB, device string, batch, cancel int, o stack.QueueObserver) *loop {
	spec := stack.Spec{Device: device, Queues: 1, Capacity: 1 << 36, Seed: 1}
	if o != nil {
		spec.Observe = func(int) stack.QueueObserver { return o }
	}
	st, err := stack.Build(spec)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, st.Close()) })
	p := &loop{st: st, cancel: cancel, ids: make([]aio.ID, batch)}
	p.ctx, err = aio.New(aio.Options{Capacity: 256, Lanes: st.Lanes, OnEvents: p.events})
	require.NoError(tb, err)
	buf := make([]byte, 4096)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range batch {
		op := aio.OpRead
		if i%4 == 3 {
			op = aio.OpWrite
		}
		p.ios = append(p.ios, aio.IO{Op: op, Off: int64(rng.IntN(1<<20)) * 4096, Len: 4096, Buf: buf, Data: uint64(i)})
	}
	return p
}

func (p *loop) submit() {
	n := min(len(p.ios), p.left)
	p.left -= n
	if _, err := p.ctx.SubmitBatch(p.st.Lanes[0], p.st.Disk, p.ios[:n], p.ids); err != nil {
		panic(err)
	}
	for _, id := range p.ids[:n] {
		if p.count++; p.cancel > 0 && p.count%p.cancel == 0 {
			p.ctx.Cancel(id)
		}
	}
}

func (p *loop) events(_ lane.Lane, evs []aio.Event) {
	if p.ended += len(evs); p.ended >= len(p.ios) && p.left > 0 {
		p.ended = 0
		p.submit()
	}
}

// run does n I/Os.
func (p *loop) run(n int) {
	p.left, p.ended = n, 0
	p.st.Lanes[0].Post(p.submit)
	if err := p.st.Group.(*sim.World).Run(); err != nil {
		panic(err)
	}
}

// TestNoAllocationPerIOThroughTheWholeStack holds for aio, blk, driver/nvme and
// device/nvme at once, with and without cancels.
func TestNoAllocationPerIOThroughTheWholeStack(t *testing.T) {
	for _, device := range []string{"sim:null", "sim", "sim:slow"} {
		for _, cancel := range []int{0, 5} {
			p := newLoop(t, device, 64, cancel, nil)
			p.run(20_000)
			p.run(20_000)
			const n = 2000
			allocs := testing.AllocsPerRun(5, func() { p.run(n) })
			// The first programs of a fresh part of the drive make table pages:
			// that is memory for what was written, not for an I/O.
			require.Less(t, allocs/n, 0.005, "%s, every %dth cancelled: allocations an I/O", device, cancel)
		}
	}
}

func BenchmarkWholeStack(b *testing.B) {
	for _, device := range []string{"sim:null", "sim"} {
		b.Run(device, func(b *testing.B) {
			p := newLoop(b, device, 32, 0, nil)
			p.run(20_000)
			b.ReportAllocs()
			b.ResetTimer()
			p.run(b.N)
		})
	}
}

// TestCancelsFromManyGoroutinesInRealTime runs the whole stack on real lanes,
// two queues and the controller, and cancels from everywhere at any moment.
func TestCancelsFromManyGoroutinesInRealTime(t *testing.T) {
	for _, drv := range []string{"nvme", "nvme,callback=off"} {
		t.Run(drv, func(t *testing.T) {
			const perLane, window = 600, 100
			st, err := stack.Build(stack.Spec{Device: "sim:slow", Driver: drv, Queues: 2, QueueDepth: 32, Capacity: 1 << 34, Seed: 1, Realtime: true})
			require.NoError(t, err)
			ctx, err := aio.New(aio.Options{Capacity: 2 * window, Lanes: st.Lanes})
			require.NoError(t, err)
			var recent [2][window]atomic.Uint64
			submit := func(l, n int) {
				id, err := ctx.Submit(st.Lanes[l], st.Disk, aio.IO{Op: aio.Op(n % 2), Off: int64(n) * 4096, Len: 4096,
					Buf: make([]byte, 4096), Data: uint64(l)<<32 | uint64(n)})
				if err != nil {
					panic(err)
				}
				recent[l][n%window].Store(uint64(id))
			}
			next := [2]int{window, window}
			for l := range 2 {
				st.Lanes[l].Post(func() {
					for n := range window {
						submit(l, n)
					}
				})
			}
			var stop atomic.Bool
			var wg sync.WaitGroup
			for c := range 4 {
				wg.Go(func() {
					rng := rand.New(rand.NewPCG(uint64(c), 3))
					for !stop.Load() {
						ctx.Cancel(aio.ID(recent[rng.IntN(2)][rng.IntN(window)].Load()))
						time.Sleep(time.Duration(rng.IntN(30)) * time.Microsecond)
					}
				})
			}
			seen := map[uint64]bool{}
			var skipped, aborted, done int64
			evs := make([]aio.Event, 64)
			for len(seen) < 2*perLane {
				n, err := ctx.Events(t.Context(), 1, evs)
				require.NoError(t, err)
				for _, ev := range evs[:n] {
					require.False(t, seen[ev.Data], "two events")
					seen[ev.Data] = true
					switch {
					case ev.Status == aio.OK:
						done++
					case ev.Status == aio.Cancelled && ev.Started:
						aborted++
					case ev.Status == aio.Cancelled:
						skipped++
					default:
						t.Fatalf("status %v", ev.Status)
					}
					if l := int(ev.Data >> 32); next[l] < perLane {
						n := next[l]
						next[l]++
						st.Lanes[l].Post(func() { submit(l, n) })
					}
				}
			}
			stop.Store(true)
			wg.Wait()
			require.NoError(t, ctx.Close(t.Context()))
			require.NoError(t, st.Close())
			c := st.Counts()
			require.EqualValues(t, 2*perLane-skipped, c.Devices[0].IOCommands(), "the device saw a skipped I/O, or not all others")
			require.EqualValues(t, aborted, c.Devices[0].Aborts.Aborted)
			require.EqualValues(t, aborted, c.Devices[0].Count(spec.AbortRequested))
			require.EqualValues(t, aborted, c.Drivers[0].Cancelled)
			require.EqualValues(t, skipped, c.Block.Skipped)
			require.Positive(t, done)
			require.Positive(t, skipped)
			if drv == "nvme" {
				require.Positive(t, aborted)
			} else {
				require.Zero(t, aborted)
			}
		})
	}
}

func TestSpecsThatCannotBeBuiltSayWhy(t *testing.T) {
	for _, c := range []struct {
		spec stack.Spec
		says string
	}{
		{stack.Spec{Device: "tape"}, `device "tape": want sim`},
		{stack.Spec{Device: "ram:slow"}, "device ram has none"},
		{stack.Spec{Device: "sim:a", Profile: "b"}, "want one profile"},
		{stack.Spec{Device: "sim:no-such"}, "no such profile"},
		{stack.Spec{Device: "sim:/no/such.toml"}, "/no/such.toml"},
		{stack.Spec{Device: "sim", Driver: "ram"}, "device sim wants driver nvme"},
		{stack.Spec{Device: "sim", Driver: "nvme,callback=maybe"}, "callback=on or callback=off"},
		{stack.Spec{Device: "sim", Capacity: 1 << 60}, "256 TiB"},
		{stack.Spec{Device: "null", Driver: "null,x"}, "null has no options"},
		{stack.Spec{Device: "null", Capacity: 1000}, "capacity 1000"},
		{stack.Spec{Device: "null", Queues: 65}, "want 1 to 64"},
		{stack.Spec{Device: "null", Queues: -1}, "want 1 to 64"},
		{stack.Spec{Device: "null", QueueDepth: -1}, "want 1 to 65536"},
		{stack.Spec{Device: "ram", Queues: 2}, "the driver has 1"},
		{stack.Spec{Device: "ram", Capacity: stack.MaxRAM + 1}, "16 GiB"},
		{stack.Spec{Device: "ram", Capacity: 8000 << 40}, "16 GiB"},
		{stack.Spec{Device: "ram", Capacity: 100}, "512 B"},
		{stack.Spec{Device: "ram", Capacity: -1}, "capacity -1"},
		{stack.Spec{Device: "ram", Capacity: 8 << 30, Layout: stack.Layout{Kind: "linear", Disks: 3}}, "3 disks want"},
		{stack.Spec{Device: "null", Capacity: 1 << 61, Layout: stack.Layout{Kind: "linear", Disks: 4}}, "too much for each of 4 disks"},
		{stack.Spec{Device: "null", Layout: stack.Layout{Kind: "stripe", Disks: 2, Chunk: 1000}}, "multiple of the block size 512"},
		{stack.Spec{Device: "null", Capacity: 4096, Layout: stack.Layout{Kind: "stripe", Disks: 2, Chunk: 8192}}, "no room for one"},
		{stack.Spec{Device: "null", Layout: stack.Layout{Kind: "tower", Disks: 2}}, `stack "tower"`},
		{stack.Spec{Device: "null", Layout: stack.Layout{Kind: "linear", Disks: 17}}, "want 1 to 16"},
		{stack.Spec{Device: "null", Layout: stack.Layout{Kind: "stripe", Disks: 2, Chunk: 4096}, Hedge: volume.Hedge{Delay: 1}}, "only a mirror"},
		{stack.Spec{Device: "null", Hedge: volume.Hedge{Delay: 1}}, "only a mirror"},
		{stack.Spec{Device: "sim:no-such", Layout: stack.Layout{Kind: "mirror", Disks: 2}}, "no such profile"},
	} {
		_, err := stack.Build(c.spec)
		require.ErrorContains(t, err, c.says)
		var mistake *stack.SpecError
		require.ErrorAs(t, err, &mistake, c.says)
	}
}

// TestAMistakeInsideAProfileIsNotOneOfTheSpec: the name was good.
func TestAMistakeInsideAProfileIsNotOneOfTheSpec(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.toml")
	require.NoError(t, os.WriteFile(path, []byte("nonsense = 1\n"), 0o600))
	_, err := stack.Build(stack.Spec{Device: "sim:" + path})
	var inside *profile.Error
	require.ErrorAs(t, err, &inside)
	require.ErrorContains(t, err, path+":1: ")
	var mistake *stack.SpecError
	require.NotErrorAs(t, err, &mistake)
}
