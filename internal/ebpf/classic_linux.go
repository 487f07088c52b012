package ebpf

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"sync"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"blksim/internal/ebpf/bpf"
)

// classic makes events of what classic tracepoints tell.
type classic struct {
	options Options
	formats [actions]eventFormat

	mu       sync.Mutex // guards the rest: Counts may be called from anywhere
	pairing  *pairing
	raw      []stageEvent
	pending  []Event // whole, and not given yet
	done     uint64
	brief    uint64
	requests uint64 // events of them
}

// classicHooks are the tracepoints, by action; in the order in which they are attached.
var classicHooks = []struct {
	name   string
	action action
}{
	{"block_rq_complete", actComplete}, {"block_bio_complete", actBioComplete}, {"block_rq_requeue", actRequeue},
	{"block_rq_issue", actIssue}, {"block_bio_queue", actQueue},
}

// openClassic opens a tracer on classic tracepoints.
func openClassic(o Options) (*Tracer, error) {
	if o.Mode == Histogram {
		return nil, &Missing{What: "BTF of the kernel", Why: "histograms in the kernel need it", Do: "look at events instead, or use a kernel built with CONFIG_DEBUG_INFO_BTF=y"}
	}
	fs, err := openTracefs()
	if err != nil {
		return nil, &Missing{What: "tracefs", Why: err.Error(), Do: "run as root, or mount -t tracefs tracefs /sys/kernel/tracing"}
	}
	defer fs.Close()
	c := &classic{options: o, pairing: newPairing(), raw: make([]stageEvent, 1024)}
	for _, h := range classicHooks {
		text, err := readAt(fs, "events/block/"+h.name+"/format")
		if err != nil {
			return nil, &Missing{What: "the tracepoint " + h.name, Why: err.Error(), Do: "use a kernel with CONFIG_BLK_DEV_IO_TRACE"}
		}
		if c.formats[h.action], err = parseFormat(text); err != nil {
			return nil, fmt.Errorf("%w (%s)", err, h.name)
		}
	}
	t := &Tracer{classic: c, options: o}
	if t.programs, err = loadClassic(o, &c.formats); err != nil {
		return nil, err
	}
	if t.rings, err = newRings(t.programs.rings, 0); err != nil {
		t.programs.Close()
		return nil, err
	}
	t.rings.strict = true
	for _, h := range classicHooks {
		l, err := attachClassic(t.programs.Programs["classic_"+h.name], c.formats[h.action].id)
		if err != nil {
			t.Close()
			return nil, fmt.Errorf("ebpf: attaching to the tracepoint %s: %w", h.name, err)
		}
		if h.action == actQueue {
			t.starts = append(t.starts, l)
		} else {
			t.links = append(t.links, l)
		}
	}
	return t, nil
}

func loadClassic(o Options, formats *[actions]eventFormat) (*programs, error) {
	spec, err := ebpf.LoadCollectionSpecFromReader(bytes.NewReader(bpf.ClassicObject()))
	if err != nil {
		return nil, fmt.Errorf("ebpf: reading the object: %w", err)
	}
	var dev, sector, count, rwbs [8]uint32
	for a, f := range formats {
		dev[a], sector[a], count[a], rwbs[a] = uint32(f.dev.at), uint32(f.sector.at), uint32(f.count.at), uint32(f.rwbs.at)
	}
	for name, v := range map[string]any{"dev_at": dev, "sector_at": sector, "count_at": count, "rwbs_at": rwbs} {
		if err := spec.Variables[name].Set(v); err != nil {
			return nil, fmt.Errorf("ebpf: %w", err)
		}
	}
	o.AppIDs = false // nothing in the events leads to them
	if err := o.configure(spec, nil); err != nil {
		return nil, err
	}
	p := &programs{attach: ClassicTracepoint, plain: true}
	if p.rings, err = o.makeRings(spec); err != nil {
		return nil, err
	}
	if p.Collection, err = ebpf.NewCollection(spec); err != nil {
		p.Close()
		return nil, fmt.Errorf("ebpf: loading classic programs: %w", err)
	}
	return p, nil
}

