package report

import (
	"fmt"
	"slices"
)

// Kernel is what the kernel's block layer saw of a run on a real disk, by eBPF. Bios
// are I/Os as the kernel got them from blksim; requests are what the disk's driver got,
// after merges and splits. Bios = Done + Lost + NotFollowed + NeverSeen.
type Kernel struct {
	Device   string `json:"device"`
	Bios     int64  `json:"bios"`
	Requests int64  `json:"requests"`

	BackMerges    int64 `json:"back_merges"` // bios put behind another one's request
	FrontMerges   int64 `json:"front_merges"`
	RequestMerges int64 `json:"request_merges"`
	Splits        int64 `json:"splits"`
	Requeues      int64 `json:"requeues"`
	Errors        int64 `json:"errors"`

	// Ops has times of the bios by operation.
	Ops map[string]KernelOp `json:"ops"`

	// Dispatched I/Os of the run, with bytes and not cancelled; Told of them the kernel
	// told all bytes in bios.
	Dispatched int64 `json:"dispatched"`
	Told       int64 `json:"told"`
	Flushes    int64 `json:"flushes"`
	FlushBios  int64 `json:"flush_bios"` // with those that make writes durable

	Cancelled KernelCancelled `json:"cancelled"`

	// Unexplained bios of this process are of no I/O that was dispatched.
	Unexplained int64    `json:"unexplained"`
	Examples    []string `json:"unexplained_examples"`

	// Proven: each bio is explained by an I/O that was dispatched, and none was missed,
	// so no I/O that was cancelled before dispatch reached the device.
	Proven bool `json:"cancelled_never_issued"`

	Done        int64 `json:"done"`
	Lost        int64 `json:"lost"`         // the reader was too far behind
	NotFollowed int64 `json:"not_followed"` // too many were underway
	NeverSeen   int64 `json:"never_seen"`   // to end
	Unmatched   int64 `json:"unmatched"`    // ended, and were not seen to begin
}

// KernelOp is the times of one operation's bios: queued until the driver got them, from
// there until they completed, and both.
type KernelOp struct {
	Bios     int64         `json:"bios"`
	QueueNs  *Distribution `json:"queue_ns,omitempty"`
	DeviceNs *Distribution `json:"device_ns,omitempty"`
	TotalNs  *Distribution `json:"total_ns,omitempty"`

	// OutsideNs is by I/O what of blksim's own device stage is not in the kernel's block
	// layer: the way there through the engine, and back.
	OutsideNs *Distribution `json:"outside_ns,omitempty"`
}

// KernelCancelled is what the kernel saw of I/Os that were cancelled.
type KernelCancelled struct {
	Skipped         int64 `json:"skipped_at_dispatch"`
	SkippedInKernel int64 `json:"skipped_at_dispatch_in_kernel"` // must be 0
	Aborted         int64 `json:"aborted_in_device"`             // dispatched, and cancelled then
	AbortedInKernel int64 `json:"aborted_in_device_in_kernel"`   // the kernel had them all the same
}

// SetKernel takes over what the kernel saw. An I/O that it should not have seen is a
// fault of the run.
func (r *Run) SetKernel(k *Kernel) {
	r.Kernel = k
	if n := k.Cancelled.SkippedInKernel; n > 0 {
		r.Faults = append(r.Faults, fmt.Sprintf("the kernel got %s that had been cancelled before dispatch: %s", plural(int(n), "I/O"), k.Examples[0]))
	}
	if n := k.missed(); n > 0 {
		r.Odd = append(r.Odd, fmt.Sprintf("%s of the kernel's traced in part or not at all: of them nothing is proven", plural(int(n), "I/O")))
	}
	if n := k.Unexplained - k.Cancelled.SkippedInKernel; n > 0 {
		r.Odd = append(r.Odd, fmt.Sprintf("%s of this process on %s that the run did not dispatch, such as: %s", plural(int(n), "I/O"), k.Device, k.Examples[0]))
	}
}

// kernel is the section of a table about it.
func (t *rows) kernel() {
	some := false
	for _, r := range t.runs {
		some = some || r.Kernel != nil
	}
	if !some {
		return
	}
	t.heading("the kernel's block layer, by eBPF")
	count := func(label string, always bool, n func(k *Kernel) int64) {
		t.number(label, always, func(r *Run) int64 {
			if r.Kernel == nil {
				return 0
			}
			return n(r.Kernel)
		})
	}
	count("I/Os that it got (bios)", true, func(k *Kernel) int64 { return k.Bios })
	count("requests to the driver", true, func(k *Kernel) int64 { return k.Requests })
	count("merged", true, func(k *Kernel) int64 { return k.BackMerges + k.FrontMerges + k.RequestMerges })
	count("split", true, func(k *Kernel) int64 { return k.Splits })
	count("requeued", false, func(k *Kernel) int64 { return k.Requeues })
	count("failed", false, func(k *Kernel) int64 { return k.Errors })
	for _, op := range []string{"read", "write"} {
		t.kernelTimes(op)
	}
	count("dispatched by blksim", true, func(k *Kernel) int64 { return k.Dispatched })
	count("  of them seen by the kernel", true, func(k *Kernel) int64 { return k.Told })
	count("cancelled before dispatch", true, func(k *Kernel) int64 { return k.Cancelled.Skipped })
	count("  of them seen by the kernel", true, func(k *Kernel) int64 { return k.Cancelled.SkippedInKernel })
	aborted := slices.ContainsFunc(t.runs, func(r *Run) bool { return r.Kernel != nil && r.Kernel.Cancelled.Aborted > 0 })
	if aborted {
		count("cancelled after dispatch", true, func(k *Kernel) int64 { return k.Cancelled.Aborted })
		count("  of them seen by the kernel", true, func(k *Kernel) int64 { return k.Cancelled.AbortedInKernel })
	}
	count("seen, and dispatched by nobody", true, func(k *Kernel) int64 { return k.Unexplained })
	t.row("no I/O cancelled before dispatch got there", func(r *Run) string {
		switch {
		case r.Kernel == nil:
			return "-"
		case r.Kernel.Proven && r.Kernel.Cancelled.Skipped == 0:
			return "none was" // true, and a proof of nothing
		case r.Kernel.Proven:
			return "proven"
		case r.Kernel.Unexplained > 0:
			return "not proven"
		}
		return "but for " + Count(r.Kernel.missed()) + " not traced"
	})
}

// missed are the bios of which the tracer does not know enough.
func (k *Kernel) missed() int64 { return k.Lost + k.NotFollowed + k.NeverSeen + k.Unmatched }

// kernelTimes are the stages of an operation that some run has.
func (t *rows) kernelTimes(op string) {
	for _, stage := range []struct {
		label string
		of    func(o *KernelOp) *Distribution
	}{{"kernel's queue", func(o *KernelOp) *Distribution { return o.QueueNs }},
		{"driver and device", func(o *KernelOp) *Distribution { return o.DeviceNs }},
		{"to the kernel and back", func(o *KernelOp) *Distribution { return o.OutsideNs }}} {
		some := false
		cell := func(r *Run) string {
			if r.Kernel != nil {
				o := r.Kernel.Ops[op]
				if d := stage.of(&o); d != nil {
					some = true
					return Nanos(d.P50) + " / " + Nanos(d.P99)
				}
			}
			return "-"
		}
		for _, r := range t.runs {
			cell(r)
		}
		if some {
			t.row(op+"s, "+stage.label+", p50 / p99", cell)
		}
	}
}
