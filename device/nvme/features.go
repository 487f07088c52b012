package nvme

import (
	"encoding/binary"

	"blksim/device/nvme/spec"
)

// feature is what the controller knows of one feature (Base 5.27.1).
type feature struct {
	caps uint8 // spec.Capability bits
	// set checks and takes a value. Nil: the value is only kept.
	set func(c *Controller, cmd *command, e *spec.SQE) spec.Status
	// get is the current value, where it is not the one that is kept.
	get func(c *Controller, cmd *command, e *spec.SQE) (uint32, spec.Status)
}

const (
	featChange = spec.CapabilityChangeable
	featSave   = spec.CapabilitySaveable | spec.CapabilityChangeable
	featByNS   = spec.CapabilityPerNamespace | spec.CapabilityChangeable
)

// numFeatures is one more than the largest identifier.
const numFeatures = spec.FeatTimestamp + 1

// featureTable returns the features that there are.
func featureTable() [numFeatures]*feature {
	return [numFeatures]*feature{
		spec.FeatArbitration:   {caps: featSave, set: setArbitration},
		spec.FeatPower:         {caps: featSave, set: setPower},
		spec.FeatTemperature:   {caps: featChange, set: setTemperature, get: getTemperature},
		spec.FeatErrorRecovery: {caps: featByNS, set: setErrorRecovery, get: getErrorRecovery},
		spec.FeatWriteCache:    {caps: featSave, get: getWriteCache},
		spec.FeatQueues:        {caps: featChange, set: setQueues, get: getQueues},
		spec.FeatIRQCoalescing: {caps: featSave},
		spec.FeatIRQVector: {caps: featChange,
			set: func(c *Controller, _ *command, e *spec.SQE) spec.Status { return c.setIRQVector(e.CDW11()) },
			get: func(c *Controller, _ *command, e *spec.SQE) (uint32, spec.Status) { return c.getIRQVector(e.CDW11()) }},
		spec.FeatAtomicity:   {caps: featSave},
		spec.FeatAsyncEvents: {caps: featSave, set: setAsyncEvents},
		spec.FeatTimestamp:   {caps: featChange, set: setTimestamp, get: getTimestamp},
	}
}

// features are the values. A saved one is what a reset brings back.
type features struct {
	table   [numFeatures]*feature
	current [numFeatures]uint32
	saved   [numFeatures]uint32
	over    uint16 // temperature thresholds, kelvin
	under   uint16
}

func newFeatures() features {
	f := features{table: featureTable()}
	for id := range f.saved {
		f.saved[id] = featureDefault(uint32(id))
	}
	return f
}

// featureDefault is the value of a feature that was never set: bursts of 8, equal
// weights, a write cache that is on, no events, nothing coalesced.
func featureDefault(id uint32) uint32 {
	switch id {
	case spec.FeatArbitration:
		return spec.EncodeArbitration(3, 0, 0, 0)
	case spec.FeatWriteCache:
		return 1
	case spec.FeatTemperature:
		return warnTemperature
	}
	return 0
}

func (f *features) coalescing() uint32  { return f.current[spec.FeatIRQCoalescing] }
func (f *features) asyncEvents() uint32 { return f.current[spec.FeatAsyncEvents] }

// resetFeatures brings the saved values back.
func (c *Controller) resetFeatures() {
	c.feat.current = c.feat.saved
	c.feat.over, c.feat.under = warnTemperature, 0
	c.arb.set(c.feat.current[spec.FeatArbitration])
	c.grantedSQs, c.grantedCQs = c.cfg.Queues, c.cfg.Queues
	for _, n := range c.ns {
		if n != nil {
			n.errorRecovery = 0
		}
	}
}

// cacheOff says that every write must be on the medium when it is done.
func (c *Controller) cacheOff() bool { return c.feat.current[spec.FeatWriteCache]&1 == 0 }

