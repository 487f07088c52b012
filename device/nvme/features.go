package nvme

import "blksim/device/nvme/spec"

// features are the values that Set Features changes (Base 5.27.1). None is kept
// over a reset.
type features struct {
	arbitration uint32
	events      uint32
	cacheOff    bool // volatile write cache disabled: every write is forced
	sqs, cqs    int  // I/O queues granted
}

func (f *features) reset(cfg Config) {
	// Bursts of 8 (2^3), all weights 1.
	*f = features{arbitration: 3, sqs: cfg.Queues, cqs: cfg.Queues}
}

// burst is the arbitration burst; 7 says that there is no limit.
func (f *features) burst() int {
	if ab := f.arbitration & 7; ab != 7 {
		return 1 << ab
	}
	return 1 << 30
}

func (c *Controller) setFeatures(cmd *command, e *spec.SQE) spec.Status {
	if e.CDW10()&spec.FeatureSave != 0 {
		return spec.FeatureNotSaveable // ONCS says that nothing is
	}
	v := e.CDW11()
	switch e.CDW10() & 0xff {
	case spec.FeatArbitration:
		c.feat.arbitration = v
		c.burst = c.feat.burst()
	case spec.FeatWriteCache:
		if !c.medium.Volatile() {
			return spec.InvalidField
		}
		c.feat.cacheOff = v&1 == 0
	case spec.FeatQueues:
		return c.setQueues(cmd, v)
	case spec.FeatAsyncEvents:
		c.feat.events = v
	default:
		return spec.InvalidField
	}
	return spec.Success
}

// setQueues is Number of Queues (Base 5.27.1.5): only before there are any.
func (c *Controller) setQueues(cmd *command, v uint32) spec.Status {
	for i := 1; i < len(c.sqs); i++ {
		if c.sqs[i] != nil || c.cqs[i] != nil {
			return spec.CommandSequenceError
		}
	}
	if v&0xffff == 0xffff || v>>16 == 0xffff {
		return spec.InvalidField
	}
	sqs, cqs := spec.DecodeQueues(v)
	c.feat.sqs, c.feat.cqs = min(sqs, c.cfg.Queues), min(cqs, c.cfg.Queues)
	cmd.result = uint64(spec.EncodeQueues(c.feat.sqs, c.feat.cqs))
	return spec.Success
}

func (c *Controller) getFeatures(cmd *command, e *spec.SQE) spec.Status {
	if e.CDW10()>>8&7 != 0 {
		return spec.InvalidField // only the current value: ONCS has no Select
	}
	var v uint32
	switch e.CDW10() & 0xff {
	case spec.FeatArbitration:
		v = c.feat.arbitration
	case spec.FeatWriteCache:
		if !c.medium.Volatile() {
			return spec.InvalidField
		}
		if !c.feat.cacheOff {
			v = 1
		}
	case spec.FeatQueues:
		v = spec.EncodeQueues(c.feat.sqs, c.feat.cqs)
	case spec.FeatAsyncEvents:
		v = c.feat.events
	default:
		return spec.InvalidField
	}
	cmd.result = uint64(v)
	return spec.Success
}
