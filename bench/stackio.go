package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/bench/figures"
	"blksim/internal/stack"
	"blksim/sim"
)

// stackRows are the whole stack over a medium that takes no time: aio, blk, the
// NVMe driver, submission and completion queues, the controller; against fio with
// its null engine. Both do 4 KiB random reads and move no data.
func stackRows() []row {
	versus := func(name, unit string, b figures.Bar, batch int, args ...string) row {
		return row{name, unit, b, func(m *meter) (*figures.Reading, error) {
			path, err := exec.LookPath("fio")
			if err != nil {
				return nil, figures.Skip("fio is not installed")
			}
			l, err := newStackLoop("sim:null", batch)
			if err != nil {
				return nil, err
			}
			defer l.st.Close()
			long := *m
			long.window = 20 * m.window // fio takes half a second to begin and end
			return long.compare("blksim", onCPU(l.piece), "fio", fio(path, args))
		}}
	}
	return []row{
		versus("blk-nvme-null-b32-vs-fio-null", "of fio's time", figures.AtMost(0.40, 0.28), 32),
		// For those who know fio: without what it spends on time stamps, latencies
		// and its map of what was read, all of which we do without too.
		versus("blk-nvme-null-b32-vs-fio-null-tuned", "of tuned fio's time", figures.Bar{}, 32,
			"--norandommap", "--gtod_reduce=1", "--iodepth_batch=32", "--iodepth_batch_complete_min=32"),
	}
}

// fio runs fio for each window and takes its own figures: I/Os, time, and the
// part of it that it was on a processor.
func fio(path string, args []string) side {
	return func(d time.Duration) (s sample, err error) {
		args := append([]string{"--name=null", "--ioengine=null", "--iodepth=32", "--rw=randread", "--bs=4k", "--size=1g",
			"--time_based", fmt.Sprintf("--runtime=%dms", d.Milliseconds()), "--output-format=json"}, args...)
		out, err := exec.Command(path, args...).Output()
		if err != nil {
			return s, fmt.Errorf("fio: %w", err)
		}
		return parseFio(out)
	}
}

func parseFio(out []byte) (s sample, err error) {
	var report struct {
		Jobs []struct {
			Read struct {
				TotalIOs int     `json:"total_ios"`
				Runtime  float64 `json:"runtime"` // ms
			} `json:"read"`
			User   float64 `json:"usr_cpu"` // percent of the runtime
			System float64 `json:"sys_cpu"`
		} `json:"jobs"`
	}
	if err := json.Unmarshal(out, &report); err != nil {
		return s, fmt.Errorf("fio's report: %w", err)
	}
	if len(report.Jobs) != 1 || report.Jobs[0].Read.TotalIOs == 0 {
		return s, errors.New("fio's report: no reads")
	}
	j := &report.Jobs[0]
	s.ops = j.Read.TotalIOs
	s.took = time.Duration(j.Read.Runtime * float64(time.Millisecond) * (j.User + j.System) / 100)
	return s, nil
}

// stackLoop keeps batches of reads going through a stack in virtual time, on one
// goroutine.
type stackLoop struct {
	st     *stack.Stack
	ctx    *aio.Context
	ios    []aio.IO
	left   int // to be submitted
	ended  int // of the batch
	random random
	err    error
}

func newStackLoop(device string, batch int) (*stackLoop, error) {
	const capacity = 1 << 30
	st, err := stack.Build(stack.Spec{Device: device, Capacity: capacity, Seed: 1})
	if err != nil {
		return nil, err
	}
	l := &stackLoop{st: st, ios: make([]aio.IO, batch), random: 1}
	buf := make([]byte, 4096)
	for i := range l.ios {
		l.ios[i] = aio.IO{Op: aio.OpRead, Len: 4096, Buf: buf, Data: uint64(i)}
	}
	l.ctx, err = aio.New(aio.Options{Capacity: 256, Lanes: st.Lanes, OnEvents: l.events})
	return l, err
}

func (l *stackLoop) piece() (ops int, err error) {
	const some = pieceOps
	l.left, l.ended = some, 0
	l.st.Lanes[0].Post(l.submit)
	if err := l.st.Group.(*sim.World).Run(); err != nil {
		return 0, err
	}
	return some, l.err
}

func (l *stackLoop) submit() {
	l.left -= len(l.ios)
	for i := range l.ios {
		l.ios[i].Off = int64(l.random.below(1<<30/4096)) * 4096
	}
	if _, err := l.ctx.SubmitBatch(l.st.Lanes[0], l.st.Disk, l.ios, nil); err != nil {
		l.err = err
	}
}

func (l *stackLoop) events(_ lane.Lane, evs []aio.Event) {
	for i := range evs {
		if evs[i].Status != aio.OK {
			l.err = evs[i].Status.Err()
		}
	}
	if l.ended += len(evs); l.ended == len(l.ios) && l.left > 0 {
		l.ended = 0
		l.submit()
	}
}
