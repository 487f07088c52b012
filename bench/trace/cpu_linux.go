package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc: USER_HZ, which is 100 on every system.
const tick = 10 * time.Millisecond

// processors is the processor time of the machine up to a moment: all that was not idle,
// nor stolen by a hypervisor, and of it what processes had that are neither ours nor the kernel's.
type processors struct{ busy, others time.Duration }

// readProcessors reads it, from /proc/stat and each process's own.
func readProcessors() (p processors, err error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return p, err
	}
	var user, nice, system, idle, iowait, irq, softirq int64
	if _, err := fmt.Sscanf(string(text), "cpu %d %d %d %d %d %d %d", &user, &nice, &system, &idle, &iowait, &irq, &softirq); err != nil {
		return p, fmt.Errorf("/proc/stat: %w", err)
	}
	p.busy = time.Duration(user+nice+system+irq+softirq) * tick
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return p, err
	}
	all := map[int]process{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended: its time is its parent's now
		}
		one, err := parseProcess(string(text))
		if err != nil {
			return p, fmt.Errorf("%s: %w", path, err)
		}
		all[one.pid] = one
	}
	for _, one := range all {
		if !one.ours(all) {
			p.others += one.time
		}
	}
	return p, nil
}

// process is what /proc/PID/stat has of one: its time includes that of children that it
// has waited for.
type process struct {
	pid, parent int
	time        time.Duration
}

func parseProcess(text string) (p process, err error) {
	// The name stands in brackets, and may have any of them in it.
	end := strings.LastIndexByte(text, ')')
	begin := strings.IndexByte(text, ' ')
	if end < 0 || begin < 0 || begin > end {
		return p, errors.New("no process")
	}
	if p.pid, err = strconv.Atoi(text[:begin]); err != nil {
		return p, err
	}
	fields := strings.Fields(text[end+1:])
	if len(fields) < 15 {
		return p, fmt.Errorf("%d fields: want 15 behind the name", len(fields))
	}
	if p.parent, err = strconv.Atoi(fields[1]); err != nil {
		return p, err
	}
	for _, f := range fields[11:15] { // utime, stime, cutime, cstime
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return p, err
		}
		p.time += time.Duration(n) * tick
	}
	return p, nil
}

// kernelThreads is the process that all of them are children of.
const kernelThreads = 2

// ours says whether a process is this one or below it, or a thread of the kernel's, which
// serve the load.
func (p process) ours(all map[int]process) bool {
	for range 64 {
		switch p.pid {
		case os.Getpid(), kernelThreads:
			return true
		case 0, 1:
			return false
		}
		p = all[p.parent]
	}
	return false
}
