package nvme

import "blksim/device/nvme/spec"

// decodeVerify decodes Verify (NVM 3.2.5): a read whose data goes nowhere, so
// that MDTS does not limit it (Identify says VSL 0).
func (c *Controller) decodeVerify(cmd *command, e *spec.SQE) spec.Status {
	cmd.op.Kind = OpRead
	return cmd.setBlocks(e.SLBA(), uint64(e.CDW12()&0xffff)+1)
}
