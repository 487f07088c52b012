package flash

import (
	"time"

	"blksim/aio/lane"
)

// slc is the part of the drive that is written with one bit a cell, quickly, until
// it is full (Config.SLC). It is emptied into cells of several bits while the host
// writes nothing, as fast as all dies can: what was emptied by a moment is computed
// when the next row is written, so that an idle drive costs no events. Reads that
// come meanwhile do not wait for it, and read both kinds alike.
type slc struct {
	cycle time.Duration // that a die takes to empty a row, on average
	used  int64         // bytes
	quiet lane.Time     // since when all rows are programmed
	busy  bool          // there are some that are not
}

func (s *slc) init(c Config) {
	s.cycle = c.ReadSpread.Mean(c.ReadTime) + 2*transfer(int64(c.Row()), c.ChannelRate) + c.ProgramSpread.Mean(c.ProgramTime)
}

// takeSLC says whether the row that is closed at t is written with one bit a cell.
func (f *Flash) takeSLC(t lane.Time) bool {
	s := &f.slc
	if f.cfg.SLC == 0 {
		return false
	}
	if !s.busy && s.used > 0 {
		s.used = max(0, s.used-int64(t.Sub(s.quiet)/s.cycle)*int64(len(f.dies))*f.rowBytes)
	}
	s.busy = true
	if s.used+f.rowBytes > f.cfg.SLC {
		return false
	}
	s.used += f.rowBytes
	return true
}

// settleSLC follows the end of a program.
func (f *Flash) settleSLC(t lane.Time) {
	b := &f.buffer
	if inUse := b.rows - b.free; inUse == 0 || inUse == 1 && b.open {
		f.slc.busy, f.slc.quiet = false, t
	}
}
