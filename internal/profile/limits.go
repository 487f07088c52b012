package profile

import (
	"fmt"
	"strings"
	"time"

	"blksim/device/nvme/flash"
)

// Limits says what a device of the profile can do at most, by arithmetic from its
// numbers: a check of a profile before anything is run. One limit a line.
func (p *Profile) Limits() string {
	var b strings.Builder
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "%-30s %s\n", what, fmt.Sprintf(format, args...))
	}
	if p.Media == Null {
		line("time", "none")
		return b.String()
	}
	f := &p.Flash
	unit, row, dies := int64(flash.Unit), int64(f.Row()), float64(f.Dies())
	tR, tPROG, tBERS := f.ReadSpread.Mean(f.ReadTime), f.ProgramSpread.Mean(f.ProgramTime), f.EraseSpread.Mean(f.EraseTime)
	read := f.CommandTime + tR + over(unit, f.ChannelRate) + over(unit, f.LinkRate) + f.Latency
	line("4 KiB read at depth 1", "%v", read)
	write := f.CommandTime + over(unit, f.LinkRate) + f.Latency
	if f.Buffer == 0 {
		write += over(unit, f.ChannelRate) + tPROG
	}
	line("4 KiB write at depth 1", "%v", write)
	// A die is busy for the array and for its data on the channel; a channel for
	// the latter alone; the front for each command.
	perDie := dies / (tR + over(unit, f.ChannelRate)).Seconds()
	perChannel := float64(f.Channels) / over(unit, f.ChannelRate).Seconds()
	line("random 4 KiB reads", "%.0f IOPS", min(perDie, perChannel, ratePerSecond(f.CommandTime), rate64(f.LinkRate)/float64(unit)))
	writes := func(program time.Duration) float64 {
		cycle := program + over(row, f.ChannelRate) + tBERS/time.Duration(f.PagesPerBlock)
		return min(dies*float64(row)/cycle.Seconds(), rate64(f.LinkRate)) / 1e6
	}
	if f.SLC > 0 {
		line("sequential writes, SLC part", "%.0f MB/s", writes(f.ProgramSpread.Mean(f.SLCProgramTime)))
	}
	line("sequential writes", "%.0f MB/s", writes(tPROG))
	line("sequential reads", "%.0f MB/s", min(dies*float64(row)/(tR+over(row, f.ChannelRate)).Seconds(),
		float64(f.Channels)*float64(f.ChannelRate), rate64(f.LinkRate))/1e6)
	return b.String()
}

// over is the time of n bytes at a rate; 0 is no limit.
func over(n, rate int64) time.Duration {
	if rate == 0 {
		return 0
	}
	return time.Duration(float64(n) / float64(rate) * 1e9)
}

func ratePerSecond(d time.Duration) float64 {
	if d == 0 {
		return 1e12
	}
	return 1 / d.Seconds()
}

func rate64(r int64) float64 {
	if r == 0 {
		return 1e15
	}
	return float64(r)
}