// attachClassic attaches a program to a tracepoint by its number.
func attachClassic(p *ebpf.Program, id uint64) (io.Closer, error) {
	attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_TRACEPOINT, Config: id, Sample: 1, Sample_type: unix.PERF_SAMPLE_RAW, Wakeup: 1}
	attr.Size = unix.PERF_ATTR_SIZE_VER1
	// The program runs on every CPU: it belongs to the tracepoint, and not to the event.
	fd, err := unix.PerfEventOpen(&attr, -1, 0, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("perf_event_open", err)
	}
	f := os.NewFile(uintptr(fd), "perf event")
	if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_SET_BPF, p.FD()); err != nil {
		f.Close()
		return nil, os.NewSyscallError("PERF_EVENT_IOC_SET_BPF", err)
	}
	if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_ENABLE, 0); err != nil {
		f.Close()
		return nil, os.NewSyscallError("PERF_EVENT_IOC_ENABLE", err)
	}
	return f, nil
}

// openTracefs opens tracefs where it is mounted, or else a mount of its own that no one
// else sees.
func openTracefs() (*os.File, error) {
	for _, dir := range []string{"/sys/kernel/tracing", "/sys/kernel/debug/tracing"} {
		if _, err := os.Stat(dir + "/events/block"); err == nil {
			return os.Open(dir)
		}
	}
	fs, err := unix.Fsopen("tracefs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("fsopen", err)
	}
	defer unix.Close(fs)
	if err := unix.FsconfigCreate(fs); err != nil {
		return nil, os.NewSyscallError("fsconfig", err)
	}
	dir, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fsmount", err)
	}
	return os.NewFile(uintptr(dir), "tracefs"), nil
}

func readAt(dir *os.File, path string) (string, error) {
	fd, err := unix.Openat(int(dir.Fd()), path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", &os.PathError{Op: "open", Path: "tracefs/" + path, Err: err}
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	b, err := io.ReadAll(f)
	return string(b), err
}

// gather takes what is in the ring, and finds what belongs together.
func (c *classic) gather(r *rings) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gatherLocked(r)
}

func (c *classic) gatherLocked(r *rings) error {
	for {
		n, err := take(r, c.raw, func(data []byte, to *stageEvent) (err error) {
			*to, err = decodeRaw(data, &c.formats)
			return err
		})
		for i := range c.raw[:n] {
			c.pairing.take(c.raw[i])
		}
		c.sift()
		if err != nil || n < len(c.raw) {
			return err
		}
	}
}

// sift keeps the events that are wanted.
func (c *classic) sift() {
	for _, e := range c.pairing.out {
		o := &c.options
		total, _ := e.TotalTime()
		ours := len(o.Ops) == 0 || slices.Contains(o.Ops, e.Op)
		switch {
		case e.Kind == Request:
			if (o.Requests || o.RequestsOnly) && ours && total >= int64(o.MinLatency) && (len(o.PIDs) == 0 || e.Queue > 0) {
				c.requests++
				c.pending = append(c.pending, e)
			}
		case total < int64(o.MinLatency):
			c.brief++
		default:
			c.done++
			if !o.RequestsOnly {
				c.pending = append(c.pending, e)
			}
		}
	}
	c.pairing.out = c.pairing.out[:0]
}

func (c *classic) take(r *rings, evs []Event) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	if len(c.pending) < len(evs) {
		err = c.gatherLocked(r)
	}
	n := copy(evs, c.pending)
	c.pending = append(c.pending[:0], c.pending[n:]...)
	if n > 0 {
		err = nil // it comes again
	}
	return n, err
}

// underway are those that were gathered and have not ended.
func (c *classic) underway() (n uint64, oldest int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	oldest = c.pairing.oldest()
	for i := range c.pending {
		oldest = min(oldest, c.pending[i].Queue)
	}
	if c.pairing.last == 0 {
		oldest = math.MaxInt64
	}
	return uint64(c.pairing.underway), oldest, nil
}

// count adds what is counted here to what the programs have counted.
func (c *classic) count(to *Counts) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := &c.pairing.counted
	to.Done, to.Brief, to.Stale, to.Unmatched = c.done, c.brief, p.Stale, c.pairing.unmatched
	to.Issued, to.Requeued, to.Requests, to.RequestsUnmatched = p.Issued, p.Requeued, p.Requests, p.RequestsUnmatched
	to.Pieces, to.Unissued, to.Failed, to.Splits, to.BackMerges = p.Pieces, p.Unissued, p.Failed, p.Splits, p.BackMerges
	to.RequestsLost = to.Cut // events of requests that had no room
	to.Cut = 0
}
