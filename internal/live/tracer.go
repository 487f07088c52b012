package live

import (
	"time"

	"blksim/internal/ebpf"
	"blksim/traces"
)

// Config says what to look at. The zero value is every I/O of every device but of this
// process.
type Config struct {
	Devices    []string // names or paths; none: all
	Ops        []traces.Op
	PIDs       []uint32
	MinLatency time.Duration
	Requests   bool // of sources of events: requests instead of bios
	AppIDs     bool // of sources of events: the application's ids
	Queue      bool // of histograms: the queue's part and the whole too, at twice the cost
	PerDevice  bool // of histograms: each device by itself
	Own        bool // of sources of events: this process's own I/O too
}

// Title is what is looked at, in words.
func (c *Config) Title() string {
	if len(c.Devices) == 0 {
		return "all devices"
	}
	title := ""
	for i, d := range c.Devices {
		if i > 0 {
			title += ", "
		}
		title += d
	}
	return title
}

// options are the tracer's.
func (c *Config) options(devices []ebpf.Device) ebpf.Options {
	return ebpf.Options{Devices: devices, Ops: c.Ops, PIDs: c.PIDs, MinLatency: c.MinLatency}
}
