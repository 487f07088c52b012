package spec

// Feature identifiers (Base 5.27.1).
const (
	FeatArbitration   = 0x01
	FeatPower         = 0x02
	FeatTemperature   = 0x04
	FeatErrorRecovery = 0x05
	FeatWriteCache    = 0x06
	FeatQueues        = 0x07
	FeatIRQCoalescing = 0x08
	FeatIRQVector     = 0x09
	FeatAtomicity     = 0x0a
	FeatAsyncEvents   = 0x0b
	FeatTimestamp     = 0x0e
)

// FeatureSave is CDW10 bit 31 of Set Features: keep the value over a reset.
const FeatureSave = uint32(1) << 31

// SEL, CDW10 10:8 of Get Features (Base 5.15).
const (
	SelectCurrent   = 0
	SelectDefault   = 1
	SelectSaved     = 2
	SelectSupported = 3 // dword 0 has the Capability bits
)

// What dword 0 says under SelectSupported.
const (
	CapabilitySaveable     = 1 << 0
	CapabilityPerNamespace = 1 << 1
	CapabilityChangeable   = 1 << 2
)

// Bits of CDW11 of Set Features.
const (
	ErrorRecoveryDULBE  = uint32(1) << 16 // error for a deallocated block (NVM 4.1.3.2)
	IRQVectorNoCoalesce = uint32(1) << 16 // CD (Base 5.27.1.7)
	EventNamespace      = uint32(1) << 8  // namespace attribute notices (Base 5.27.1.9); also in OAES
	EventWarnings       = uint32(0xff)    // SMART critical warnings
)

// Temperature Threshold (Base 5.27.1.3): CDW11 TMPTH 15:0 kelvin, TMPSEL 19:16,
// THSEL 21:20.
const (
	TemperatureOver      = 0
	TemperatureUnder     = 1
	TemperatureComposite = 0
	TemperatureAll       = 15
)

// EncodeQueues is CDW11 of Set Features, Number of Queues, and dword 0 of its
// answer (Base 5.27.1.5): how many I/O queues of each kind, 1's based.
func EncodeQueues(sqs, cqs int) uint32 { return uint32(sqs-1)&0xffff | uint32(cqs-1)<<16 }

// DecodeQueues is the reverse.
func DecodeQueues(v uint32) (sqs, cqs int) { return int(v&0xffff) + 1, int(v>>16) + 1 }

// EncodeArbitration is CDW11 of Arbitration (Base 5.27.1.1): the burst as a power
// of 2 (7: no limit), and the weights, 0's based.
func EncodeArbitration(burst, low, medium, high uint8) uint32 {
	return uint32(burst&7) | uint32(low)<<8 | uint32(medium)<<16 | uint32(high)<<24
}

// EncodeCoalescing is CDW11 of Interrupt Coalescing (Base 5.27.1.6): entries,
// 0's based, and time in units of 100 us.
func EncodeCoalescing(threshold, time uint8) uint32 { return uint32(threshold) | uint32(time)<<8 }
