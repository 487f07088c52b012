package ebpf

import (
	"fmt"
	"strconv"
	"strings"
)

// Stat is what the block layer counts of a device without us, in /sys/block/DEV/stat
// (Documentation/block/stat.rst): an independent count of what a Tracer has seen.
type Stat struct {
	Reads, ReadMerges, ReadSectors          uint64
	Writes, WriteMerges, WriteSectors       uint64
	InFlight                                uint64
	Discards, DiscardMerges, DiscardSectors uint64 // from 4.18 on
	Flushes                                 uint64 // from 5.5 on
}

func parseStat(text string) (Stat, error) {
	fields := strings.Fields(text)
	if len(fields) < 11 {
		return Stat{}, fmt.Errorf("ebpf: a device's stat of %d fields: want at least 11", len(fields))
	}
	v := make([]uint64, max(17, len(fields)))
	for i, f := range fields {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return Stat{}, fmt.Errorf("ebpf: field %d of a device's stat: %q: want a number", i+1, f)
		}
		v[i] = n
	}
	return Stat{
		Reads: v[0], ReadMerges: v[1], ReadSectors: v[2], Writes: v[4], WriteMerges: v[5], WriteSectors: v[6], InFlight: v[8],
		Discards: v[11], DiscardMerges: v[12], DiscardSectors: v[13], Flushes: v[15],
	}, nil
}

// Completed is how many bios, or pieces of split ones, have completed: each is a request, or
// was merged into one. A flush without data is counted as a write, too. It compares to
// Counts.Pieces, and of a driver that takes bios to the bios themselves.
func (s Stat) Completed() uint64 {
	return s.Reads + s.ReadMerges + s.Writes + s.WriteMerges + s.Discards + s.DiscardMerges
}
