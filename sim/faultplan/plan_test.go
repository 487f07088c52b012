package faultplan

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const canonical = `# the middle of the device is bad, at times
read-error lba=1000-1999 chance=0.01 count=5

write-error op=write,trim lba=5000
  # indented
corrupt chance=1e-06
torn-write count=1
misdirected-write after=1s until=1m0s
lost-write
spike op=read chance=0.5 for=5ms
stall after=10ms until=20ms for=10ms
hang op=flush count=1
lost-interrupt chance=0.1 until=1s
duplicate count=2
late
fatal after=15ms
power-cut after=30ms
remove after=1h0m0s
`

func TestCanonicalTextIsPrintedBackByteForByte(t *testing.T) {
	p, err := Parse(canonical)
	require.NoError(t, err)
	require.Equal(t, canonical, p.String())
	require.Len(t, p.Rules, int(numWhats))
	require.Equal(t, Rule{What: Spike, Ops: 1 << Read, Chance: 0.5, Until: Forever, For: 5 * time.Millisecond}, p.Rules[6])
	require.Equal(t, Rule{What: ReadError, Ranged: true, First: 1000, Last: 1999, Chance: 0.01, Count: 5, Until: Forever}, p.Rules[0])
	for _, r := range p.Rules {
		require.NoError(t, r.Validate())
	}
}

func TestKeysMayComeInAnyOrder(t *testing.T) {
	a, err := ParseRule("  read-error count=5   chance=0.010 lba=7-7 op=read until=1000ms")
	require.NoError(t, err)
	require.Equal(t, "read-error op=read lba=7 chance=0.01 count=5 until=1s", a.String())
}

func TestBadRulesAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"reed-error":                          `fault "reed-error": want one of read-error`,
		"read-error chance":                   `"chance": want key=value`,
		"read-error change=1":                 `"change=1": want key=value with a key of op, lba`,
		"read-error count=1 count=2":          "count is there twice",
		"read-error op=write":                 "read-error: want op of read",
		"read-error op=":                      `op ""`,
		"read-error op=read,read":             "op read is there twice",
		"read-error lba=5-4":                  `lba "5-4"`,
		"read-error lba=-4":                   `lba "-4"`,
		"read-error lba=1-2-3":                `lba "1-2-3"`,
		"read-error chance=0":                 `chance "0"`,
		"read-error chance=1.5":               `chance "1.5"`,
		"read-error chance=NaN":               `chance "NaN"`,
		"read-error count=0":                  `count "0"`,
		"read-error count=-1":                 `count "-1"`,
		"read-error after=5":                  `after "5"`,
		"read-error after=-5ms":               `after "-5ms"`,
		"read-error after=5ms until=5ms":      "until 5ms: want a time later than after",
		"read-error for=5ms":                  "read-error has no use for for",
		"spike":                               "spike: want for",
		"spike for=0s":                        "spike: want for",
		"lost-interrupt op=read":              "lost-interrupt has no use for op",
		"fatal count=2":                       "fatal has no use for count",
		"power-cut until=5ms":                 "power-cut has no use for until",
		"hang op=flush lba=7":                 "a flush has no lba",
		"read-error lba=99999999999999999999": "lba",
	} {
		_, err := Parse("# first\n" + text)
		require.ErrorContains(t, err, "line 2: ", text)
		require.ErrorContains(t, err, want, text)
		var e *Error
		require.ErrorAs(t, err, &e, text)
		require.Equal(t, 2, e.Line)
	}
}

// anyRule draws a rule that can be.
func anyRule(t *rapid.T) Rule {
	r := Rule{What: What(rapid.IntRange(0, int(numWhats)-1).Draw(t, "what")), Chance: 1, Until: Forever}
	w := &whats[r.What]
	if w.ops != 0 {
		r.Ops = Ops(rapid.IntRange(0, int(allOps)).Draw(t, "ops")) & w.ops
		if r.Ops != 1<<Flush && rapid.Bool().Draw(t, "ranged") {
			r.Ranged, r.First = true, rapid.Uint64Max(1<<60).Draw(t, "first")
			r.Last = r.First + rapid.Uint64Max(1<<20).Draw(t, "more")
		}
	}
	r.After = time.Duration(rapid.Int64Range(0, 1e15).Draw(t, "after"))
	if !w.event {
		r.Count = rapid.Uint64Max(5).Draw(t, "count")
		r.Chance = rapid.Float64Range(1e-12, 1).Draw(t, "chance")
		if rapid.Bool().Draw(t, "ends") {
			r.Until = r.After + time.Duration(rapid.Int64Range(1, 1e15).Draw(t, "window"))
		}
	}
	if w.duration {
		r.For = time.Duration(rapid.Int64Range(1, 1e12).Draw(t, "for"))
	}
	return r
}

func TestWhatIsPrintedIsReadBackTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := New(rapid.SliceOfN(rapid.Custom(anyRule), 0, 6).Draw(t, "rules")...)
		text := p.String()
		back, err := Parse(text)
		require.NoError(t, err)
		require.Equal(t, text, back.String())
		require.Equal(t, len(p.Rules), len(back.Rules))
		for i := range p.Rules {
			require.Equal(t, p.Rules[i], back.Rules[i])
			require.NoError(t, p.Rules[i].Validate())
		}
	})
}

// FuzzParse: any text is a plan or an error with a line; a plan prints to a text
// that is read back as itself.
func FuzzParse(f *testing.F) {
	f.Add(canonical)
	f.Add("read-error\r\n\r\n#\r\nspike for=1ns")
	f.Add("hang lba=0-18446744073709551615")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err != nil {
			require.True(t, strings.HasPrefix(err.Error(), "fault plan: line "), err)
			return
		}
		printed := p.String()
		back, err := Parse(printed)
		require.NoError(t, err, printed)
		require.Equal(t, printed, back.String())
		require.Equal(t, p.Rules, back.Rules)
	})
}

// tick is a Source that counts.
type tick uint64

func (s *tick) Uint64() uint64 { *s += 0x9e3779b97f4a7c15; return uint64(*s) }

func injector(t *testing.T, text string) *Injector {
	p, err := Parse(text)
	require.NoError(t, err)
	return NewInjector(p, new(tick))
}

func TestRulesHitWhatTheySay(t *testing.T) {
	const ms = time.Millisecond
	in := injector(t, "read-error lba=100-199 count=2 after=1ms until=3ms\nhang op=write")
	require.Nil(t, in.Hit(ReadError, Read, 100, 1, 0), "too early")
	require.Nil(t, in.Hit(ReadError, Read, 100, 1, 3*ms), "too late")
	require.Nil(t, in.Hit(ReadError, Write, 100, 1, ms), "a write has no read error")
	require.Nil(t, in.Hit(ReadError, Read, 99, 1, ms), "before the range")
	require.Nil(t, in.Hit(ReadError, Read, 200, 8, ms), "behind the range")
	require.Nil(t, in.Hit(ReadError, Read, 100, 0, ms), "no blocks")
	require.NotNil(t, in.Hit(ReadError, Read, 92, 9, ms), "across the first block")
	require.NotNil(t, in.Hit(ReadError, Read, 199, 9, ms), "across the last block")
	require.Nil(t, in.Hit(ReadError, Read, 150, 1, ms), "twice is all")
	require.EqualValues(t, 2, in.Hits(0))
	require.NotNil(t, in.Hit(Hang, Write, 5, 1, time.Hour))
	require.Nil(t, in.Hit(Hang, Read, 5, 1, time.Hour))
	in.Heal()
	require.Nil(t, in.Hit(Hang, Write, 5, 1, time.Hour), "healed")

	var none *Injector
	require.Nil(t, none.Hit(Hang, Write, 5, 1, 0))
	require.False(t, none.Due(Fatal, 0))
	require.True(t, none.Healed())
}

func TestChancesAreKept(t *testing.T) {
	in := injector(t, "spike chance=0.25 for=1ms")
	n := 0
	for range 10000 {
		if in.Hit(Spike, Read, 0, 1, 0) != nil {
			n++
		}
	}
	require.InDelta(t, 2500, n, 150)
}

func TestEventsHappenOnceAtTheirTime(t *testing.T) {
	in := injector(t, "fatal after=5ms\npower-cut after=7ms\nlost-interrupt count=1")
	var at []time.Duration
	in.Events(func(_ What, t time.Duration) { at = append(at, t) })
	require.Equal(t, []time.Duration{5 * time.Millisecond, 7 * time.Millisecond}, at)
	require.False(t, in.Due(Fatal, 4*time.Millisecond))
	require.True(t, in.Due(Fatal, 5*time.Millisecond))
	require.False(t, in.Due(Fatal, 6*time.Millisecond))
	require.True(t, in.Due(LostInterrupt, 0))
	require.False(t, in.Due(LostInterrupt, 0))
}

func TestALayerRefusesWhatItCannotMake(t *testing.T) {
	p, err := Parse("spike for=1ms\nfatal")
	require.NoError(t, err)
	require.NoError(t, p.Check("x", func(What) bool { return true }))
	require.ErrorContains(t, p.Check("driver ram", func(w What) bool { return w != Fatal }), "driver ram cannot make fatal")
}

func TestHitAllocatesNothing(t *testing.T) {
	in := injector(t, canonical)
	require.Zero(t, testing.AllocsPerRun(100, func() { in.Hit(ReadError, Read, 1500, 8, 0); in.Hit(Spike, Write, 1, 1, 0) }))
}
