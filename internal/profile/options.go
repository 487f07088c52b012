package profile

import (
	"fmt"
	"strings"
	"time"

	"blksim/device/nvme"
	"blksim/device/nvme/flash"
)

// unit is the type of an option's value.
type unit uint8

const (
	text    unit = iota // "..."
	count               // 12
	truth               // true, false
	choice              // one of a few words
	size                // "16KiB"
	rate                // "1.6GB/s"
	time_               // "50us"
	percent             // "5%"
	pages               // ["30us", "50us"], times
	spread              // "lognormal sigma=0.2"
)

// option is a key of a profile. Values of sizes, rates, times, percentages and counts
// are integers (bytes, bytes a second, nanoseconds, percent) within lo and hi.
type option struct {
	key     string
	unit    unit
	lo, hi  int64
	words   []string // of a choice
	needs   need
	meaning string
	set     func(p *Profile, v value)
}

// need says which profiles have the key.
type need uint8

const (
	optional      need = iota
	required           // each
	flashRequired      // those of flash; the others must not have it
	flashOptional      // only those of flash
)

// value is a parsed value: the field that the unit asks for.
type value struct {
	n     int64
	s     string
	b     bool
	pages [flash.MaxPageTypes]time.Duration
	shape flash.Distribution
}

func (v value) duration() time.Duration { return time.Duration(v.n) }

const (
	tib    = int64(1) << 40
	second = int64(time.Second)
)

// options are all keys, in the order of the reference.
var options = []option{
	{"description", text, 0, 200, nil, required, "what the device is like, in a line",
		func(p *Profile, v value) { p.Description = v.s }},

	{"namespace.capacity", size, 1 << 20, 256 * tib, nil, required, "what the host sees",
		func(p *Profile, v value) { p.Controller.Capacity = v.n }},
	{"namespace.block", size, 512, 4096, nil, required, "logical block: 512B or 4KiB",
		func(p *Profile, v value) { p.Controller.LBASize = int(v.n) }},
	{"namespace.data", choice, 0, 0, []string{"discard", "sparse"}, required, "what becomes of the data: dropped, or kept in memory that follows what was written",
		func(p *Profile, v value) {
			p.Controller.Data = nvme.Discard
			if v.s == "sparse" {
				p.Controller.Data = nvme.Sparse
			}
		}},

	{"controller.model", text, 1, 40, nil, optional, "model number that Identify gives",
		func(p *Profile, v value) { p.Controller.Model = v.s }},
	{"controller.queues", count, 1, 4096, nil, optional, "I/O queue pairs at most",
		func(p *Profile, v value) { p.Controller.Queues = int(v.n) }},
	{"controller.queue_depth", count, 2, 65536, nil, optional, "entries of an I/O queue at most",
		func(p *Profile, v value) { p.Controller.QueueDepth = int(v.n) }},
	{"controller.slots", count, 1, 65536, nil, optional, "I/O commands executing at most; the others stay unfetched",
		func(p *Profile, v value) { p.Controller.Slots = int(v.n) }},
	{"controller.aborts", count, 1, 256, nil, optional, "Abort commands at once",
		func(p *Profile, v value) { p.Controller.AbortLimit = int(v.n) }},
	{"controller.max_transfer", size, 4096, 256 << 20, nil, optional, "largest transfer, a power of two from 8KiB; without it there is no limit",
		func(p *Profile, v value) { p.Controller.MDTS = mdts(v.n) }},
	{"controller.ready", time_, 0, 60 * second, nil, optional, "from enable to ready",
		func(p *Profile, v value) { p.Controller.ReadyDelay = v.duration() }},

	{"media.kind", choice, 0, 0, []string{string(Flash), string(Null)}, required, "flash, or null for no time at all",
		func(p *Profile, v value) { p.Media = Media(v.s) }},
	{"media.command_time", time_, 0, second, nil, flashOptional, "controller work that commands do one by one: the limit of IOPS",
		func(p *Profile, v value) { p.Flash.CommandTime = v.duration() }},
	{"media.latency", time_, 0, second, nil, flashOptional, "fixed delay of a command",
		func(p *Profile, v value) { p.Flash.Latency = v.duration() }},
	{"media.link", rate, 1000, tib, nil, flashOptional, "to and from the host, each way; without it there is no limit",
		func(p *Profile, v value) { p.Flash.LinkRate = v.n }},
	{"media.channels", count, 1, 64, nil, flashRequired, "channels",
		func(p *Profile, v value) { p.Flash.Channels = int(v.n) }},
	{"media.dies_per_channel", count, 1, 256, nil, flashRequired, "dies on a channel",
		func(p *Profile, v value) { p.Flash.DiesPerChannel = int(v.n) }},
	{"media.channel", rate, 1000, tib, nil, flashRequired, "transfer between controller and die",
		func(p *Profile, v value) { p.Flash.ChannelRate = v.n }},
	{"media.page", size, flash.Unit, 64 << 10, nil, flashRequired, "page of a plane, a multiple of 4KiB",
		func(p *Profile, v value) { p.Flash.PageSize = int(v.n) }},
	{"media.planes", count, 1, 16, nil, flashRequired, "planes of a die, which work together",
		func(p *Profile, v value) { p.Flash.Planes = int(v.n) }},
	{"media.pages_per_block", count, 1, 65536, nil, flashRequired, "pages of a block of a plane",
		func(p *Profile, v value) { p.Flash.PagesPerBlock = int(v.n) }},
	{"media.read", time_, 1, second, nil, flashRequired, "array to page register (tR), the mean of all pages",
		func(p *Profile, v value) { p.Flash.ReadTime = v.duration() }},
	{"media.program", time_, 1, second, nil, flashRequired, "page register to array, all planes (tPROG)",
		func(p *Profile, v value) { p.Flash.ProgramTime = v.duration() }},
	{"media.erase", time_, 0, second, nil, flashRequired, "a block of all planes (tBERS); 0s: none is needed",
		func(p *Profile, v value) { p.Flash.EraseTime = v.duration() }},
	{"media.jitter", percent, 0, 50, nil, flashOptional, "array times vary by up to this much, triangularly, unless the next keys say otherwise",
		func(p *Profile, v value) { p.Flash.Jitter = int(v.n) }},
	{"media.read_distribution", spread, 0, 0, nil, flashOptional, "how media.read and media.read_pages vary",
		func(p *Profile, v value) { p.Flash.ReadSpread = v.shape }},
	{"media.program_distribution", spread, 0, 0, nil, flashOptional, "how media.program and media.slc_program vary",
		func(p *Profile, v value) { p.Flash.ProgramSpread = v.shape }},
	{"media.erase_distribution", spread, 0, 0, nil, flashOptional, "how media.erase varies",
		func(p *Profile, v value) { p.Flash.EraseSpread = v.shape }},
	{"media.read_pages", pages, 1, second, nil, flashOptional, "array to page register of the pages that share cells, in turn (TLC: lower, middle, upper); media.read is their mean",
		func(p *Profile, v value) { p.Flash.ReadPages = v.pages }},
	{"media.buffer", size, 8192, 64 << 30, nil, flashOptional, "write buffer, at least two pages of all planes; without it there is none",
		func(p *Profile, v value) { p.Flash.Buffer = v.n }},
	{"media.over_provision", percent, 0, 100, nil, flashOptional, "flash beyond the capacity, with a buffer; without it, and beyond 16TiB, garbage collection is not modelled",
		func(p *Profile, v value) { p.Flash.OverProvision = int(v.n) }},
	{"media.filled", choice, 0, 0, []string{"empty", "sequential", "random"}, flashOptional, "what the drive holds at first, with media.over_provision: nothing, everything once in order, or everything overwritten at random for long",
		func(p *Profile, v value) {
			p.Flash.Filled = map[string]flash.State{"sequential": flash.Sequential, "random": flash.Random}[v.s]
		}},
	{"media.slc", size, 1 << 20, 64 * tib, nil, flashOptional, "part that is written with one bit a cell before the rest is",
		func(p *Profile, v value) { p.Flash.SLC = v.n }},
	{"media.slc_program", time_, 1, second, nil, flashOptional, "page register to array in that part",
		func(p *Profile, v value) { p.Flash.SLCProgramTime = v.duration() }},
	{"media.volatile", truth, 0, 0, nil, flashOptional, "a power cut empties the write buffer: flush and forced writes wait for it",
		func(p *Profile, v value) { p.Flash.Volatile = v.b }},
}

