package flash

import (
	"testing"
	"time"

	"blksim/device/nvme"
	"blksim/device/nvme/spec"
	"blksim/sim"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var small = Config{
	Capacity: 4 << 20, Channels: 2, DiesPerChannel: 2, PageSize: 4096, Planes: 2, PagesPerBlock: 4,
	ReadTime: 50 * time.Microsecond, ProgramTime: 200 * time.Microsecond, EraseTime: time.Millisecond, Jitter: 10,
	ChannelRate: 400 << 20, LinkRate: 1 << 30, CommandTime: time.Microsecond, Latency: 5 * time.Microsecond,
	Buffer: 64 << 10, Volatile: true,
}

// host takes ops back and counts.
type host struct {
	done    []int // by slot
	settled int
	pending bool
}

func (h *host) Done(op *nvme.Op, st spec.Status) { h.done[op.Slot]++; h.pending = true }
func (h *host) Settle()                          { h.settled++; h.pending = false }

// TestEveryOpEndsOnce drives the medium with random ops, aborts and resets: each
// op ends exactly once, nothing stays behind in any list or pool, and a run of
// Done is followed by Settle.
func TestEveryOpEndsOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cfg := small
		cfg.Buffer = rapid.SampledFrom([]int64{0, 16 << 10, 64 << 10}).Draw(rt, "buffer")
		cfg.Volatile = cfg.Buffer > 0 && rapid.Bool().Draw(rt, "volatile")
		if rapid.Bool().Draw(rt, "bare") {
			cfg.CommandTime, cfg.Latency, cfg.LinkRate, cfg.EraseTime = 0, 0, 0, 0
		}
		w := sim.NewWorld(rapid.Uint64().Draw(rt, "seed"), 1)
		f, err := New(w.Lane(0), w.Rand("media"), cfg)
		require.NoError(rt, err)
		const slots = 24
		h := &host{done: make([]int, slots)}
		f.Attach(h, slots)
		ops := make([]nvme.Op, slots)
		for i := range ops {
			ops[i].Slot = i
		}
		begun := 0
		live := make([]bool, slots)
		check := func() {
			for i, n := range h.done {
				if n > 0 {
					require.True(rt, live[i] && n == 1, "op %d ended %d times", i, n)
					live[i], h.done[i] = false, 0
					begun--
				}
			}
			require.False(rt, h.pending)
		}
		onLane := func(fn func()) {
			fired := false
			w.Lane(0).Post(func() { fn(); fired = true })
			require.NoError(rt, w.RunWhile(func() bool { return !fired }))
			check()
		}
		for range rapid.IntRange(1, 80).Draw(rt, "steps") {
			switch slot := rapid.IntRange(0, slots-1).Draw(rt, "slot"); {
			case rapid.IntRange(0, 40).Draw(rt, "reset") == 0:
				onLane(f.Reset)
				clear(live)
				begun = 0
			case live[slot]:
				onLane(func() {
					if live[slot] && h.done[slot] == 0 && f.Abort(&ops[slot]) {
						live[slot] = false
						begun--
					}
				})
			default:
				op := &ops[slot]
				op.Kind = nvme.OpKind(rapid.IntRange(0, 3).Draw(rt, "kind"))
				op.Off = rapid.Int64Range(0, 8191).Draw(rt, "lba") * 512
				op.Len = min(rapid.Int64Range(1, 300).Draw(rt, "blocks")*512, cfg.Capacity-op.Off)
				op.ForceUnit = rapid.Bool().Draw(rt, "force")
				op.Ranges = append(op.Ranges[:0], nvme.Extent{Off: op.Off, Len: op.Len})
				live[slot] = true
				begun++
				onLane(func() {
					_, done := f.Begin(op)
					require.False(rt, done)
				})
			}
			if rapid.Bool().Draw(rt, "wait") {
				require.NoError(rt, w.RunUntil(w.Now().Add(time.Duration(rapid.IntRange(0, 500_000).Draw(rt, "ns")))))
				check()
			}
		}
		require.NoError(rt, w.Run())
		check()
		require.Zero(rt, begun, "some op never ended")
		require.Zero(rt, f.live, "operations that are not in the pool")
		b := &f.buffer
		if open := map[bool]int{true: 1}[b.open]; b.rows > 0 {
			require.Equal(rt, b.rows, b.free+open)
			require.Equal(rt, f.nextRow-int64(open), b.oldest)
		}
		for i := range f.dies {
			d := &f.dies[i]
			require.True(rt, d.current == nil && d.queue.first == nil && d.backlog.first == nil && !d.program)
		}
		for i := range f.channels {
			require.True(rt, f.channels[i].current == nil && f.channels[i].queue.first == nil)
		}
		s := f.Stats()
		require.Equal(rt, s.Started, s.Reads+s.Programs)
	})
}

