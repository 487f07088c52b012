package ebpf

import (
	"errors"
	"fmt"
	"time"

	"blksim/traces"
)

// Mode is what a Tracer makes of the I/O that it sees.
type Mode uint8

const (
	// Events gives a record of each I/O through Tracer.Read.
	Events Mode = iota
	// Histogram counts latencies in the kernel, for Tracer.Histograms: a tenth of the cost.
	Histogram
)

// Buckets is the shape of histograms.
type Buckets uint8

const (
	LogLinear Buckets = iota // those of internal/hist, under 1 % error
	Log2                     // one for each power of two
)

// Attach is the kind of tracepoint that programs are attached to.
type Attach uint8

const (
	Auto              Attach = iota // the best that the kernel has
	BTFTracepoint                   // tp_btf: from 5.5 on, arguments have types
	RawTracepoint                   // raw_tp: members are read by a helper
	ClassicTracepoint               // tracepoint: as perf's, for kernels without BTF; I/Os are told apart by their place
)

func (a Attach) String() string {
	switch a {
	case Auto:
		return "auto"
	case BTFTracepoint:
		return "tp_btf"
	case RawTracepoint:
		return "raw_tp"
	case ClassicTracepoint:
		return "tracepoint"
	}
	return fmt.Sprintf("attach(%d)", uint8(a))
}

const (
	maxDevices   = 8
	maxProcesses = 16
)

// Options says what to trace. The zero value gives an event of every bio of every
// device. What the options leave out is dropped in the kernel.
type Options struct {
	Mode Mode

	Devices    []Device    // at most 8; none: all
	Ops        []traces.Op // none: all
	PIDs       []uint32    // processes (not threads) that queue the I/O, at most 16; none: all
	SkipPID    uint32      // the I/O of this process is not looked at; 0: none
	MinLatency time.Duration

	Requests     bool // Events: a second stream, of requests
	RequestsOnly bool // Events: requests and no bios
	Unfinished   bool // Events: bios that were never seen to complete as well, with a Complete of 0
	AppIDs       bool // Events: the id that the application gave the I/O, for direct I/O; takes CAP_SYSLOG, without which there are none
	Buffer       int  // Events: bytes of the ring of each CPU, a power of two; 0: 4 MiB, less on more than 8 CPUs
	WakeBytes    int  // Events: the reader is woken when a CPU has written so much; 0: 64 KiB

	// QueueTime has histograms of the queue and of the whole, which need each bio to be
	// followed, beside that of the device.
	QueueTime bool
	Buckets   Buckets

	Attach Attach
}

// Device is what to trace of a disk: all of it, or the sectors of a partition.
type Device struct {
	Name       string // as in /sys/class/block
	Dev        Dev    // of the whole disk: the block layer knows no other
	First, End int64  // sectors of 512 bytes; the end is the first one behind
	// TakesBios is whether the driver takes bios and makes no requests of them (zram,
	// device mapper, md): nothing is ever issued, and only the whole latency can be told.
	TakesBios bool
	// Stacked is whether other disks are beneath, to which it may pass bios on.
	Stacked bool
}

// Partition is whether the device is a part of a disk.
func (d Device) Partition() bool { return d.First > 0 }

const defaultWake = 64 << 10

// Validate says what is wrong with the options, if anything is.
func (o Options) Validate() error {
	switch {
	case o.Mode > Histogram:
		return fmt.Errorf("ebpf: no mode %d", o.Mode)
	case o.Attach > ClassicTracepoint:
		return fmt.Errorf("ebpf: no way to attach %d", o.Attach)
	case o.Buckets > Log2:
		return fmt.Errorf("ebpf: no buckets %d", o.Buckets)
	case len(o.Devices) > maxDevices:
		return fmt.Errorf("ebpf: %d devices: at most %d can be told apart (none: all)", len(o.Devices), maxDevices)
	case len(o.PIDs) > maxProcesses:
		return fmt.Errorf("ebpf: %d processes: at most %d can be told apart (none: all)", len(o.PIDs), maxProcesses)
	case o.MinLatency < 0:
		return fmt.Errorf("ebpf: a minimum latency of %v", o.MinLatency)
	case o.Buffer != 0 && (o.Buffer < 4096 || o.Buffer > 1<<30 || o.Buffer&(o.Buffer-1) != 0):
		return fmt.Errorf("ebpf: a buffer of %d bytes: want a power of two from 4096 to 1 GiB", o.Buffer)
	case o.WakeBytes < 0:
		return fmt.Errorf("ebpf: a wake-up for every %d bytes", o.WakeBytes)
	}
	for _, d := range o.Devices {
		if d.Dev == 0 || d.First < 0 || d.End <= d.First {
			return fmt.Errorf("ebpf: device %q (%v) with sectors %d to %d: want FindDevice's result", d.Name, d.Dev, d.First, d.End)
		}
	}
	if err := apart(o.Devices); err != nil {
		return err
	}
	for _, op := range o.Ops {
		if int(op) >= traces.NumOps {
			return fmt.Errorf("ebpf: no op %d", op)
		}
	}
	if o.Mode == Histogram && (o.Requests || o.RequestsOnly || o.AppIDs) {
		return errors.New("ebpf: histograms have no requests and no ids: these are for events")
	}
	return nil
}

// apart says which devices share sectors, if any do: the kernel's own counters have an I/O
// of a partition twice, as the disk's too, and a trace has it once.
func apart(devices []Device) error {
	for i, a := range devices {
		for _, b := range devices[:i] {
			switch {
			case a.Dev != b.Dev || a.End <= b.First || b.End <= a.First:
			case a.Name == b.Name:
				return fmt.Errorf("ebpf: %s is named twice", a.Name)
			default:
				return fmt.Errorf("ebpf: %s and %s share sectors: want one of them", b.Name, a.Name)
			}
		}
	}
	return nil
}

// wantBios is whether bios are followed from the moment they are queued.
func (o Options) wantBios() bool {
	if o.Mode == Events || o.QueueTime || len(o.PIDs) > 0 || o.SkipPID != 0 {
		return true
	}
	for _, d := range o.Devices {
		if d.TakesBios {
			return true
		}
	}
	return false
}

// opBits are the kernel's operations that go by an op's name.
func opBits(op traces.Op) uint64 {
	switch op {
	case traces.Read:
		return 1 << 0
	case traces.Write:
		return 1 << 1
	case traces.Flush:
		return 1 << 2
	case traces.Discard:
		return 1<<3 | 1<<5
	case traces.WriteZeroes:
		return 1 << 9
	}
	return 0
}
