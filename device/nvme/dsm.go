package nvme

import "blksim/device/nvme/spec"

// decodeDSM decodes Dataset Management (NVM 3.2.3). Only deallocate does
// anything. The ranges are copied now: the host's buffer is read once, and a bad
// range fails the command before anything of it is done.
func (c *Controller) decodeDSM(cmd *command, e *spec.SQE) spec.Status {
	cmd.op.Kind = OpTrim
	cmd.setRanges(0)
	cmd.setData(e)
	n := int(e.CDW10()&0xff) + 1
	b := c.page[:n*spec.DSMRangeSize]
	if st := c.fromHost(cmd, b); st != spec.Success {
		return st
	}
	if e.CDW11()&spec.DSMDeallocate == 0 {
		return spec.Success
	}
	for ; len(b) > 0; b = b[spec.DSMRangeSize:] {
		slba, blocks := spec.DSMRange(b)
		if blocks == 0 {
			continue
		}
		if !cmd.ns.inRange(slba, uint64(blocks)) {
			return spec.LBAOutOfRange
		}
		cmd.op.Ranges = append(cmd.op.Ranges, cmd.ns.extent(slba, uint64(blocks)))
	}
	return spec.Success
}

// decodeWriteZeroes decodes Write Zeroes (NVM 3.2.8). It moves no data, so MDTS
// does not limit it. The blocks are deallocated, and read as zeroes, whether or
// not DEAC asks for it.
func (c *Controller) decodeWriteZeroes(cmd *command, e *spec.SQE) spec.Status {
	blocks := uint64(e.CDW12()&0xffff) + 1
	if !cmd.ns.inRange(e.SLBA(), blocks) {
		return spec.LBAOutOfRange
	}
	cmd.op.Kind = OpTrim
	cmd.setRanges(1)
	cmd.op.Ranges[0] = cmd.ns.extent(e.SLBA(), blocks)
	return spec.Success
}

// setRanges makes room for n ranges. A slot that has once had a trim keeps its
// memory, so that trims stop allocating.
func (cmd *command) setRanges(n int) {
	if cmd.op.Ranges == nil {
		cmd.op.Ranges = make([]Extent, 0, 1)
	}
	cmd.op.Ranges = cmd.op.Ranges[:n]
}
