package nvme_test

import (
	"encoding/binary"
	"time"

	"blksim/device/nvme/spec"
)

func setIs(want spec.Status, cdw10, cdw11 uint32) func(r *rig) {
	return adminIs(want, spec.AdminSetFeatures, 0, cdw10, cdw11)
}

func (r *rig) get(id uint32) uint32 { return r.getWith(id, 0) }

func (r *rig) getWith(id, cdw11 uint32) uint32 {
	r.t.Helper()
	c := r.feature(spec.AdminGetFeatures, id, cdw11)
	r.eq(spec.Success, c.status)
	return c.result
}

func (r *rig) set(id, v uint32) {
	r.t.Helper()
	r.eq(spec.Success, r.feature(spec.AdminSetFeatures, id, v).status)
}

// keeps is the check that a value is set and got again.
func keeps(id, v uint32) func(r *rig) {
	return func(r *rig) { r.t.Helper(); r.set(id, v); r.eq(v, r.get(id)) }
}

const (
	selDefault   = spec.SelectDefault << 8
	selSaved     = spec.SelectSaved << 8
	selSupported = spec.SelectSupported << 8
	save         = spec.FeatureSave
)

var featureSections = []section{
	{"Base 5.15, 5.27 Get and Set Features", three, []rule{
		{"an unknown feature is Invalid Field (get)", adminIs(spec.InvalidField, spec.AdminGetFeatures, 0, 0x7f)},
		{"an unknown feature is Invalid Field (set)", setIs(spec.InvalidField, 0x7f, 0)},
		{"feature 0 is reserved", setIs(spec.InvalidField, 0, 0)},
		{"a reserved SEL is Invalid Field", adminIs(spec.InvalidField, spec.AdminGetFeatures, 0, 5<<8|spec.FeatArbitration)},
		{"SEL 1 is the default", func(r *rig) {
			r.set(spec.FeatArbitration, 5)
			r.eq(uint32(3), r.get(selDefault|spec.FeatArbitration))
		}},
		{"SEL 2 is the saved value, first the default", func(r *rig) {
			r.set(spec.FeatArbitration, 5)
			r.eq(uint32(3), r.get(selSaved|spec.FeatArbitration))
			r.set(save|spec.FeatArbitration, 6)
			r.eq(uint32(6), r.get(selSaved|spec.FeatArbitration))
		}},
		{"SEL 3 is saveable and changeable", func(r *rig) { r.eq(uint32(5), r.get(selSupported|spec.FeatArbitration)) }},
		{"SEL 3 is per namespace and changeable", func(r *rig) { r.eq(uint32(6), r.get(selSupported|spec.FeatErrorRecovery)) }},
		{"a value that is not saved is the default after a reset", func(r *rig) {
			r.set(spec.FeatArbitration, 5)
			r.w32(spec.RegCC, 0)
			r.enable()
			r.eq(uint32(3), r.get(spec.FeatArbitration))
		}},
		{"a saved value outlives a reset", func(r *rig) {
			r.set(save|spec.FeatArbitration, 5)
			r.w32(spec.RegCC, 0)
			r.enable()
			r.eq(uint32(5), r.get(spec.FeatArbitration))
		}},
		{"saving what cannot be is Feature Identifier Not Saveable", setIs(spec.FeatureNotSaveable, save|spec.FeatQueues, 0)},
		{"an NSID for a feature of the controller is Feature Not Namespace Specific", adminIs(spec.FeatureNotPerNamespace, spec.AdminSetFeatures, 1, spec.FeatArbitration, 1)},
		{"an NSID that cannot be is Invalid Namespace", adminIs(spec.InvalidNamespace, spec.AdminSetFeatures, 77, spec.FeatArbitration, 1)},
		{"FFFFFFFFh is taken for a feature of the controller", adminIs(spec.Success, spec.AdminSetFeatures, spec.NSIDAll, spec.FeatArbitration, 1)},
	}},
	{"Base 5.27.1 the features", three, []rule{
		{"01h arbitration is kept", keeps(spec.FeatArbitration, 0x0102_0304)},
		{"02h power state 0 is the only one", setIs(spec.InvalidField, spec.FeatPower, 1)},
		{"02h power state 0 is taken", setIs(spec.Success, spec.FeatPower, 0)},
		{"04h the over threshold is WCTEMP at first", func(r *rig) { r.eq(uint32(r.controllerData().WCTEMP), r.get(spec.FeatTemperature)) }},
		{"04h over and under are two thresholds", func(r *rig) {
			r.set(spec.FeatTemperature, 350)
			r.set(spec.FeatTemperature, 1<<20|250)
			r.eq([]uint32{350, 250}, []uint32{r.getWith(spec.FeatTemperature, 0), r.getWith(spec.FeatTemperature, 1<<20)})
		}},
		{"04h a sensor that is not there is Invalid Field", setIs(spec.InvalidField, spec.FeatTemperature, 3<<16|300)},
		{"04h all sensors are taken", setIs(spec.Success, spec.FeatTemperature, 15<<16|350)},
		{"04h a reserved threshold type is Invalid Field", setIs(spec.InvalidField, spec.FeatTemperature, 2<<20|300)},
		{"05h is of a namespace", func(r *rig) {
			r.eq(spec.Success, r.admin(r.adminCommand(spec.AdminSetFeatures, 2, spec.FeatErrorRecovery, 7)).status)
			r.eq(uint32(7), r.admin(r.adminCommand(spec.AdminGetFeatures, 2, spec.FeatErrorRecovery)).result)
			r.eq(uint32(0), r.admin(r.adminCommand(spec.AdminGetFeatures, 1, spec.FeatErrorRecovery)).result)
		}},
		{"05h FFFFFFFFh sets all namespaces", func(r *rig) {
			r.eq(spec.Success, r.admin(r.adminCommand(spec.AdminSetFeatures, spec.NSIDAll, spec.FeatErrorRecovery, 9)).status)
			r.eq(uint32(9), r.admin(r.adminCommand(spec.AdminGetFeatures, 2, spec.FeatErrorRecovery)).result)
		}},
		{"05h DULBE, which NSFEAT does not offer, is Invalid Field", adminIs(spec.InvalidField, spec.AdminSetFeatures, 1, spec.FeatErrorRecovery, 1<<16)},
		{"05h an inactive namespace is Invalid Field", adminIs(spec.InvalidField, spec.AdminSetFeatures, 3, spec.FeatErrorRecovery, 1)},
		{"06h the cache is on at first", func(r *rig) { r.eq(uint32(1), r.get(spec.FeatWriteCache)) }},
		{"06h the cache can be turned off", keeps(spec.FeatWriteCache, 0)},
		{"07h answers what is granted, 0's based", func(r *rig) {
			r.w32(spec.RegCC, 0)
			r.enable()
			r.eq(uint32(3<<16|1), r.feature(spec.AdminSetFeatures, spec.FeatQueues, 99<<16|1).result)
			r.eq(uint32(3<<16|1), r.get(spec.FeatQueues))
		}},
		{"07h 65535 queues is Invalid Field", func(r *rig) {
			r.w32(spec.RegCC, 0)
			r.enable()
			r.eq(spec.InvalidField, r.feature(spec.AdminSetFeatures, spec.FeatQueues, 0xffff).status.Code())
		}},
		{"07h with queues created is Command Sequence Error", setIs(spec.CommandSequenceError, spec.FeatQueues, 1)},
		{"08h coalescing is kept", keeps(spec.FeatIRQCoalescing, 0x0203)},
		{"09h is of a vector", func(r *rig) {
			r.set(spec.FeatIRQVector, 2|1<<16)
			r.eq([]uint32{2 | 1<<16, 1}, []uint32{r.getWith(spec.FeatIRQVector, 2), r.getWith(spec.FeatIRQVector, 1)})
		}},
		{"09h a vector that is not there is Invalid Field", setIs(spec.InvalidField, spec.FeatIRQVector, 77)},
		{"0Ah atomicity is kept", keeps(spec.FeatAtomicity, 1)},
		{"0Bh event configuration is kept", keeps(spec.FeatAsyncEvents, 0x11f)},
		{"0Bh a notice that OAES does not offer is Invalid Field", setIs(spec.InvalidField, spec.FeatAsyncEvents, 1<<9)},
		{"0Eh the timestamp runs from 0 before it is set", func(r *rig) {
			r.runFor(5 * time.Millisecond)
			r.eq(uint64(5), r.timestamp())
		}},
		{"0Eh the timestamp runs on from what the host set", func(r *rig) {
			e := r.adminCommand(spec.AdminSetFeatures, 0, spec.FeatTimestamp)
			put64(r.mem.at(e.PRP1(), 8), 1_700_000_000_000)
			r.eq(spec.Success, r.admin(e).status)
			r.runFor(7 * time.Millisecond)
			r.eq(uint64(1_700_000_000_007|1<<49), r.timestamp())
		}},
	}},
	{"Base 5.27.1.4 write cache without one", plain, []rule{
		{"get is Invalid Field", adminIs(spec.InvalidField, spec.AdminGetFeatures, 0, spec.FeatWriteCache)},
		{"set is Invalid Field", setIs(spec.InvalidField, spec.FeatWriteCache, 1)},
	}},
}

func (r *rig) timestamp() uint64 {
	e := r.adminCommand(spec.AdminGetFeatures, 0, spec.FeatTimestamp)
	r.eq(spec.Success, r.admin(e).status)
	return binary.LittleEndian.Uint64(r.mem.at(e.PRP1(), 8))
}
