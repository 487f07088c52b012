package main

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"blksim/internal/loopdev"
)

// ftrace is an instance of the kernel's tracer that records when the block layer gets
// bios of one device, and when threads of one name wait for a processor. It is read as
// the binary pages of the ring buffers, because the text has no more than microseconds.
type ftrace struct {
	dir    string
	page   int // bytes of a page
	events map[uint16]*event
}

// event is one of the events that are recorded.
type event struct {
	name   string   // as its folder below events
	wanted []string // declarations of the fields that decode needs
	fields []field
	decode func(e *event, at time.Duration, data []byte, r *recording)
}

// recorded are the events. Their decoders add to a recording, in the order of one
// processor.
func recorded() []*event {
	return []*event{
		{name: "block/block_bio_queue", wanted: []string{"int common_pid", "sector_t sector"},
			decode: func(e *event, at time.Duration, data []byte, r *recording) {
				r.issues = append(r.issues, issue{at, e.uint(data, 1) * 512 / blockSize, int32(e.uint(data, 0))})
			}},
		{name: "sched/sched_switch", wanted: []string{"pid_t prev_pid", "long prev_state", "pid_t next_pid"},
			decode: func(e *event, at time.Duration, data []byte, r *recording) {
				// Of a thread that has to go although it would run on, the state is 0, or the
				// bit above all others (TASK_REPORT_MAX).
				why := stops
				if state := e.uint(data, 1); state == 0 || state&0x100 != 0 {
					why = preempted
				}
				r.turns = append(r.turns, turn{at, int32(e.uint(data, 0)), why},
					turn{at, int32(e.uint(data, 2)), runs})
			}},
		{name: "sched/sched_wakeup", wanted: []string{"pid_t pid"},
			decode: func(e *event, at time.Duration, data []byte, r *recording) {
				r.turns = append(r.turns, turn{at, int32(e.uint(data, 0)), woken})
			}},
	}
}

// uint is the value of a field of 4 or 8 bytes.
func (e *event) uint(data []byte, i int) int64 {
	f := e.fields[i]
	if f.size == 4 {
		return int64(int32(binary.LittleEndian.Uint32(data[f.offset:])))
	}
	return int64(binary.LittleEndian.Uint64(data[f.offset:]))
}

// size is how long an event is at the least.
func (e *event) size() (n int) {
	for _, f := range e.fields {
		n = max(n, f.offset+f.size)
	}
	return n
}

// newFtrace mounts tracefs at a folder of its own, since it need not be mounted, and
// makes an instance. undo takes both away.
func newFtrace(dir string, undo *loopdev.Undo) (*ftrace, error) {
	mount, err := loopdev.MountAt("tracefs", dir, "tracefs", "")
	if err != nil {
		return nil, err
	}
	undo.Add(mount.Unmount)
	t := &ftrace{dir: filepath.Join(dir, "instances", fmt.Sprintf("blksim-bench-%d", os.Getpid())), events: map[uint16]*event{}}
	if err := os.Mkdir(t.dir, 0o700); err != nil {
		return nil, err
	}
	undo.Add(func() error { return os.Remove(t.dir) })
	if err := t.learn(filepath.Join(dir, "events")); err != nil {
		return nil, err
	}
	return t, errors.Join(t.set("tracing_on", "0"), t.set("trace_clock", "mono"), t.set("buffer_size_kb", "65536"))
}

// learn reads where this kernel has the fields.
func (t *ftrace) learn(dir string) error {
	page, err := os.ReadFile(filepath.Join(dir, "header_page"))
	if err != nil {
		return err
	}
	data, err := fieldOf(string(page), "char data")
	if err != nil {
		return err
	}
	t.page = data.offset + data.size
	for _, e := range recorded() {
		text, err := os.ReadFile(filepath.Join(dir, e.name, "format"))
		if err != nil {
			return err
		}
		for _, w := range e.wanted {
			f, err := fieldOf(string(text), w)
			if err != nil {
				return fmt.Errorf("%s: %w", e.name, err)
			}
			e.fields = append(e.fields, f)
		}
		id, err := idOf(string(text))
		if err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		t.events[id] = e
	}
	return nil
}

// idOf is the number that a format gives its event.
func idOf(format string) (uint16, error) {
	for line := range strings.Lines(format) {
		if id, ok := strings.CutPrefix(line, "ID: "); ok {
			n, err := strconv.ParseUint(strings.TrimSpace(id), 10, 16)
			return uint16(n), err
		}
	}
	return 0, errors.New("its format has no ID")
}

type field struct{ offset, size int }

// fieldOf finds a field in a format: "field:dev_t dev; offset:8; size:4; signed:0;".
func fieldOf(format, declaration string) (f field, err error) {
	for line := range strings.Lines(format) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "field:")
		if !ok {
			rest, ok = strings.CutPrefix(strings.TrimSpace(line), "field: ")
		}
		part := strings.Split(rest, ";")
		if !ok || len(part) < 3 || strings.TrimSpace(part[0]) != declaration {
			continue
		}
		if _, err = fmt.Sscanf(strings.TrimSpace(part[1])+" "+strings.TrimSpace(part[2]), "offset:%d size:%d", &f.offset, &f.size); err != nil {
			return f, fmt.Errorf("tracefs: %q: %w", line, err)
		}
		return f, nil
	}
	return f, fmt.Errorf("tracefs: no field %q", declaration)
}

