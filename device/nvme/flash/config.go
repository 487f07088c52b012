package flash

import (
	"fmt"
	"time"
)

// Unit is the unit of mapping, bytes.
const Unit = 4096

// MaxCollected is the largest capacity with garbage collection, bytes: a unit has
// 32 bits there.
const MaxCollected = 16 << 40

// Config is the drive. There are no defaults: profiles have them.
type Config struct {
	Capacity       int64 // bytes that the host sees
	Channels       int   // 1 to 64
	DiesPerChannel int   // 1 to 256
	PageSize       int   // bytes, a multiple of Unit, up to 64 KiB
	Planes         int   // of a die, working together, 1 to 16
	PagesPerBlock  int   // of a plane, 1 to 65536

	ReadTime    time.Duration // array to page register, the mean of all pages
	ProgramTime time.Duration // page register to array, all planes
	EraseTime   time.Duration // a block of all planes; 0: no erase is needed
	Jitter      int           // array times vary by up to this many percent, 0 to 50, where the next ones do not say otherwise

	ReadSpread    Distribution // how ReadTime varies
	ProgramSpread Distribution // ProgramTime and SLCProgramTime
	EraseSpread   Distribution // EraseTime

	// ReadPages are the read times of the pages that share cells, in turn (lower,
	// middle and upper page with three bits a cell); their mean is ReadTime. Those
	// of one bit a cell have none: all are 0, and so are those after the last one.
	ReadPages [MaxPageTypes]time.Duration

	ChannelRate int64         // bytes a second
	LinkRate    int64         // bytes a second each way; 0: no limit
	CommandTime time.Duration // controller work that commands do one by one
	Latency     time.Duration // fixed delay of a command

	OverProvision int   // flash beyond Capacity, percent of it, up to 100; with a buffer; 0: garbage collection is not modelled
	Filled        State // what it holds at first; with OverProvision

	SLC            int64         // bytes that are written with one bit a cell before others are; with a buffer; 0: none
	SLCProgramTime time.Duration // page register to array in that part

	Buffer   int64 // write buffer, bytes, at least two rows; 0: none
	Volatile bool  // a power cut empties the buffer
}

// MaxPageTypes is how many pages share cells at most: four bits a cell.
const MaxPageTypes = 4

// PageTypes is how many read times ReadPages has.
func (c Config) PageTypes() int {
	for i, d := range c.ReadPages {
		if d == 0 {
			return i
		}
	}
	return MaxPageTypes
}

// PagesMean is the mean of ReadPages, rounded to a nanosecond; 0 if there are none.
func (c Config) PagesMean() time.Duration {
	n := time.Duration(c.PageTypes())
	if n == 0 {
		return 0
	}
	var sum time.Duration
	for _, d := range c.ReadPages[:n] {
		sum += d
	}
	return (sum + n/2) / n
}

// validateSpread checks how array times vary.
func (c Config) validateSpread() error {
	for _, s := range []struct {
		field string
		Distribution
	}{{"ReadSpread", c.ReadSpread}, {"ProgramSpread", c.ProgramSpread}, {"EraseSpread", c.EraseSpread}} {
		if err := s.validate(); err != nil {
			return fmt.Errorf("flash: Config.%s is %+v, want %w", s.field, s.Distribution, err)
		}
	}
	n := c.PageTypes()
	bad := n > 0 && c.PagesMean() != c.ReadTime
	for i, d := range c.ReadPages {
		bad = bad || d < 0 || d > time.Second || i >= n && d != 0
	}
	if bad {
		return fmt.Errorf("flash: Config.ReadPages is %v, want times up to 1s whose mean is ReadTime, %v, or zeros", c.ReadPages, c.ReadTime)
	}
	return nil
}

// Row is what a die reads or programs at once, bytes.
func (c Config) Row() int { return c.PageSize * c.Planes }

// Dies is their number.
func (c Config) Dies() int { return c.Channels * c.DiesPerChannel }