// mdts is log2 of n in 4 KiB; 0, which none of the allowed sizes has, says that
// n is not allowed.
func mdts(n int64) uint8 {
	for m := range uint8(17) {
		if n == 4096<<m {
			return m
		}
	}
	return 0
}

// wants says what a value must be, for errors and for the reference.
func (o *option) wants() string {
	switch o.unit {
	case text:
		return fmt.Sprintf("a string of %d to %d characters", o.lo, o.hi)
	case truth:
		return "true or false"
	case choice:
		return `"` + strings.Join(o.words, `" or "`) + `"`
	case count:
		return fmt.Sprintf("an integer from %d to %d", o.lo, o.hi)
	case size:
		return fmt.Sprintf(`a size like "16KiB", from %s to %s`, bytesText(o.lo), bytesText(o.hi))
	case rate:
		return fmt.Sprintf(`a rate like "1.6GB/s", from %s/s to %s/s`, bytesText(o.lo), bytesText(o.hi))
	case time_:
		return fmt.Sprintf(`a time like "50us", from %v to %v`, time.Duration(o.lo), time.Duration(o.hi))
	case pages:
		return fmt.Sprintf(`a list of 2 to %d times like ["30us", "50us"], each from %v to %v`, flash.MaxPageTypes, time.Duration(o.lo), time.Duration(o.hi))
	case spread:
		return spreadWants
	default:
		return fmt.Sprintf(`a percentage like "5%%", from %d%% to %d%%`, o.lo, o.hi)
	}
}

// Reference describes all keys, one a line.
func Reference() string {
	var b strings.Builder
	for i := range options {
		o := &options[i]
		note := ""
		switch o.needs {
		case required:
			note = " (required)"
		case flashRequired:
			note = " (required of flash)"
		case flashOptional:
			note = " (flash only)"
		}
		fmt.Fprintf(&b, "%-26s %s: %s%s\n", o.key, o.meaning, o.wants(), note)
	}
	return b.String()
}