func (t *ftrace) set(file, value string) error {
	return os.WriteFile(filepath.Join(t.dir, file), []byte(value), 0)
}

// start records the bios of a device, and what becomes of the threads of a program,
// from now on.
func (t *ftrace) start(device, program string) error {
	var st unix.Stat_t
	if err := unix.Stat(device, &st); err != nil {
		return err
	}
	program = program[:min(len(program), 15)]
	return errors.Join(
		t.set("trace", ""),
		t.set("events/block/block_bio_queue/filter", fmt.Sprintf("dev == %d", unix.Major(st.Rdev)<<20|unix.Minor(st.Rdev))),
		t.set("events/sched/sched_switch/filter", fmt.Sprintf("prev_comm == %q || next_comm == %q", program, program)),
		t.set("events/sched/sched_wakeup/filter", fmt.Sprintf("comm == %q", program)),
		t.enable("1"),
		t.set("tracing_on", "1"))
}

func (t *ftrace) enable(on string) error {
	var errs []error
	for _, e := range t.events {
		errs = append(errs, t.set(filepath.Join("events", e.name, "enable"), on))
	}
	return errors.Join(errs...)
}

// stop ends that, and gives what was recorded, in the order of time.
func (t *ftrace) stop() (*recording, error) {
	if err := errors.Join(t.set("tracing_on", "0"), t.enable("0")); err != nil {
		return nil, err
	}
	cpus, err := filepath.Glob(filepath.Join(t.dir, "per_cpu/cpu*"))
	if err != nil {
		return nil, err
	}
	r := &recording{}
	for _, cpu := range cpus {
		if err := lostNone(filepath.Join(cpu, "stats")); err != nil {
			return nil, err
		}
		if err := t.read(filepath.Join(cpu, "trace_pipe_raw"), r); err != nil {
			return nil, fmt.Errorf("%s: %w", cpu, err)
		}
	}
	slices.SortStableFunc(r.issues, func(a, b issue) int { return cmp.Compare(a.at, b.at) })
	slices.SortStableFunc(r.turns, func(a, b turn) int { return cmp.Compare(a.at, b.at) })
	return r, nil
}

// lostNone checks that the ring buffer had room for all.
func lostNone(stats string) error {
	f, err := os.Open(stats)
	if err != nil {
		return err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		name, value, _ := strings.Cut(s.Text(), ": ")
		if (name == "overrun" || name == "commit overrun" || name == "dropped events") && value != "0" {
			return fmt.Errorf("%s: %s %s: the buffer is too small", stats, name, value)
		}
	}
	return nil
}

// read reads all pages of one processor.
func (t *ftrace) read(path string, r *recording) error {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for page := make([]byte, t.page); ; {
		n, err := unix.Read(fd, page)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN, err == nil && n == 0:
			return nil
		case err != nil:
			return err
		}
		if err := t.decode(page[:n], r); err != nil {
			return err
		}
	}
}

// The kinds of entries in a page (linux/ring_buffer.h); from 1 to 28 it is the length
// of an event in words of 4 bytes.
const (
	entryLong    = 0 // the length follows
	entryPadding = 29
	entryExtend  = 30
	entryStamp   = 31
)

// decode decodes a page of the ring buffer: a time, the length of what follows, and
// entries, each with the time since the one before.
func (t *ftrace) decode(page []byte, r *recording) error {
	const head = 16
	if len(page) < head {
		return io.ErrUnexpectedEOF
	}
	at := binary.LittleEndian.Uint64(page)
	length := int(binary.LittleEndian.Uint64(page[8:]) & 0xfffff) // above are flags
	if length > len(page)-head {
		return io.ErrUnexpectedEOF
	}
	for data := page[head : head+length]; len(data) >= 4; {
		word := binary.LittleEndian.Uint32(data)
		kind, delta := word&31, uint64(word>>5)
		more := uint64(0)
		if len(data) >= 8 {
			more = uint64(binary.LittleEndian.Uint32(data[4:]))
		}
		body, size := 4, 4+int(kind)*4
		switch kind {
		case entryExtend:
			at += more<<27 + delta
			size = 8
		case entryStamp:
			at = at&^(1<<59-1) | more<<27 | delta
			size = 8
		case entryPadding:
			if delta == 0 {
				return nil // the rest is empty
			}
			at += delta
			size = 4 + int(more)
		case entryLong:
			at += delta
			body, size = 8, 4+int(more)
		default:
			at += delta
		}
		if size > len(data) || size < 4 {
			return io.ErrUnexpectedEOF
		}
		if event := data[body:size]; kind < entryPadding && len(event) >= 2 {
			if e := t.events[binary.LittleEndian.Uint16(event)]; e != nil {
				if len(event) < e.size() {
					return io.ErrUnexpectedEOF
				}
				e.decode(e, time.Duration(at), event, r)
			}
		}
		data = data[size:]
	}
	return nil
}