// Validate says what is wrong with c, if anything.
func (c Config) Validate() error {
	bad := func(field string, v any, want string) error {
		return fmt.Errorf("flash: Config.%s is %v, want %s", field, v, want)
	}
	in := func(v, lo, hi int) bool { return lo <= v && v <= hi }
	timeOK := func(d, lo time.Duration) bool { return lo <= d && d <= time.Second }
	const maxRate = 1 << 40
	switch {
	case c.Capacity < 512 || c.Capacity > 1<<48:
		return bad("Capacity", c.Capacity, "512 B to 256 TiB")
	case !in(c.Channels, 1, 64):
		return bad("Channels", c.Channels, "1 to 64")
	case !in(c.DiesPerChannel, 1, 256):
		return bad("DiesPerChannel", c.DiesPerChannel, "1 to 256")
	case !in(c.PageSize, Unit, 64<<10) || c.PageSize%Unit != 0:
		return bad("PageSize", c.PageSize, "a multiple of 4 KiB up to 64 KiB")
	case !in(c.Planes, 1, 16):
		return bad("Planes", c.Planes, "1 to 16")
	case !in(c.PagesPerBlock, 1, 65536):
		return bad("PagesPerBlock", c.PagesPerBlock, "1 to 65536")
	case !timeOK(c.ReadTime, 1):
		return bad("ReadTime", c.ReadTime, "1ns to 1s")
	case !timeOK(c.ProgramTime, 1):
		return bad("ProgramTime", c.ProgramTime, "1ns to 1s")
	case !timeOK(c.EraseTime, 0):
		return bad("EraseTime", c.EraseTime, "0 to 1s")
	case !in(c.Jitter, 0, 50):
		return bad("Jitter", c.Jitter, "0 to 50 percent")
	case c.ChannelRate < 1 || c.ChannelRate > maxRate:
		return bad("ChannelRate", c.ChannelRate, "1 B/s to 1 TiB/s")
	case c.LinkRate < 0 || c.LinkRate > maxRate:
		return bad("LinkRate", c.LinkRate, "0 to 1 TiB/s")
	case !timeOK(c.CommandTime, 0):
		return bad("CommandTime", c.CommandTime, "0 to 1s")
	case !timeOK(c.Latency, 0):
		return bad("Latency", c.Latency, "0 to 1s")
	case c.SLC < 0 || c.SLC > c.Capacity || c.SLC > 0 && c.Buffer == 0:
		return bad("SLC", c.SLC, "0 to Capacity, and 0 without a buffer")
	case c.SLC > 0 && !timeOK(c.SLCProgramTime, 1) || c.SLC == 0 && c.SLCProgramTime != 0:
		return bad("SLCProgramTime", c.SLCProgramTime, "1ns to 1s with SLC, and 0 without")
	case !in(c.OverProvision, 0, 100):
		return bad("OverProvision", c.OverProvision, "0 to 100 percent")
	case c.OverProvision > 0 && c.Buffer == 0:
		return bad("OverProvision", c.OverProvision, "0 without a buffer")
	case c.OverProvision > 0 && c.Capacity > MaxCollected:
		return bad("Capacity", c.Capacity, "at most 16 TiB with OverProvision")
	case c.Filled > Random || c.Filled != Empty && c.OverProvision == 0:
		return bad("Filled", c.Filled, "Empty, Sequential or Random, with OverProvision")
	case c.Buffer != 0 && (c.Buffer < 2*int64(c.Row()) || c.Buffer > 1<<36):
		return bad("Buffer", c.Buffer, fmt.Sprintf("0, or two rows (%d) to 64 GiB", 2*c.Row()))
	case c.Volatile && c.Buffer == 0:
		return bad("Volatile", c.Volatile, "false without a buffer")
	}
	return c.validateSpread()
}

// transfer is the time that n bytes take at rate, rounded up.
func transfer(n int64, rate int64) time.Duration {
	if rate == 0 {
		return 0
	}
	return time.Duration((n*int64(time.Second) + rate - 1) / rate)
}
