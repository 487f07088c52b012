package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"blksim/traces"
)

// stdin is the path that stands for standard input.
const stdin = "-"

// traceName is how messages and results call the trace at path.
func traceName(path string) string {
	if path == stdin {
		return "standard input"
	}
	return path
}

func openTrace(path string, o traces.Options) (*traces.Reader, error) {
	if path == stdin {
		return traces.NewReader(os.Stdin, traceName(path), o)
	}
	return traces.Open(path, o)
}

// checkTraces refuses what would read standard input, which is there once, twice.
func checkTraces(paths []string, variants int) error {
	n := 0
	for _, p := range paths {
		if p == stdin {
			n++
		}
	}
	switch {
	case n > 1:
		return usagef("%d traces are -: standard input can be read once", n)
	case n == 1 && variants > 1:
		return usagef("trace -: standard input can be read once, and is wanted for %d runs: give a file", variants)
	}
	return nil
}

// noSuchVolume says that no record was of the volume asked for, if that is what
// happened.
func (s *reading) noSuchVolume(name string, rd *traces.Reader) error {
	stats := rd.Stats()
	if s.volume == "" || stats.Delivered > 0 || stats.Rejected > 0 {
		return nil
	}
	other := slices.ContainsFunc(stats.Skipped, func(k traces.SkipCount) bool {
		return k.Reason == "other volume" && k.Count > 0
	})
	if !other {
		return nil
	}
	const most = 20
	var has []string
	for _, v := range rd.Volumes() {
		if v == s.volume {
			return nil // it is there, with nothing to replay
		}
		if v != "" {
			has = append(has, strconv.Quote(v))
		}
	}
	if len(has) == 0 {
		return fmt.Errorf("%s: no volume %q: the trace names no volumes", name, s.volume)
	}
	more := ""
	if n := len(has) - most; n > 0 {
		has, more = has[:most], fmt.Sprintf(" and %d more", n)
	}
	return fmt.Errorf("%s: no volume %q: the trace has %s%s", name, s.volume, strings.Join(has, ", "), more)
}
