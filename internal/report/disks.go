package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"blksim/internal/replay"
	"blksim/internal/stack"
)

// RealDisk is a file or block device that was run on: what it is, how it was used, and
// what the driver counted.
type RealDisk struct {
	Path       string `json:"path"`                   // as the user wrote it
	RealPath   string `json:"real_path"`              // without symbolic links
	Kind       string `json:"kind"`                   // file or block device
	Device     string `json:"device,omitempty"`       // the kernel's name; of a file, of the disk that its file system is on
	Backing    string `json:"backing_file,omitempty"` // of a loop device
	Model      string `json:"model,omitempty"`
	Serial     string `json:"serial,omitempty"`
	Size       int64  `json:"size_bytes"`
	Scheduler  string `json:"scheduler,omitempty"`
	Rotational bool   `json:"rotational"`
	Requests   int    `json:"nr_requests,omitempty"` // that the kernel's queue holds
	Logical    int    `json:"logical_block_bytes"`
	Physical   int    `json:"physical_block_bytes"`
	WriteCache bool   `json:"write_cache"`

	Direct bool   `json:"direct"` // around the page cache
	Write  bool   `json:"write"`  // open for writing
	Engine string `json:"engine"`
	Why    string `json:"engine_detail"` // why that one, and the features in use

	Pooled  int64            `json:"done_by_pool"`  // by threads, since the engine cannot; of all disks together
	Bounced int64            `json:"bounced"`       // requests whose buffers had to be copied
	Short   int64            `json:"short"`         // requests of which only a part was done
	Errors  map[string]int64 `json:"errors"`        // requests that failed, by the kernel's error
	Cancels KernelCancels    `json:"kernel_cancel"` // what asking the kernel for I/Os came to
}

// KernelCancels are cancels of requests that the driver had: Asked = BeforeKernel +
// Cancelled + Running + NotFound + Refused, but for those still under way.
type KernelCancels struct {
	Asked        int64 `json:"asked"`
	BeforeKernel int64 `json:"before_the_kernel_had_it"`
	Cancelled    int64 `json:"cancelled_by_kernel"`
	Running      int64 `json:"too_late_running"`
	NotFound     int64 `json:"too_late_in_flight"`
	Refused      int64 `json:"not_cancellable"`
}

// StuckIO is an I/O that had not come back when its run was ended.
type StuckIO struct {
	ID     string `json:"id"`
	Op     string `json:"op"`
	Offset int64  `json:"offset"` // bytes
	LBA    int64  `json:"lba"`    // of the device's blocks
	Bytes  int64  `json:"bytes"`
	Lane   int    `json:"lane"`
	AgeNs  int64  `json:"age_ns"` // since its submit
	Stage  string `json:"stage"`  // queued in the stack, or with the device
}

// mostStuck is how many stuck I/Os a result has; all are counted.
const mostStuck = 1024

func (r *Run) fillStuck(list []replay.StuckIO) {
	block := int64(max(r.Setup.BlockSize, 1))
	for _, s := range list[:min(len(list), mostStuck)] {
		r.Stuck = append(r.Stuck, StuckIO{s.ID.String(), s.Op.String(), s.Off, s.Off / block, s.Len, s.Lane, int64(s.Age), s.Stage.String()})
	}
}

// realDisks takes over what a stack's real disks tell.
func realDisks(disks []stack.RealDisk) (all []RealDisk) {
	for _, d := range disks {
		i, c := d.Info, d.Stats.Cancels
		one := RealDisk{Path: d.Target.Path, RealPath: d.Target.Real, Kind: i.Kind.String(), Device: i.Device, Backing: i.Backing,
			Model: i.Model, Serial: i.Serial, Size: i.Size, Scheduler: i.Scheduler, Rotational: i.Rotational, Requests: i.Requests,
			Logical: i.LogicalBlock, Physical: i.PhysicalBlock, WriteCache: i.WriteCache, Direct: i.Direct, Write: i.Write,
			Engine: string(d.Engine), Why: d.Why, Pooled: int64(d.Stats.Engine.Pooled), Bounced: int64(d.Stats.Bounced),
			Short: int64(d.Stats.Short), Errors: map[string]int64{},
			Cancels: KernelCancels{int64(c.Asked), int64(c.Ours), int64(c.Kernel), int64(c.Running), int64(c.Unknown), int64(c.Refused)}}
		for _, e := range d.Stats.Errnos {
			one.Errors[e.Errno.Error()] = int64(e.Count)
		}
		all = append(all, one)
	}
	return all
}