// feature looks an identifier up.
func (c *Controller) feature(id uint32) *feature {
	if id >= numFeatures || id == spec.FeatWriteCache && !c.medium.Volatile() {
		return nil
	}
	return c.feat.table[id]
}

// setFeatures is Set Features (Base 5.27).
func (c *Controller) setFeatures(cmd *command, entry *spec.SQE) spec.Status {
	e := new(spec.SQE) // the table's functions are indirect: what they get is on the heap
	*e = *entry
	id := e.CDW10() & 0xff
	f := c.feature(id)
	if f == nil {
		return spec.InvalidField
	}
	save := e.CDW10()&spec.FeatureSave != 0
	if save && f.caps&spec.CapabilitySaveable == 0 {
		return spec.FeatureNotSaveable
	}
	if n := e.NSID(); f.caps&spec.CapabilityPerNamespace == 0 && n != 0 && n != spec.NSIDAll {
		if _, st := c.findNS(n); st == spec.InvalidNamespace {
			return st
		}
		return spec.FeatureNotPerNamespace
	}
	if f.set != nil {
		if st := f.set(c, cmd, e); st != spec.Success {
			return st
		}
	}
	c.feat.current[id] = e.CDW11()
	if save {
		c.feat.saved[id] = e.CDW11()
	}
	if id == spec.FeatTemperature || id == spec.FeatAsyncEvents {
		c.checkHealth()
	}
	return spec.Success
}

// getFeatures is Get Features (Base 5.15).
func (c *Controller) getFeatures(cmd *command, entry *spec.SQE) spec.Status {
	e := new(spec.SQE)
	*e = *entry
	id := e.CDW10() & 0xff
	f := c.feature(id)
	if f == nil {
		return spec.InvalidField
	}
	var v uint32
	st := spec.Success
	switch e.CDW10() >> 8 & 7 {
	case spec.SelectCurrent:
		if v = c.feat.current[id]; f.get != nil {
			v, st = f.get(c, cmd, e)
		}
	case spec.SelectDefault:
		v = c.defaultValue(id)
	case spec.SelectSaved:
		if v = c.defaultValue(id); f.caps&spec.CapabilitySaveable != 0 {
			v = c.feat.saved[id]
		}
	case spec.SelectSupported:
		v = uint32(f.caps)
	default:
		return spec.InvalidField
	}
	cmd.result = uint64(v)
	return st
}

func (c *Controller) defaultValue(id uint32) uint32 {
	if id == spec.FeatQueues {
		return spec.EncodeQueues(c.cfg.Queues, c.cfg.Queues)
	}
	return featureDefault(id)
}

func setArbitration(c *Controller, _ *command, e *spec.SQE) spec.Status {
	c.arb.set(e.CDW11())
	return spec.Success
}

// setPower: there is one power state (NPSS 0).
func setPower(_ *Controller, _ *command, e *spec.SQE) spec.Status {
	if e.CDW11()&0x1f != 0 {
		return spec.InvalidField
	}
	return spec.Success
}

// setAsyncEvents takes only what OAES offers, and the health warnings.
func setAsyncEvents(_ *Controller, _ *command, e *spec.SQE) spec.Status {
	if e.CDW11()&^(spec.EventWarnings|spec.EventNamespace) != 0 {
		return spec.InvalidField
	}
	return spec.Success
}

// getWriteCache: WCE is bit 0, and the others are reserved.
func getWriteCache(c *Controller, _ *command, _ *spec.SQE) (uint32, spec.Status) {
	return c.feat.current[spec.FeatWriteCache] & 1, spec.Success
}

// setTemperature sets one of two thresholds of the composite temperature; there
// are no other sensors.
func setTemperature(c *Controller, _ *command, e *spec.SQE) spec.Status {
	v := e.CDW11()
	sensor, kind := v>>16&15, v>>20&3
	if sensor != spec.TemperatureComposite && sensor != spec.TemperatureAll {
		return spec.InvalidField
	}
	switch kind {
	case spec.TemperatureOver:
		c.feat.over = uint16(v)
	case spec.TemperatureUnder:
		c.feat.under = uint16(v)
	default:
		return spec.InvalidField
	}
	return spec.Success
}

