package main

import (
	"fmt"
	"io"

	"blksim/internal/replay"
	"blksim/internal/report"
	"blksim/internal/stack"
	"blksim/traces"
)

// newReplays begins the runs of traces, each in so many variants.
func newReplays(s *settings, paths []string, variants int, o traces.Options, stderr io.Writer) (*batch, error) {
	if err := s.supervised(); err != nil {
		return nil, err
	}
	surveys, writes, err := s.surveyAll(paths, o)
	if err != nil {
		return nil, err
	}
	b, err := newBatch(s, len(paths)*variants, writes, stderr)
	if err == nil {
		b.surveys = surveys
	}
	return b, err
}

// surveyAll reads traces before they are run, where a real disk is at stake or a scale
// asked for: what they write, and how far they reach. Standard input can be read once
// only, so it has no survey, and counts as writing. writes says which trace writes, in
// words.
func (s *settings) surveyAll(paths []string, o traces.Options) (all map[string]replay.Survey, writes string, err error) {
	all = map[string]replay.Survey{}
	if !s.isReal() && (s.redirect.Kind != replay.RedirectScale || s.redirect.From > 0) {
		return all, "", nil
	}
	for _, path := range paths {
		if path == stdin {
			if s.real.allowWrite {
				writes = "standard input may have records that write"
			}
			continue
		}
		if _, done := all[path]; done {
			continue
		}
		rd, err := openTrace(path, o)
		if err != nil {
			return nil, "", failed(exitInput, err)
		}
		v := replay.Look(rd)
		if err := rd.Close(); err != nil {
			return nil, "", failed(exitInput, err)
		}
		if all[path] = v; v.Writes > 0 {
			writes = fmt.Sprintf("%s has %s", traceName(path), plural(v.Writes, "record that writes", "records that write"))
		}
	}
	return all, writes, nil
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return report.Count(n) + " " + many
}

// place completes the configuration of a replay over a stack: how offsets are scaled,
// and whether anything may be written. It refuses a trace that does not fit a real
// disk before anything of it is run.
func (b *batch) place(cfg replay.Config, st *stack.Stack, path, name string) (replay.Config, error) {
	cfg.Alloc = st.Alloc
	cfg.ReadOnly = b.disks != nil && !b.disks.Options.Write
	v, known := b.surveys[path]
	if cfg.Redirect.Kind == replay.RedirectScale && cfg.Redirect.From == 0 {
		if !known {
			return cfg, usagef("--redirect=scale: standard input can be read once only: want the size of the recorded disk, as scale:1TiB")
		}
		cfg.Redirect.From = max(v.End, 1)
	}
	capacity := st.Disk.Limits().Capacity
	if b.disks != nil && known && v.End > capacity && cfg.Redirect.Kind == replay.RedirectNone && !cfg.SkipBad {
		return cfg, failed(exitInput, fmt.Errorf("%s reaches to byte %d (%s), and %s has %d (%s): want --redirect=wrap (modulo its size), scale (in proportion) or offset:BYTES, or --on-error=skip to leave out what is beyond",
			name, v.End, report.Amount(float64(v.End)), st.Device, capacity, report.Amount(float64(capacity))))
	}
	return cfg, cfg.Validate()
}

// willReplay says what a trace writes, and where.
func (b *batch) willReplay(path, name string, to replay.Redirect) []string {
	v, known := b.surveys[path]
	switch {
	case !known:
		return []string{name + " may write anywhere"}
	case v.Writes == 0:
		return nil
	}
	where := fmt.Sprintf("within bytes %d to %d", v.WriteFrom, v.WriteEnd)
	if to.Kind != replay.RedirectNone {
		where += " of the trace, redirected by " + to.String()
	}
	return []string{fmt.Sprintf("%s writes %s by %s, %s", name, report.Amount(float64(v.WriteBytes)), plural(v.Writes, "record", "records"), where)}
}