// mergeDisks adds the real disks of another run, and what was stuck in it.
func (r *Run) mergeDisks(o *Run) {
	for _, d := range o.Disks {
		i := slices.IndexFunc(r.Disks, func(have RealDisk) bool {
			return have.RealPath == d.RealPath && have.Engine == d.Engine && have.Size == d.Size && have.Direct == d.Direct && have.Write == d.Write
		})
		if i < 0 {
			d.Errors = maps.Clone(d.Errors)
			r.Disks = append(r.Disks, d)
			continue
		}
		have := &r.Disks[i]
		have.Pooled += d.Pooled
		have.Bounced += d.Bounced
		have.Short += d.Short
		for what, n := range d.Errors {
			have.Errors[what] += n
		}
		add(&have.Cancels, &d.Cancels)
	}
	r.Stuck = append(r.Stuck, o.Stuck...)
	slices.SortStableFunc(r.Stuck, func(a, b StuckIO) int { return cmp.Compare(b.AgeNs, a.AgeNs) })
	r.Stuck = r.Stuck[:min(len(r.Stuck), mostStuck)]
}

// String says what the disk is, and how it was used, in a line.
func (d *RealDisk) String() string {
	parts := []string{d.Kind}
	add := func(is bool, format string, args ...any) {
		if is {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	add(d.Device != "", "%s", d.Device)
	add(d.Backing != "", "over %s", d.Backing)
	add(d.Model != "", "%s", d.Model)
	add(d.Serial != "", "serial %s", d.Serial)
	add(true, "%s", Amount(float64(d.Size)))
	add(d.Scheduler != "", "scheduler %s", d.Scheduler)
	add(d.Rotational, "rotational")
	add(!d.Direct, "through the page cache")
	add(d.Direct, "O_DIRECT")
	add(!d.Write, "read-only")
	return strings.Join(parts, ", ")
}

// disks writes what the driver of real disks counted, where it is not as usual.
func (t *rows) disks() {
	sum := func(v func(d *RealDisk) int64) func(r *Run) int64 {
		return func(r *Run) (n int64) {
			for i := range r.Disks {
				n += v(&r.Disks[i])
			}
			return n
		}
	}
	t.number("requests done only in part", false, sum(func(d *RealDisk) int64 { return d.Short }))
	t.number("requests whose data was copied", false, sum(func(d *RealDisk) int64 { return d.Bounced }))
	t.number("cancels asked of the driver", false, sum(func(d *RealDisk) int64 { return d.Cancels.Asked }))
	t.number("  before the kernel had it", false, sum(func(d *RealDisk) int64 { return d.Cancels.BeforeKernel }))
	t.number("  cancelled by the kernel", false, sum(func(d *RealDisk) int64 { return d.Cancels.Cancelled }))
	t.number("  not cancelled by the kernel", false, sum(func(d *RealDisk) int64 { return d.Cancels.Running + d.Cancels.NotFound + d.Cancels.Refused }))
	t.number("    running already", false, sum(func(d *RealDisk) int64 { return d.Cancels.Running }))
	t.number("    in flight, out of its reach", false, sum(func(d *RealDisk) int64 { return d.Cancels.NotFound }))
	t.number("    of a kind that it cannot", false, sum(func(d *RealDisk) int64 { return d.Cancels.Refused }))
	for _, what := range t.errors() {
		t.number("failed: "+what, false, sum(func(d *RealDisk) int64 { return d.Errors[what] }))
	}
}

// errors are the kernel's errors of all runs, in order.
func (t *rows) errors() []string {
	var all []string
	for _, r := range t.runs {
		for _, d := range r.Disks {
			all = slices.AppendSeq(all, maps.Keys(d.Errors))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// shownStuck is how many stuck I/Os a table shows.
const shownStuck = 10

// writeStuck writes the oldest stuck I/Os of a run.
func writeStuck(w io.Writer, r *Run, p paint) {
	for i, s := range r.Stuck {
		if i == shownStuck {
			fmt.Fprintf(w, "%s and %s more, of which the JSON has %s\n", p.bad("STUCK   "), Count(r.Accounting.Requests.Stuck-shownStuck), Count(int64(len(r.Stuck)-shownStuck)))
			return
		}
		where := "with the device"
		if s.Stage == "queued" {
			where = "queued"
		}
		fmt.Fprintf(w, "%s %s %s of %s at byte %d (LBA %d): for %s, %s\n", p.bad("STUCK   "), s.ID, s.Op, Amount(float64(s.Bytes)), s.Offset, s.LBA, Nanos(s.AgeNs), where)
	}
}
