package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"blksim/device/disk"
	"blksim/device/disk/guard"
	"blksim/internal/load"
	"blksim/internal/option"
	"blksim/internal/report"
	"blksim/internal/stack"
)

// realSettings are the options that only files and block devices have.
type realSettings struct {
	allowWrite bool
	overwrite  bool
	dryRun     bool
	createSize int64
	ioengine   string
	direct     bool
	poll       time.Duration
	ebpf       bool
}

func defaultReal() realSettings { return realSettings{ioengine: string(disk.Auto), direct: true} }

// rows lists the options.
func (r *realSettings) rows() option.Group {
	return option.Group{Title: "Files and block devices (Linux)", Rows: []option.Row{
		{Name: "allow-write", Value: option.Bool(&r.allowWrite), Usage: "allow writes to the --device: without it a real disk is open for reading only"},
		{Name: "force-overwrite", Value: option.Bool(&r.overwrite), Usage: "with --allow-write: also where a file system, RAID, LVM, swap or partition table is, which will be lost; what is in use is refused anyway"},
		{Name: "dry-run", CommandOnly: true, Value: option.Bool(&r.dryRun), Usage: "check everything, say what would be run and overwritten, and end"},
		{Name: "create-size", Value: option.Size(&r.createSize), Usage: "make the file --device, of this size and filled: a new one, never what exists or is below /dev"},
		{Name: "ioengine", Shared: true, Value: option.Enum(&r.ioengine, string(disk.Auto), string(disk.IOURing), string(disk.LibAIO), string(disk.Sync)), Usage: "way into the kernel"},
		{Name: "direct", Shared: true, Value: option.Bool(&r.direct), Usage: "go around the page cache (O_DIRECT); --direct=0 for buffered I/O"},
		{Name: "buffered", Shared: true, Value: option.Parsed(&r.direct, "bool", notDirect, func(direct bool) string { return strconv.FormatBool(!direct) }), Usage: "the opposite of --direct"},
		{Name: "poll", Value: option.Duration(&r.poll), Usage: "how long a lane with I/Os in the kernel looks for completions before it sleeps (default: not at all; at most 10ms)"},
		{Name: "ebpf", CommandOnly: true, Value: option.Bool(&r.ebpf), Usage: "also show what the kernel's block layer saw of the run on a block device, by eBPF, and that no I/O cancelled before dispatch got there"},
	}}
}

// notDirect reads the value of buffered.
func notDirect(s string) (direct bool, err error) {
	var buffered bool
	err = option.Bool(&buffered).Set(s)
	return !buffered, err
}

// given names an option that has another value than the default, "" if there is none.
func (r *realSettings) given() string {
	d := defaultReal()
	switch {
	case r.allowWrite:
		return "allow-write"
	case r.overwrite:
		return "force-overwrite"
	case r.dryRun:
		return "dry-run"
	case r.createSize != 0:
		return "create-size"
	case r.ioengine != d.ioengine:
		return "ioengine"
	case !r.direct:
		return "direct"
	case r.poll != 0:
		return "poll"
	case r.ebpf:
		return "ebpf"
	}
	return ""
}

// isReal says whether the run is on real disks.
func (s *settings) isReal() bool { return len(s.devices) > 0 && stack.IsPath(s.devices[0]) }

// checkDevices says what of the options does not go with the devices.
func (s *settings) checkDevices() error {
	if !s.isReal() {
		for _, d := range s.devices[min(1, len(s.devices)):] {
			return usagef("--device %s and --device %s: only files and block devices are named one by one: want one, and --stack for several alike", s.devices[0], d)
		}
		if name := s.real.given(); name != "" {
			return usagef("--%s: only for a file or block device: want --device PATH", name)
		}
		return nil
	}
	for _, d := range s.devices {
		if !stack.IsPath(d) {
			return usagef("--device %s with --device %s: want only files and block devices, or neither", d, s.devices[0])
		}
	}
	switch d := s.devices[0]; {
	case s.profile != "":
		return usagef("--profile: %s is a real disk, not a simulated one", d)
	case s.size != 0:
		return usagef("the capacity of %s is its own: want --create-size to make a file of a size", d)
	case s.real.overwrite && !s.real.allowWrite:
		return usagef("--force-overwrite: want --allow-write as well")
	case s.real.ebpf && len(s.devices) > 1:
		return usagef("--ebpf: %d devices: want one, whose I/Os are the run's own", len(s.devices))
	case s.real.ebpf && !s.real.direct:
		return usagef("--ebpf with buffered I/O: what reaches the device then is the page cache's")
	case len(s.drivers) > 1 || len(s.drivers) == 1 && s.drivers[0] != "disk":
		return usagef("--driver %s: a file or block device has driver disk, and no other", strings.Join(s.drivers, ", "))
	}
	return nil
}

// openReal opens the real disks of a command; writes says what would write to them,
// in words, "" if nothing would. Where they may be written to, they are claimed, and
// stay so until all runs are over.
func (b *batch) openReal(writes string) error {
	if !b.isReal() {
		return nil
	}
	if writes != "" && !b.real.allowWrite && b.onErr != "skip" {
		return usagef("%s, and %s is open for reading only: want --allow-write", writes, strings.Join(b.devices, ", "))
	}
	if err := b.create(); err != nil {
		return err
	}
	o := stack.RealOptions{Write: writes != "" && b.real.allowWrite, Overwrite: b.real.overwrite, Buffered: !b.real.direct,
		Engine: disk.EngineOptions{Kind: disk.EngineKind(b.real.ioengine), Poll: b.real.poll}}
	var err error
	if b.disks, err = stack.OpenReal(b.devices, o); err != nil {
		return refused(err)
	}
	if err := b.outputsApart(); err != nil {
		return errors.Join(err, b.disks.Close())
	}
	if t := b.disks.Targets[0]; b.real.ebpf && !t.Block() {
		return errors.Join(usagef("--ebpf: %s is a file, whose blocks are anywhere on its disk: want a block device, such as a loop device over it", t.Path), b.disks.Close())
	}
	return nil
}

