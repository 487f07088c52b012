package spec

// Log page identifiers (Base 5.16.1).
const (
	LogSupported  = 0x00
	LogErrors     = 0x01
	LogHealth     = 0x02
	LogFirmware   = 0x03
	LogNamespaces = 0x04 // changed namespaces
	LogEffects    = 0x05
	LogFeatures   = 0x12
	LogManagement = 0x13 // NVMe-MI commands
)

// LogRetainEvent is CDW10 bit 15 of Get Log Page, RAE: reading does not clear
// the event that points here.
const LogRetainEvent = uint32(1) << 15

// LogCDW10 and LogCDW11 are those dwords of Get Log Page for n bytes, a multiple
// of 4.
func LogCDW10(lid uint8, n int) uint32 { return uint32(lid) | uint32(n/4-1)<<16 }
func LogCDW11(n int) uint32            { return uint32(n/4-1) >> 16 }

// ErrorEntrySize is the size of an entry of the error log.
const ErrorEntrySize = 64

// ErrorEntry is one (Base 5.16.1.2).
type ErrorEntry struct {
	Count    uint64 // 0: unique, ascending
	SQID     uint16 // 8
	CID      uint16 // 10: FFFFh if it is about no command
	Status   Status // 12
	Location uint16 // 14: byte 7:0 and bit 10:8 of the command; FFFFh: none in particular
	LBA      uint64 // 16
	NSID     uint32 // 24
}

// NoLocation is Location where no field is at fault, and CID where no command is.
const NoLocation = 0xffff

// Put writes the entry into 64 bytes.
func (e *ErrorEntry) Put(b []byte) {
	clear(b[:ErrorEntrySize])
	le.PutUint64(b[0:], e.Count)
	le.PutUint16(b[8:], e.SQID)
	le.PutUint16(b[10:], e.CID)
	le.PutUint16(b[12:], uint16(e.Status)<<1)
	le.PutUint16(b[14:], e.Location)
	le.PutUint64(b[16:], e.LBA)
	le.PutUint32(b[24:], e.NSID)
}

// DecodeErrorEntry reads one.
func DecodeErrorEntry(b []byte) ErrorEntry {
	return ErrorEntry{
		Count: le.Uint64(b), SQID: le.Uint16(b[8:]), CID: le.Uint16(b[10:]), Status: Status(le.Uint16(b[12:]) >> 1),
		Location: le.Uint16(b[14:]), LBA: le.Uint64(b[16:]), NSID: le.Uint32(b[24:]),
	}
}

// Health is the SMART / Health Information page (Base 5.16.1.3), what of it we
// use. Counters are 128 bits on the wire.
type Health struct {
	Warning         uint8  // 0
	Temperature     uint16 // 1, kelvin
	Spare           uint8  // 3, percent
	SpareThreshold  uint8  // 4
	Used            uint8  // 5
	UnitsRead       uint64 // 32, thousands of 512 bytes
	UnitsWritten    uint64 // 48
	Reads           uint64 // 64, commands
	Writes          uint64 // 80
	BusyMinutes     uint64 // 96
	PowerCycles     uint64 // 112
	PowerOnHours    uint64 // 128
	UnsafeShutdowns uint64 // 144
	MediaErrors     uint64 // 160
	ErrorEntries    uint64 // 176
}

// Bits of Warning, and the asynchronous event information that goes with them
// (Base 5.2).
const (
	WarnSpare       = 1 << 0
	WarnTemperature = 1 << 1
	WarnReliability = 1 << 2
	WarnReadOnly    = 1 << 3
)

// Put writes the page into 512 bytes.
func (h *Health) Put(b []byte) {
	clear(b[:512])
	b[0], b[3], b[4], b[5] = h.Warning, h.Spare, h.SpareThreshold, h.Used
	le.PutUint16(b[1:], h.Temperature)
	for i, v := range []uint64{h.UnitsRead, h.UnitsWritten, h.Reads, h.Writes, h.BusyMinutes, h.PowerCycles,
		h.PowerOnHours, h.UnsafeShutdowns, h.MediaErrors, h.ErrorEntries} {
		le.PutUint64(b[32+16*i:], v)
	}
}

// DecodeHealth reads the page.
func DecodeHealth(b []byte) Health {
	at := func(off int) uint64 { return le.Uint64(b[off:]) }
	return Health{
		Warning: b[0], Temperature: le.Uint16(b[1:]), Spare: b[3], SpareThreshold: b[4], Used: b[5],
		UnitsRead: at(32), UnitsWritten: at(48), Reads: at(64), Writes: at(80), BusyMinutes: at(96), PowerCycles: at(112),
		PowerOnHours: at(128), UnsafeShutdowns: at(144), MediaErrors: at(160), ErrorEntries: at(176),
	}
}

// Asynchronous event types and information (Base 5.2): dword 0 is the type 2:0,
// the information 15:8 and the log page 23:16.
const (
	EventError  = 0
	EventHealth = 1
	EventNotice = 2

	ErrorDoorbellRegister = 0x00 // of EventError
	ErrorDoorbellValue    = 0x01
	ErrorDiagnostic       = 0x02
	ErrorPersistent       = 0x03
	ErrorTransient        = 0x04

	HealthReliability = 0x00 // of EventHealth
	HealthTemperature = 0x01
	HealthSpare       = 0x02

	NoticeNamespace = 0x00 // of EventNotice
)

// EventDword0 puts dword 0 together.
func EventDword0(typ, info, lid uint8) uint32 {
	return uint32(typ&7) | uint32(info)<<8 | uint32(lid)<<16
}

// Bits of the Commands Supported and Effects page (Base 5.16.1.6).
const (
	EffectSupported  = uint32(1) << 0 // CSUPP
	EffectContent    = uint32(1) << 1 // LBCC: data may change
	EffectNamespace  = uint32(1) << 2 // NCC: capabilities of a namespace
	EffectInventory  = uint32(1) << 3 // NIC: the namespaces themselves
	EffectController = uint32(1) << 4 // CCC

	ScopeNamespace  = uint32(1) << 20 // also in the features' page
	ScopeController = uint32(1) << 21
	ScopeSubsystem  = uint32(1) << 25
)
