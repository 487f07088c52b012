package ebpf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"blksim/internal/ebpf/bpf"
)

// hook is a tracepoint with the variable that says where its argument stands.
type hook struct {
	name     string
	object   string // the struct that its argument points to
	variable string // "": it never moved
	optional bool   // kernels may lack it
	start    bool   // I/O begins here
}

// hooks are in the order in which they are attached: what ends before what begins, so
// that no I/O is followed whose end would be missed.
var hooks = []hook{
	{name: "block_rq_complete", object: "request"},
	{name: "block_bio_complete", object: "bio", variable: "arg_bio_complete"},
	{name: "block_rq_error", object: "request", optional: true},
	{name: "block_rq_requeue", object: "request", variable: "arg_requeue"},
	{name: "block_rq_merge", object: "request", variable: "arg_rq_merge", optional: true},
	{name: "block_rq_issue", object: "request", variable: "arg_issue"},
	{name: "block_rq_insert", object: "request", variable: "arg_insert"},
	{name: "block_bio_backmerge", object: "bio", variable: "arg_bio_merge"},
	{name: "block_bio_frontmerge", object: "bio", variable: "arg_bio_merge"},
	{name: "block_split", object: "bio", variable: "arg_split"},
	{name: "block_bio_queue", object: "bio", variable: "arg_bio_queue", start: true},
}

// needs are the hooks that the options take.
func (o Options) needs(name string) bool {
	switch name {
	case "block_rq_complete", "block_rq_issue", "block_rq_requeue":
		return true
	case "block_bio_queue", "block_bio_complete", "block_split":
		return o.wantBios()
	}
	return o.Mode == Events
}

// programs is a loaded set of them.
type programs struct {
	*ebpf.Collection
	attach Attach
	plain  bool
	rings  []*ebpf.Map
	noApps error // why no bio has the id of its application, if it was asked for
}

// Close frees what the programs have.
func (p *programs) Close() {
	if p.Collection != nil {
		p.Collection.Close()
	}
	for _, m := range p.rings {
		m.Close()
	}
}

// load loads what the options need. A kernel that refuses the object with atomics gets
// the plain one.
func load(o Options, k *kernel, kind Attach, plain bool) (*programs, error) {
	object := bpf.Object()
	if plain {
		object = bpf.PlainObject()
	}
	spec, err := ebpf.LoadCollectionSpecFromReader(bytes.NewReader(object))
	if err != nil {
		return nil, fmt.Errorf("ebpf: reading the object: %w", err)
	}
	p := &programs{attach: kind, plain: plain}
	prefix := map[Attach]string{BTFTracepoint: "btf_", RawTracepoint: "raw_"}[kind]
	keep := map[string]*ebpf.ProgramSpec{}
	values := map[string]uint8{}
	for _, h := range hooks {
		if !o.needs(h.name) {
			continue
		}
		place, ok := k.argument(h.name, h.object)
		if !ok && h.optional {
			continue
		}
		if !ok {
			return nil, &Missing{What: "the tracepoint " + h.name, Why: "the kernel's BTF has none with a struct " + h.object,
				Do: "use a kernel with CONFIG_BLK_DEV_IO_TRACE, or with CONFIG_TRACEPOINTS at least"}
		}
		if h.variable != "" {
			values[h.variable] = uint8(place)
		}
		program := spec.Programs[prefix+h.name]
		if program == nil {
			return nil, fmt.Errorf("ebpf: the object has no program %s%s", prefix, h.name)
		}
		keep[prefix+h.name] = program
	}
	spec.Programs = keep
	if err := o.configure(spec, values); err != nil {
		return nil, err
	}
	if o.AppIDs {
		p.noApps = addApps(spec)
	}
	if p.rings, err = o.makeRings(spec); err != nil {
		return nil, err
	}
	p.Collection, err = ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{
		Programs: ebpf.ProgramOptions{KernelTypes: k.types},
	})
	if err != nil {
		p.Close()
		return nil, fmt.Errorf("ebpf: loading %v programs: %w", kind, err)
	}
	return p, nil
}

