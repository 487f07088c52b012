package profile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"blksim/device/nvme"
	"blksim/device/nvme/flash"
	"blksim/sim"

	"github.com/stretchr/testify/require"
)

type noMemory struct{}

func (noMemory) Window(uint64, int) ([]byte, bool) { return nil, false }
func (noMemory) Raise(int)                         {}

func TestEveryPresetLoadsAndOpens(t *testing.T) {
	require.Equal(t, []string{"null", "optane", "qlc", "slow", "tlc-consumer", "tlc-enterprise"}, Names())
	require.Contains(t, Names(), Default)
	for _, name := range Names() {
		p, err := Load(name)
		require.NoError(t, err)
		require.Equal(t, name, p.Name)
		require.NotEmpty(t, p.Description)
		for _, capacity := range []int64{0, 1 << 30, 12345} {
			w := sim.NewWorld(1, 1)
			c, err := p.Open(w.Lane(0), noMemory{}, noMemory{}, capacity, w.Rand("media"))
			require.NoError(t, err)
			require.NotNil(t, c)
		}
		w := sim.NewWorld(1, 1)
		_, cfg, err := p.Medium(w.Lane(0), w.Rand("media"), 1000)
		require.NoError(t, err)
		require.EqualValues(t, 1024, cfg.Capacity, "rounded up to whole blocks")
		_, err = p.Open(w.Lane(0), noMemory{}, noMemory{}, -5000, w.Rand("media"))
		require.ErrorContains(t, err, "Capacity")
	}
}

func TestEveryNumberOfAPresetHasItsSource(t *testing.T) {
	for _, name := range Names() {
		p, err := Load(name)
		require.NoError(t, err)
		head, _, _ := strings.Cut(p.Text, "\n\n")
		for line := range strings.Lines(p.Text) {
			key, value, ok := strings.Cut(line, " = ")
			if !ok || strings.HasPrefix(line, "#") || !strings.ContainsAny(value, "0123456789") || key == "description" || key == "model" {
				continue
			}
			plain := map[string]bool{"block": true}
			if !strings.Contains(value, "#") && !plain[key] && !strings.Contains(head, strings.Trim(strings.TrimSpace(value), `"`)) &&
				key != "capacity" && key != "channels" && key != "dies_per_channel" && key != "planes" {
				t.Errorf("%s: %s has no comment", name, strings.TrimSpace(line))
			}
		}
	}
}

const good = `description = "d"
[namespace]
capacity = "1GiB"
block = "4KiB"
data = "sparse"
[controller]
queues = 3
max_transfer = "128KiB"
[media]
kind = "flash"
channels = 2
dies_per_channel = 4
channel = "1.2GB/s"
page = "16KiB"
planes = 2
pages_per_block = 100
read = "50us"
program = "0.6ms"
erase = "3 ms"
read_distribution = "lognormal p99/p50=1.6 median"
program_distribution = "uniform 12%"
erase_distribution = "lognormal sigma=0.25"
read_pages = ["35us", "50us", "65us"]
jitter = "5%"
buffer = "1MiB"
volatile = true
`

func TestValuesArriveWhereTheyBelong(t *testing.T) {
	path := filepath.Join(t.TempDir(), "my.toml")
	require.NoError(t, os.WriteFile(path, []byte(good), 0o600))
	p, err := Load(path)
	require.NoError(t, err)
	require.Equal(t, path, p.Name)
	require.Equal(t, Flash, p.Media)
	require.Equal(t, nvme.Config{Capacity: 1 << 30, LBASize: 4096, Queues: 3, MDTS: 5, Data: nvme.Sparse}, p.Controller)
	f := p.Flash
	require.EqualValues(t, 1<<30, f.Capacity)
	require.EqualValues(t, 1_200_000_000, f.ChannelRate)
	require.Equal(t, 600*time.Microsecond, f.ProgramTime)
	require.Equal(t, 3*time.Millisecond, f.EraseTime)
	require.Equal(t, 5, f.Jitter)
	require.Equal(t, flash.Distribution{Shape: flash.Lognormal, Sigma: flash.SigmaOfTail(1600), Median: true}, f.ReadSpread)
	require.Equal(t, flash.Distribution{Shape: flash.Uniform, Spread: 12}, f.ProgramSpread)
	require.Equal(t, flash.Distribution{Shape: flash.Lognormal, Sigma: 250_000}, f.EraseSpread)
	require.Equal(t, [flash.MaxPageTypes]time.Duration{35 * time.Microsecond, 50 * time.Microsecond, 65 * time.Microsecond}, f.ReadPages)
	require.EqualValues(t, 1<<20, f.Buffer)
	require.True(t, f.Volatile)
	require.Equal(t, 8, f.Dies())
}