func getTemperature(c *Controller, _ *command, e *spec.SQE) (uint32, spec.Status) {
	v := e.CDW11()
	switch sensor, kind := v>>16&15, v>>20&3; {
	case sensor != spec.TemperatureComposite:
		return 0, spec.InvalidField
	case kind == spec.TemperatureOver:
		return uint32(c.feat.over), spec.Success
	case kind == spec.TemperatureUnder:
		return uint32(c.feat.under), spec.Success
	}
	return 0, spec.InvalidField
}

// setErrorRecovery is of a namespace, or of all. Errors for deallocated blocks
// are not supported (NSFEAT says so).
func setErrorRecovery(c *Controller, _ *command, e *spec.SQE) spec.Status {
	v := e.CDW11()
	if v&spec.ErrorRecoveryDULBE != 0 {
		return spec.InvalidField
	}
	if e.NSID() == spec.NSIDAll {
		for _, n := range c.ns {
			if n != nil {
				n.errorRecovery = v
			}
		}
		return spec.Success
	}
	n, st := c.findNS(e.NSID())
	if st == spec.Success {
		n.errorRecovery = v
	}
	return st
}

func getErrorRecovery(c *Controller, _ *command, e *spec.SQE) (uint32, spec.Status) {
	n, st := c.findNS(e.NSID())
	if st != spec.Success {
		return 0, st
	}
	return n.errorRecovery, st
}

// setQueues is Number of Queues (Base 5.27.1.5): only before there are any.
func setQueues(c *Controller, cmd *command, e *spec.SQE) spec.Status {
	v := e.CDW11()
	for i := 1; i < len(c.sqs); i++ {
		if c.sqs[i] != nil || c.cqs[i] != nil {
			return spec.CommandSequenceError
		}
	}
	if v&0xffff == 0xffff || v>>16 == 0xffff {
		return spec.InvalidField
	}
	sqs, cqs := spec.DecodeQueues(v)
	c.grantedSQs, c.grantedCQs = min(sqs, c.cfg.Queues), min(cqs, c.cfg.Queues)
	cmd.result = uint64(spec.EncodeQueues(c.grantedSQs, c.grantedCQs))
	return spec.Success
}

func getQueues(c *Controller, _ *command, _ *spec.SQE) (uint32, spec.Status) {
	return spec.EncodeQueues(c.grantedSQs, c.grantedCQs), spec.Success
}

// timestamp is the Timestamp feature: milliseconds since 1970 as the host has
// set it, and when it did.
type timestamp struct {
	base  uint64 // of the moment at
	at    uint64 // milliseconds of the lane's clock
	byCmd bool   // set by a host; else counting from the reset
}

func (c *Controller) nowMillis() uint64 { return uint64(c.lane.Now()) / 1e6 }

func setTimestamp(c *Controller, cmd *command, _ *spec.SQE) spec.Status {
	b := c.page[:8]
	if st := c.fromHost(cmd, b); st != spec.Success {
		return st
	}
	c.clock = timestamp{base: binary.LittleEndian.Uint64(b) & (1<<48 - 1), at: c.nowMillis(), byCmd: true}
	return spec.Success
}

func getTimestamp(c *Controller, cmd *command, _ *spec.SQE) (uint32, spec.Status) {
	v := (c.clock.base + c.nowMillis() - c.clock.at) & (1<<48 - 1)
	if c.clock.byCmd {
		v |= 1 << 49 // origin: Set Features
	}
	b := c.page[:8]
	binary.LittleEndian.PutUint64(b, v)
	return 0, c.toHost(cmd, b)
}
