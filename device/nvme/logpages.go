package nvme

import (
	"encoding/binary"
	"time"

	"blksim/device/nvme/spec"
)

// maxLog bounds what one Get Log Page transfers where MDTS does not. The pages have
// 4 KiB; a host that asks for 16 GiB would have the controller write zeroes for
// seconds.
const maxLog = 1 << 20

// getLogPage is Get Log Page (Base 5.16). All pages fit in one page of memory;
// what a host asks for beyond their ends is zeroes.
func (c *Controller) getLogPage(cmd *command, e *spec.SQE) spec.Status {
	lid := uint8(e.CDW10())
	put := c.logPage(lid)
	if put == nil {
		return spec.InvalidLogPage
	}
	n := (uint64(e.CDW10()>>16|e.CDW11()<<16) + 1) * 4
	off := uint64(e.CDW12()) | uint64(e.CDW13())<<32
	switch {
	case off%4 != 0 || off > uint64(len(c.page)) || e.CDW14()>>23&1 != 0: // OT: offsets are bytes
		return spec.InvalidField
	case c.cfg.MDTS != 0 && n > 1<<(minPageShift+c.cfg.MDTS) || n > maxLog:
		return spec.InvalidField
	case lid == spec.LogHealth && e.NSID() != 0 && e.NSID() != spec.NSIDAll:
		return spec.InvalidField // LPA: not by namespace
	}
	clear(c.page)
	put(c.page)
	st := c.pageToHost(cmd, c.page[off:], n)
	if st == spec.Success && e.CDW10()&spec.LogRetainEvent == 0 {
		if lid == spec.LogNamespaces {
			c.ev.changed = c.ev.changed[:0]
		}
		c.readLog(lid)
	}
	return st
}

// pageToHost copies b and then zeroes, n bytes in all.
func (c *Controller) pageToHost(cmd *command, b []byte, n uint64) spec.Status {
	w := c.walk(cmd, int(n))
	for {
		p, n, st := w.next()
		if n == 0 {
			return st
		}
		k := copy(p, b)
		clear(p[k:])
		b = b[k:]
	}
}

// logPage is the function that writes a page; nil if there is no such page.
func (c *Controller) logPage(lid uint8) func(b []byte) {
	switch lid {
	case spec.LogSupported:
		return c.putSupportedLogs
	case spec.LogErrors:
		return c.putErrorLog
	case spec.LogHealth:
		return func(b []byte) {
			h := c.health()
			h.Put(b)
		}
	case spec.LogFirmware:
		return func(b []byte) {
			b[0] = 1 // AFI: slot 1 is active
			copy(b[8:16], "        ")
			copy(b[8:16], c.cfg.Firmware)
		}
	case spec.LogNamespaces:
		return func(b []byte) {
			for i, id := range c.ev.changed {
				binary.LittleEndian.PutUint32(b[4*i:], id)
			}
		}
	case spec.LogEffects:
		return c.putEffects
	case spec.LogFeatures:
		return c.putFeatures
	case spec.LogManagement:
		return func([]byte) {} // LPA bit 5 asks for the page; there are none
	}
	return nil
}

// putSupportedLogs writes the Supported Log Pages page: bit 0 of a dword each.
func (c *Controller) putSupportedLogs(b []byte) {
	for lid := range 256 {
		if c.logPage(uint8(lid)) != nil {
			b[4*lid] = 1
		}
	}
}

// adminEffects are the admin commands that there are, with their effects.
var adminEffects = []struct {
	opcode int
	effect uint32
}{
	{spec.AdminDeleteSQ, spec.ScopeController},
	{spec.AdminCreateSQ, spec.ScopeController},
	{spec.AdminGetLogPage, spec.ScopeController},
	{spec.AdminDeleteCQ, spec.ScopeController},
	{spec.AdminCreateCQ, spec.ScopeController},
	{spec.AdminIdentify, spec.ScopeController},
	{spec.AdminAbort, spec.ScopeController},
	{spec.AdminSetFeatures, spec.ScopeController | spec.EffectController},
	{spec.AdminGetFeatures, spec.ScopeController},
	{spec.AdminAsyncEvent, spec.ScopeController},
	{spec.AdminNSManage, spec.ScopeSubsystem | spec.EffectContent | spec.EffectInventory},
	{spec.AdminNSAttach, spec.ScopeSubsystem | spec.EffectInventory},
	{spec.AdminFormat, spec.ScopeNamespace | spec.EffectContent | spec.EffectNamespace},
}

// putEffects writes Commands Supported and Effects: 256 admin commands and 256
// I/O commands.
func (c *Controller) putEffects(b []byte) {
	for _, a := range adminEffects {
		binary.LittleEndian.PutUint32(b[4*a.opcode:], a.effect|spec.EffectSupported)
	}
	for op := range 256 {
		v := spec.ScopeNamespace
		switch op {
		case spec.IOWrite, spec.IOWriteZeroes, spec.IODatasetManagement, spec.IOCopy:
			v |= spec.EffectContent
		}
		if c.hasIO(uint8(op)) {
			binary.LittleEndian.PutUint32(b[1024+4*op:], v|spec.EffectSupported)
		}
	}
}

// putFeatures writes Feature Identifiers Supported and Effects.
func (c *Controller) putFeatures(b []byte) {
	for id := range uint32(256) {
		f := c.feature(id)
		if f == nil {
			continue
		}
		v := uint32(1) // FSUPP
		if f.caps&spec.CapabilityPerNamespace != 0 {
			v |= spec.ScopeNamespace
		} else {
			v |= spec.ScopeController
		}
		binary.LittleEndian.PutUint32(b[4*id:], v)
	}
}

// Temperatures, kelvin. The drive has one and does not warm up.
const (
	temperature         = 313
	warnTemperature     = 0x157
	criticalTemperature = 0x15c
)

// counts are what Health tells beside Stats.
type counts struct {
	reads, writes   uint64 // commands that succeeded
	copied          uint64 // bytes read and written by Copy
	mediaErrors     uint64
	unsafeShutdowns uint64 // subsystem resets without a shutdown before them
	warned          uint8  // warnings that an event was made for
}

func (c *Controller) health() spec.Health {
	units := func(n uint64) uint64 { return (n + 511999) / 512000 }
	return spec.Health{
		Warning: c.warnings(), Temperature: temperature, Spare: 100, SpareThreshold: 10,
		UnitsRead: units(c.stats.ReadBytes + c.counts.copied), UnitsWritten: units(c.stats.WrittenBytes + c.counts.copied),
		Reads: c.counts.reads, Writes: c.counts.writes,
		PowerCycles: 1, PowerOnHours: uint64(time.Duration(c.lane.Now()) / time.Hour),
		UnsafeShutdowns: c.counts.unsafeShutdowns, MediaErrors: c.counts.mediaErrors, ErrorEntries: c.errors.count,
	}
}

// warnings are the Critical Warning bits.
func (c *Controller) warnings() uint8 {
	if temperature >= c.feat.over || temperature <= c.feat.under {
		return spec.WarnTemperature
	}
	return 0
}

// checkHealth makes an event of a warning that is new and that the host wants to
// hear of.
func (c *Controller) checkHealth() {
	now := c.warnings()
	fresh := now &^ c.counts.warned & uint8(c.feat.asyncEvents()&spec.EventWarnings)
	c.counts.warned = c.counts.warned&now | fresh
	if fresh&spec.WarnTemperature != 0 {
		c.raiseEvent(spec.EventHealth, spec.HealthTemperature)
	}
}
