package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"blksim/bench/figures"
	"blksim/internal/replay"
	"blksim/internal/stack"
	"blksim/traces"
)

// The simulator that users would otherwise take, MQSim, does 104 to 172 thousand
// requests a second on one core.
const mqsimPerSecond = 104e3

// simulateRows are simulated I/Os a second on one core: a real trace, with its
// times, through the whole stack on the default device. The trace is read before,
// and the stack built; the run itself is timed.
func simulateRows() []row {
	return []row{{"stack-sim-ios-per-second", "simulated I/Os a second of one core", figures.AtLeast(0, 20*mqsimPerSecond),
		func(m *meter) (*figures.Reading, error) {
			recs, name, err := realTrace(m.root)
			if err != nil {
				return nil, err
			}
			r := &figures.Reading{}
			for start := time.Now(); len(r.Ratios) < 3 || time.Since(start) < m.row; {
				runtime.GC() // of the stack before
				s, err := simulate(recs, name)
				if err != nil {
					return nil, err
				}
				r.Ratios = append(r.Ratios, 1e9/s.cost())
			}
			r.Detail = fmt.Sprintf("%d records of %s", len(recs), name)
			return r, nil
		}}}
}

// realTrace reads a trace that is not the project's to give away, or a sample.
func realTrace(root string) (recs []traces.Record, name string, err error) {
	for _, path := range []string{"../shared/traces/cloudPhysicsIO.vscsi", "traces/samples/oltp-mix.blk.gz"} {
		path = filepath.Join(root, filepath.FromSlash(path))
		if _, err := os.Stat(path); err == nil {
			recs, err = readTrace(path)
			return recs, filepath.Base(path), err
		}
	}
	return nil, "", figures.Skip("there is no trace")
}

func readTrace(path string) (recs []traces.Record, err error) {
	rd, err := traces.Open(path, traces.Options{})
	if err != nil {
		return nil, err
	}
	defer rd.Close()
	buf := make([]traces.Record, 1024)
	for {
		n, err := rd.Read(buf)
		recs = append(recs, buf[:n]...)
		if err == io.EOF {
			return recs, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// kept is a trace in memory.
type kept struct{ recs []traces.Record }

var _ replay.Source = (*kept)(nil)

func (k *kept) Read(recs []traces.Record) (int, error) {
	n := copy(recs, k.recs)
	k.recs = k.recs[n:]
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// simulate is one run.
func simulate(recs []traces.Record, name string) (s sample, err error) {
	st, err := stack.Build(stack.Spec{Device: "sim", Seed: 1})
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	e, err := replay.New(replay.Config{Redirect: replay.Redirect{Kind: replay.RedirectWrap}}, st.Group, st.Disk, st.Lanes, &kept{recs}, name)
	if err != nil {
		return s, err
	}
	start := processTime()
	res, err := e.Run()
	s.took = processTime() - start
	if err != nil {
		return s, err
	}
	s.ops = int(res.Completed)
	if s.ops != len(recs) {
		err = fmt.Errorf("%d of %d records completed", s.ops, len(recs))
	}
	return s, err
}