func TestMappingFollowsTheLastWriteAndTrim(t *testing.T) {
	const units = 5000
	rapid.Check(t, func(rt *rapid.T) {
		m := newMapping(units)
		var model [units]place
		for i := range rapid.IntRange(1, 20).Draw(rt, "steps") {
			u := rapid.Int64Range(0, units-1).Draw(rt, "unit")
			if rapid.Bool().Draw(rt, "write") {
				m.set(u, placeOf(int64(i)))
				model[u] = placeOf(int64(i))
				continue
			}
			n := rapid.Int64Range(0, units-u).Draw(rt, "n")
			cut := rapid.Int64Range(0, Unit-1).Draw(rt, "cut") // in part only: the unit stays
			if n == 0 {
				continue
			}
			m.trim(u*Unit+cut, n*Unit-cut)
			first := u
			if cut > 0 {
				first++
			}
			for v := first; v < u+n; v++ {
				model[v] = trimmed
			}
		}
		for u := range int64(units) {
			require.Equal(rt, model[u], m.get(u), u)
		}
	})
	m := newMapping(1 << 32) // 16 TiB
	m.trim(0, 16<<40)
	require.Equal(t, trimmed, m.get(1<<31))
	m.set(7, placeOf(3))
	require.Equal(t, trimmed, m.get(6), "the shared piece is not written to")
	require.EqualValues(t, 3, m.get(7).row())
	require.Equal(t, trimmed, m.get(1<<20))
}

func TestTransferTimesRoundUp(t *testing.T) {
	require.EqualValues(t, 1, transfer(1, 2_000_000_000))
	require.EqualValues(t, 4096, transfer(4096, 1_000_000_000))
	require.EqualValues(t, 0, transfer(4096, 0))
	require.Equal(t, 256*time.Second, transfer(256<<20, 1<<20))
}

func TestConfigIsChecked(t *testing.T) {
	require.NoError(t, small.Validate())
	for name, edit := range map[string]func(*Config){
		"Capacity":       func(c *Config) { c.Capacity = 0 },
		"Channels":       func(c *Config) { c.Channels = 0 },
		"DiesPerChannel": func(c *Config) { c.DiesPerChannel = 257 },
		"PageSize":       func(c *Config) { c.PageSize = 5000 },
		"Planes":         func(c *Config) { c.Planes = 0 },
		"PagesPerBlock":  func(c *Config) { c.PagesPerBlock = 0 },
		"ReadTime":       func(c *Config) { c.ReadTime = 0 },
		"ProgramTime":    func(c *Config) { c.ProgramTime = 2 * time.Second },
		"EraseTime":      func(c *Config) { c.EraseTime = -1 },
		"Jitter":         func(c *Config) { c.Jitter = 51 },
		"ReadSpread":     func(c *Config) { c.ReadSpread.Shape = Lognormal + 1 },
		"ProgramSpread":  func(c *Config) { c.ProgramSpread = Distribution{Shape: Uniform, Spread: MaxSpread + 1} },
		"EraseSpread":    func(c *Config) { c.EraseSpread = Distribution{Shape: Lognormal, Sigma: MinSigma - 1} },
		"ReadPages":      func(c *Config) { c.ReadPages[0] = c.ReadTime + 1 },
		"ChannelRate":    func(c *Config) { c.ChannelRate = 0 },
		"LinkRate":       func(c *Config) { c.LinkRate = -1 },
		"CommandTime":    func(c *Config) { c.CommandTime = -1 },
		"Latency":        func(c *Config) { c.Latency = time.Minute },
		"Buffer":         func(c *Config) { c.Buffer = 8192 },
		"Volatile":       func(c *Config) { c.Buffer = 0 },
	} {
		c := small
		edit(&c)
		_, err := New(sim.NewWorld(1, 1).Lane(0), nil, c)
		require.ErrorContains(t, err, "Config."+name)
	}
}
