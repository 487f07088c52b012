package nvme

import (
	"fmt"
	"math/bits"
	"slices"
	"time"

	"blksim/sim/faultplan"
)

// Config describes a controller and its namespaces. The zero value is a working
// device of 1 GiB with one namespace.
type Config struct {
	Capacity int64 // bytes of all namespaces, a multiple of LBASize; 0: 1 GiB
	LBASize  int   // logical block of a namespace that names none, bytes: 512 or 4096; 0: 512

	Namespaces    []Namespace // from NSID 1 on; none: one of Capacity
	MaxNamespaces int         // largest NSID (NN), up to 1024; 0: as many as there are

	Queues     int // I/O queue pairs at most, up to 4096; 0: 64
	QueueDepth int // entries of an I/O queue at most, 2 to 65536; 0: 4096
	Vectors    int // interrupt vectors, up to 4097; 0: one for each queue and one for admin
	Slots      int // I/O commands fetched and not completed at most, up to 65536; 0: 1024
	AbortLimit int // Abort commands at once, 1 to 256; 0: 4
	EventLimit int // event requests (AER) at once, 1 to 256; 0: 4

	MDTS           uint8         // largest transfer is 4 KiB << MDTS, up to 16; 0: no limit
	PageMax        int           // largest host page, bytes, a power of two, 4 KiB to 128 MiB; 0: 64 KiB
	DoorbellStride uint8         // CAP.DSTRD: doorbells are 4 << stride bytes apart, up to 10
	ReadyDelay     time.Duration // from CC.EN to CSTS.RDY
	Data           DataMode      // what becomes of the data

	Observer QueueObserver // is told what becomes of the queues; nil: nobody is

	Faults    *faultplan.Injector // what goes wrong; nil: nothing. It is the controller's, on its lane
	FaultRand faultplan.Source    // decides where within a command; needed with Faults

	Model    string // 40 characters; "": blksim NVMe
	Serial   string // 20 characters; "": 0
	Firmware string // 8 characters; "": 1.0
}

// Namespace describes a namespace that a device has from the start.
type Namespace struct {
	Size     int64 // bytes, a multiple of 4096 (or of LBASize, if it is the only one)
	LBASize  int   // 0: Config.LBASize
	Detached bool  // not attached to the controller
}

// DataMode says what becomes of the data that is written.
type DataMode uint8

// Data modes.
const (
	Sparse  DataMode = iota // kept, in memory that follows what was written
	Discard                 // neither stored nor moved: PRPs are checked, buffers are left alone
)

// Validate says what is wrong with c, if anything.
func (c Config) Validate() error {
	d := c.withDefaults()
	bad := func(field string, v any, want string) error {
		return fmt.Errorf("nvme: Config.%s is %v, want %s", field, v, want)
	}
	in := func(v, lo, hi int) bool { return lo <= v && v <= hi }
	switch {
	case d.LBASize != 512 && d.LBASize != 4096:
		return bad("LBASize", c.LBASize, "512 or 4096")
	case d.Capacity <= 0 || d.Capacity%int64(d.LBASize) != 0:
		return bad("Capacity", c.Capacity, fmt.Sprintf("a positive multiple of %d", d.LBASize))
	case !in(d.MaxNamespaces, len(d.Namespaces), 1024):
		return bad("MaxNamespaces", c.MaxNamespaces, "at least the number of namespaces, and at most 1024")
	case !in(d.Queues, 1, 4096):
		return bad("Queues", c.Queues, "1 to 4096")
	case !in(d.QueueDepth, 2, 65536):
		return bad("QueueDepth", c.QueueDepth, "2 to 65536")
	case !in(d.Vectors, 1, 4097):
		return bad("Vectors", c.Vectors, "1 to 4097")
	case !in(d.Slots, 1, 65536):
		return bad("Slots", c.Slots, "1 to 65536")
	case !in(d.AbortLimit, 1, 256):
		return bad("AbortLimit", c.AbortLimit, "1 to 256")
	case !in(d.EventLimit, 1, 256):
		return bad("EventLimit", c.EventLimit, "1 to 256")
	case d.MDTS > 16:
		return bad("MDTS", c.MDTS, "0 to 16")
	case !in(d.PageMax, 4096, 128<<20) || d.PageMax&(d.PageMax-1) != 0:
		return bad("PageMax", c.PageMax, "a power of two from 4096 to 128 MiB")
	case d.DoorbellStride > 10:
		return bad("DoorbellStride", c.DoorbellStride, "0 to 10")
	case d.ReadyDelay < 0 || d.ReadyDelay > time.Minute:
		return bad("ReadyDelay", c.ReadyDelay, "0 to 1m")
	case d.Data > Discard:
		return bad("Data", c.Data, "Sparse or Discard")
	case d.Faults != nil && d.FaultRand == nil:
		return bad("FaultRand", c.FaultRand, "a source of random numbers, with Faults")
	case !printable(d.Model, 40):
		return bad("Model", c.Model, "at most 40 ASCII characters")
	case !printable(d.Serial, 20):
		return bad("Serial", c.Serial, "at most 20 ASCII characters")
	case !printable(d.Firmware, 8):
		return bad("Firmware", c.Firmware, "at most 8 ASCII characters")
	}
	return d.validateNamespaces()
}

func (c Config) validateNamespaces() error {
	left := c.Capacity
	for i, n := range c.Namespaces {
		field := fmt.Sprintf("nvme: Config.Namespaces[%d]", i)
		unit := int64(nsGranularity)
		if len(c.Namespaces) == 1 {
			unit = int64(n.LBASize)
		}
		if n.LBASize != 512 && n.LBASize != 4096 {
			return fmt.Errorf("%s.LBASize is %d, want 512 or 4096", field, n.LBASize)
		}
		if n.Size <= 0 || n.Size%unit != 0 || n.Size > left {
			return fmt.Errorf("%s.Size is %d, want a positive multiple of %d, of the %d bytes that are left", field, n.Size, unit, left)
		}
		left -= n.Size
	}
	return nil
}

func (c Config) withDefaults() Config {
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	if c.Capacity == 0 {
		c.Capacity = 1 << 30
	}
	def(&c.LBASize, 512)
	if c.Namespaces == nil {
		c.Namespaces = []Namespace{{Size: c.Capacity}}
	} else {
		c.Namespaces = slices.Clone(c.Namespaces)
	}
	for i := range c.Namespaces {
		def(&c.Namespaces[i].LBASize, c.LBASize)
	}
	def(&c.MaxNamespaces, max(1, len(c.Namespaces)))
	def(&c.Queues, 64)
	def(&c.QueueDepth, 4096)
	def(&c.Vectors, c.Queues+1)
	def(&c.Slots, 1024)
	def(&c.AbortLimit, 4)
	def(&c.EventLimit, 4)
	def(&c.PageMax, 64<<10)
	if c.Model == "" {
		c.Model = "blksim NVMe"
	}
	if c.Serial == "" {
		c.Serial = "0"
	}
	if c.Firmware == "" {
		c.Firmware = "1.0"
	}
	return c
}

// shiftOf is log2 of a logical block.
func shiftOf(lbaSize int) uint8 { return uint8(bits.TrailingZeros(uint(lbaSize))) }

func printable(s string, most int) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return len(s) <= most
}