// outputsApart refuses to put a result in the place of a file that is run on.
func (b *batch) outputsApart() error {
	for _, out := range []struct{ option, path string }{
		{"output", b.output}, {"report", b.settings.report}, {"ios", b.ios}, {"timeline", b.timeline}, {"hdr", b.hdr},
	} {
		info, err := os.Stat(out.path)
		if err != nil {
			continue // it is not there, or writing it will tell
		}
		for _, t := range b.disks.Targets {
			if os.SameFile(info, t.Info) {
				return usagef("--%s %s: that is what --device %s runs on", out.option, out.path, t.Path)
			}
		}
	}
	return nil
}

// announce says what will be overwritten, before anything is; lines say where. The run
// goes on unless it is dry: then it says what it would run on as well.
func (b *batch) announce(st *stack.Stack, lines []string) (on bool) {
	if !b.isReal() {
		return true
	}
	for _, d := range st.RealDisks() {
		if b.real.dryRun {
			b.sayOnce(fmt.Sprintf("%s: %s", d.Target.Path, describe(d)))
		}
	}
	if b.disks.Options.Write {
		for _, c := range b.disks.Claims {
			b.sayOnce(willWrite(c))
		}
		for _, line := range lines {
			b.sayOnce(line)
		}
	} else if b.real.dryRun {
		b.sayOnce("nothing is written: the disks are open for reading only")
	}
	return !b.real.dryRun
}

// sayOnce tells the user something on the standard error, which may come again.
func (b *batch) sayOnce(line string) {
	if !slices.Contains(b.told, line) {
		b.told = append(b.told, line)
		say(b.log.stderr, errors.New(line))
	}
}

// describe says what a real disk is, and how it is used.
func describe(d stack.RealDisk) string {
	i := d.Info
	parts := []string{i.Kind.String(), report.Amount(float64(i.Size))}
	if i.Model != "" {
		parts = append(parts, i.Model)
	}
	if i.Backing != "" {
		parts = append(parts, "over "+i.Backing)
	}
	if !i.Direct {
		parts = append(parts, "through the page cache")
	}
	return strings.Join(append(parts, "engine "+string(d.Engine)+" ("+d.Why+")"), ", ")
}

// willWrite says that a disk is written to, and what is lost with that.
func willWrite(c *guard.Claimed) string {
	line := fmt.Sprintf("writing to %s (%s)", c.Path, report.Amount(float64(c.Size)))
	if abs, err := filepath.Abs(c.Path); err != nil || c.Real != abs { // by a symbolic link
		line = fmt.Sprintf("writing to %s, which is %s (%s)", c.Path, c.Real, report.Amount(float64(c.Size)))
	}
	var lost []string
	for _, f := range c.Found {
		lost = append(lost, f.String())
	}
	for _, p := range c.Parts {
		lost = append(lost, "partition "+p)
	}
	if len(lost) > 0 {
		line += ": overwriting " + strings.Join(lost, "; ")
	}
	return line
}

// create makes the file that does not exist yet.
func (b *batch) create() error {
	if b.real.createSize == 0 {
		return nil
	}
	if b.real.dryRun {
		return usagef("--create-size and --dry-run: a dry run makes no file")
	}
	for _, path := range b.devices {
		err := guard.Create(path, b.real.createSize)
		switch {
		case errors.Is(err, fs.ErrExist):
			return failed(exitDevice, fmt.Errorf("--create-size: %w: leave it out to run on that as it is", err))
		case err != nil:
			return failed(exitDevice, fmt.Errorf("--create-size: %w", err))
		}
	}
	return nil
}

// refused adds to an error what would help, with its exit code.
func refused(err error) error {
	var no *guard.Refusal
	var mistake *stack.SpecError
	switch {
	case errors.As(err, &no) && no.Wanted:
		err = fmt.Errorf("%w; --force-overwrite if it is not wanted any more", err)
	case errors.As(err, &mistake):
		return failed(exitUsage, err)
	}
	return failed(exitDevice, err)
}

// failures is what to tell of requests that failed on a real disk, where nobody had a
// fault plan fail them.
func failures(r *report.Run) error {
	n := r.Accounting.Requests.Failed
	if len(r.Disks) == 0 || len(r.Injected) > 0 || n == 0 {
		return nil
	}
	causes := map[string]int64{}
	for _, d := range r.Disks {
		for what, count := range d.Errors {
			causes[what] += count
		}
		if d.Short > 0 {
			causes["less than was asked for"] += d.Short
		}
	}
	s := fmt.Sprintf("%s: %s failed", r.Setup.Device, plural(n, "request", "requests"))
	for i, what := range slices.Sorted(maps.Keys(causes)) {
		s += map[bool]string{true: ": ", false: ", "}[i == 0] + fmt.Sprintf("%s (%s)", what, report.Count(causes[what]))
	}
	return failed(exitDevice, errors.New(s))
}

// regions says where jobs write.
func regions(jobs []load.Job, capacity int64) ([]string, error) {
	all, err := load.Regions(jobs, capacity)
	var lines []string
	for _, r := range all {
		if r.Writes {
			lines = append(lines, fmt.Sprintf("job %s writes within bytes %d to %d (%s)", r.Name, r.From, r.From+r.Size, report.Amount(float64(r.Size))))
		}
	}
	return lines, err
}