// configure writes the options into the constants of the programs.
func (o Options) configure(spec *ebpf.CollectionSpec, places map[string]uint8) error {
	flag := func(b bool) uint8 {
		if b {
			return 1
		}
		return 0
	}
	wake := o.WakeBytes
	if wake == 0 {
		wake = defaultWake
	}
	if o.Buffer != 0 {
		wake = min(wake, o.Buffer/2)
	}

	type device struct {
		Dev, Zero  uint32
		First, End uint64
	}
	var devices [maxDevices]device
	follow := false
	for i, d := range o.Devices {
		devices[i] = device{uint32(d.Dev), 0, uint64(d.First), uint64(d.End)}
		follow = follow || d.Stacked && d.TakesBios
	}
	var processes [maxProcesses]uint32
	copy(processes[:], o.PIDs)
	var ops uint64
	for _, op := range o.Ops {
		ops |= opBits(op)
	}
	histograms := uint8(0)
	if o.Mode == Histogram {
		histograms = 1 + uint8(o.Buckets)
	}
	values := map[string]any{
		"want_events": flag(o.Mode == Events), "want_bios": flag(o.wantBios()),
		"want_bio_events":     flag(o.Mode == Events && !o.RequestsOnly),
		"want_request_events": flag(o.Requests || o.RequestsOnly),
		"want_apps":           flag(o.AppIDs), "want_histograms": histograms, "want_unfinished": flag(o.Unfinished),
		"follow_bios": flag(follow), "wake_bytes": uint32(wake), "op_mask": ops,
		"min_latency_ns": uint64(o.MinLatency),
		"device_count":   uint32(len(o.Devices)), "devices": devices,
		"process_count": uint32(len(o.PIDs)), "process_ids": processes, "skip_process": o.SkipPID,
	}
	for name, place := range places {
		values[name] = place
	}
	for name, v := range values {
		variable := spec.Variables[name]
		if variable == nil {
			return fmt.Errorf("ebpf: the object has no variable %s", name)
		}
		if err := variable.Set(v); err != nil {
			return fmt.Errorf("ebpf: %w", err)
		}
	}
	return nil
}

// addApps writes the functions by which the programs know what asked for a bio. Those
// that a kernel does not have stay 0; where addresses are hidden, all do, and no bio has
// an id.
func addApps(spec *ebpf.CollectionSpec) error {
	functions := map[string]string{
		"blkdev_bio_end_io_async": "fn_blkdev_end_io_async", "blkdev_bio_end_io": "fn_blkdev_end_io",
		"iomap_dio_bio_end_io": "fn_iomap_end_io", "aio_complete_rw": "fn_aio_complete",
		"io_complete_rw": "fn_uring_complete", "io_complete_rw_iopoll": "fn_uring_complete_poll",
	}
	var names []string
	for f := range functions {
		names = append(names, f)
	}
	addresses, err := symbols(names...)
	if err != nil {
		return fmt.Errorf("no ids of applications: /proc/kallsyms: %w", err)
	}
	for f, at := range addresses {
		if err := spec.Variables[functions[f]].Set(at); err != nil {
			return err
		}
	}
	return nil
}

// start attaches the programs.
func (p *programs) start() (links, starts []io.Closer, err error) {
	for _, h := range hooks {
		var l link.Link
		switch p.attach {
		case BTFTracepoint:
			program := p.Programs["btf_"+h.name]
			if program == nil {
				continue
			}
			l, err = link.AttachTracing(link.TracingOptions{Program: program})
		case RawTracepoint:
			program := p.Programs["raw_"+h.name]
			if program == nil {
				continue
			}
			l, err = link.AttachRawTracepoint(link.RawTracepointOptions{Name: h.name, Program: program})
		}
		if err != nil {
			closeAll(links)
			closeAll(starts)
			return nil, nil, fmt.Errorf("ebpf: attaching to %s: %w", h.name, err)
		}
		if h.start {
			starts = append(starts, l)
		} else {
			links = append(links, l)
		}
	}
	return links, starts, nil
}

func closeAll(links []io.Closer) {
	for _, l := range links {
		l.Close()
	}
}

// reason is the part of a loader's error that says why: the verifier's log is long, and
// its last lines matter.
func reason(err error) string {
	var v *ebpf.VerifierError
	if errors.As(err, &v) {
		lines := v.Log[max(0, len(v.Log)-3):]
		return strings.Join(append([]string{v.Cause.Error()}, lines...), "; ")
	}
	return err.Error()
}