func TestErrorsSayWhereWhatAndWhatWasExpected(t *testing.T) {
	line := func(key string) int {
		return 1 + strings.Count(good[:strings.Index(good, "\n"+key+" =")+1], "\n")
	}
	for name, c := range map[string]struct {
		old, new string
		line     int
		want     string
	}{
		"unknown key":               {"queues = 3", "queues = 3\nquews = 4", 8, `controller.quews: no such key; controller has model, queues,`},
		"unknown top-level key":     {"[namespace]", "name = 1\n[namespace]", 2, "name: no such key; want description or a key of namespace, controller, media"},
		"unknown table":             {"[controller]", "[host]\n[controller]", 6, "host: no such table; want namespace, controller, media"},
		"array of tables":           {"[controller]", "[[controller]]", 6, "want a table [controller]"},
		"nested table":              {"[controller]", "[controller.deep]", 6, "controller.deep: no such table"},
		"wrong type":                {"queues = 3", `queues = "3"`, line("queues"), `controller.queues: string "3" is no integer; want an integer from 1 to 4096`},
		"float for an integer":      {"queues = 3", `queues = 3.0`, line("queues"), `float "3.0" is no integer`},
		"number for a size":         {`"16KiB"`, `16384`, line("page"), `media.page: integer 16384 is no string; want a size like "16KiB", from 4KiB to 64KiB`},
		"string for a boolean":      {"volatile = true", `volatile = "yes"`, line("volatile"), "string yes is no boolean; want true or false"},
		"out of range":              {"queues = 3", "queues = 5000", line("queues"), `"5000" is out of range; want an integer from 1 to 4096`},
		"negative":                  {"queues = 3", "queues = -1", line("queues"), `out of range`},
		"size out of range":         {`"16KiB"`, `"1MiB"`, line("page"), `"1MiB" is out of range`},
		"time without a unit":       {`"50us"`, `"50"`, line("read"), `media.read: "50": no unit; want a time like "50us", from 1ns to 1s`},
		"time with another unit":    {`"50us"`, `"50KiB"`, line("read"), `unknown unit "KiB"`},
		"time that is no number":    {`"50us"`, `"1e3us"`, line("read"), `not a number`},
		"negative time":             {`"50us"`, `"-50us"`, line("read"), `not a number`},
		"time finer than 1 ns":      {`"50us"`, `"0.0001us"`, line("read"), `not a whole number`},
		"time too long":             {`"50us"`, `"2s"`, line("read"), `out of range`},
		"rate too large for a word": {`"1.2GB/s"`, `"999999999999999TB/s"`, line("channel"), `unknown unit`},
		"size too large for a word": {`"1GiB"`, `"99999999999TiB"`, line("capacity"), `too large`},
		"unknown choice":            {`"sparse"`, `"dense"`, line("data"), `namespace.data: unknown "dense"; want "discard" or "sparse"`},
		"text too long":             {`"d"`, `"` + strings.Repeat("x", 201) + `"`, 1, "has 201; want a string of 0 to 200 characters"},
		"missing key":               {`block = "4KiB"` + "\n", "", 0, `namespace.block: missing; want a size`},
		"missing flash key":         {`read = "50us"` + "\n", "", 0, `media.read: missing`},
		"flash key of null":         {`kind = "flash"`, `kind = "null"`, line("channels"), `media.channels: only with media.kind = "flash"`},
		"odd block":                 {`"4KiB"`, `"1KiB"`, line("block"), `want 512B or 4KiB`},
		"capacity of half a block":  {`"1GiB"`, `"1073741825B"`, line("capacity"), `no multiple of namespace.block`},
		"odd transfer":              {`"128KiB"`, `"100KiB"`, line("max_transfer"), `want a power of two`},
		"odd page":                  {`"16KiB"`, `"5000B"`, line("page"), `no multiple of 4KiB`},
		"buffer too small":          {`buffer = "1MiB"`, `buffer = "63KiB"`, line("buffer"), `63KiB is too small; want at least two pages of all planes, 64KiB`},
		"volatile without buffer":   {`buffer = "1MiB"` + "\n", "", line("volatile") - 1, `true without media.buffer`},
		"unknown shape":             {`"uniform 12%"`, `"gamma 2"`, line("program_distribution"), `media.program_distribution: "gamma 2": unknown shape "gamma"; want "fixed", "uniform 10%" or`},
		"fixed by something":        {`"uniform 12%"`, `"fixed 3%"`, line("program_distribution"), `fixed has nothing after it; want "fixed"`},
		"no spread":                 {`"uniform 12%"`, `"triangular"`, line("program_distribution"), `"triangular": no unit; want`},
		"spread too wide":           {`"uniform 12%"`, `"uniform 91%"`, line("program_distribution"), `out of range; want "fixed", "uniform 10%" or "triangular 10%" (1% to 90% on each side)`},
		"spread of nothing":         {`"uniform 12%"`, `"uniform 0%"`, line("program_distribution"), `out of range`},
		"sigma too small":           {`sigma=0.25`, `sigma=0.0009`, line("erase_distribution"), `out of range; want`},
		"sigma too large":           {`sigma=0.25`, `sigma=1.3`, line("erase_distribution"), `out of range; want`},
		"sigma that is no number":   {`sigma=0.25`, `sigma=-1`, line("erase_distribution"), `not a number; want`},
		"no sigma":                  {`lognormal sigma=0.25`, `lognormal`, line("erase_distribution"), `unknown "" after lognormal; want`},
		"tail too short":            {`p99/p50=1.6`, `p99/p50=1`, line("read_distribution"), `out of range; want`},
		"tail too long":             {`p99/p50=1.6`, `p99/p50=16.001`, line("read_distribution"), `out of range; want`},
		"another tail":              {`p99/p50=1.6`, `p95/p50=1.6`, line("read_distribution"), `unknown "p95/p50" after lognormal; want`},
		"words after median":        {`median"`, `median really"`, line("read_distribution"), `not a number; want`},
		"distribution, no string":   {`"uniform 12%"`, `12`, line("program_distribution"), `integer 12 is no string; want`},
		"pages of another mean":     {`"65us"`, `"66us"`, line("read_pages"), `media.read_pages: the mean is 50.333µs; want that of media.read, 50µs`},
		"one page":                  {`["35us", "50us", "65us"]`, `["50us"]`, line("read_pages"), `the list has 1; want a list of 2 to 4 times like ["30us", "50us"], each from 1ns to 1s`},
		"five pages":                {`"50us", `, `"50us", "50us", "50us", `, line("read_pages"), `the list has 5; want`},
		"pages that are no list":    {`["35us", "50us", "65us"]`, `"50us"`, line("read_pages"), `string 50us is no list; want`},
		"a number among pages":      {`"35us", `, `35, `, line("read_pages"), `integer 35 in the list is no string; want`},
		"a page of no time":         {`"35us"`, `"0us"`, line("read_pages"), `"0us" is out of range; want`},
		"syntax":                    {"queues = 3", "queues = ", line("queues"), ""},
		"key twice":                 {"queues = 3", "queues = 3\nqueues = 4", 0, "queues"},
		"table twice":               {"[controller]", "[namespace]", 0, "namespace"},
		"bad UTF-8":                 {`"d"`, "\"\xff\"", 0, ""},
		"not TOML at all":           {good, "\x7fELF\x00", 0, ""},
		"empty":                     {good, "", 0, "description: missing"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(good, c.old, c.new, 1)
			require.NotEqual(t, good, text)
			_, err := Parse("f.toml", []byte(text))
			var e *Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, "f.toml", e.File)
			if c.line != 0 {
				require.Equal(t, c.line, e.Line, "%v", err)
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestLimitsAreOfMeansWhereTheProfileHasMedians(t *testing.T) {
	limits := func(text string) string {
		p, err := Parse("f.toml", []byte(text))
		require.NoError(t, err)
		first, _, _ := strings.Cut(p.Limits(), "\n")
		return first
	}
	text := strings.Replace(good, `"lognormal p99/p50=1.6 median"`, `"lognormal sigma=0.5 median"`, 1)
	require.Contains(t, limits(text), "60.07", "50 us exp(0.5^2/2) and 3.413 us on the channel")
	require.Contains(t, limits(strings.Replace(text, " median", "", 1)), "53.413")
}

func TestUnknownProfileNamesThePresets(t *testing.T) {
	_, err := Load("no-such-profile")
	require.ErrorIs(t, err, ErrUnknown)
	require.ErrorContains(t, err, "tlc-enterprise")
	_, err = Load("./no/such/file.toml")
	require.ErrorIs(t, err, os.ErrNotExist)
	require.False(t, errors.Is(err, ErrUnknown))
	_, err = Load(t.TempDir())
	require.Error(t, err)
}

func TestReferenceHasEveryKeyOnce(t *testing.T) {
	ref := Reference()
	for i := range options {
		require.Equal(t, 1, strings.Count("\n"+ref, "\n"+options[i].key+" "))
		require.NotNil(t, options[i].set)
	}
}

// FuzzParse: any text gives a profile that opens, or an Error.
func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	for _, n := range Names() {
		p, _ := Load(n)
		f.Add([]byte(p.Text))
	}
	f.Add([]byte("a.b.c = {x = [1, 2]}\n[[q]]\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse("f", b)
		var e *Error
		if err != nil {
			if !errors.As(err, &e) {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		if p.Controller.Capacity > 1<<44 || p.Flash.Dies() > 1024 || p.Controller.Slots > 4096 || p.Controller.Queues > 256 {
			return // valid, and more than a fuzzer should make
		}
		w := sim.NewWorld(1, 1)
		if _, err := p.Open(w.Lane(0), noMemory{}, noMemory{}, 0, w.Rand("media")); err != nil {
			t.Fatal(err)
		}
	})
}
