package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"

	"blksim/aio"
	"blksim/bench/figures"
)

// fio runs fio for one turn.
func (b *bench) fio(path, engine string, s spec, tuned bool) (window, error) {
	program, err := exec.LookPath("fio")
	if err != nil {
		return window{}, figures.Skip("fio is not installed")
	}
	rw := "randread"
	if s.op == aio.OpWrite {
		rw = "randwrite"
	}
	args := []string{"--name=disk", "--filename=" + path, "--ioengine=" + engine, "--rw=" + rw, "--bs=4k", "--direct=1", "--zero_buffers",
		fmt.Sprintf("--iodepth=%d", s.depth), fmt.Sprintf("--size=%d", diskSize), "--allow_file_create=0", "--time_based",
		fmt.Sprintf("--runtime=%dms", b.window.Milliseconds()), "--output-format=json"}
	if tuned {
		args = append(args, "--norandommap", fmt.Sprintf("--iodepth_batch_submit=%d", s.depth), "--iodepth_batch_complete_min=1",
			fmt.Sprintf("--iodepth_batch_complete_max=%d", s.depth))
		if engine == "io_uring" { // libaio has neither
			args = append(args, "--fixedbufs", "--registerfiles", "--nonvectored=1")
		}
	}
	if s.pinned {
		args = append(args, fmt.Sprintf("--cpus_allowed=%d", pinnedCPU()))
	}
	out, err := exec.Command(program, args...).Output()
	if err != nil {
		return window{}, fmt.Errorf("fio: %w", err)
	}
	return parseFio(out)
}

// parseFio reads fio's own figures.
func parseFio(out []byte) (w window, err error) {
	type direction struct {
		Total int     `json:"total_ios"`
		IOPS  float64 `json:"iops"`
	}
	var report struct {
		Jobs []struct {
			Error  int       `json:"error"`
			Read   direction `json:"read"`
			Write  direction `json:"write"`
			User   float64   `json:"usr_cpu"` // percent of the runtime
			System float64   `json:"sys_cpu"`
		} `json:"jobs"`
	}
	if err := json.Unmarshal(out, &report); err != nil {
		return w, fmt.Errorf("fio's report: %w", err)
	}
	if len(report.Jobs) != 1 || report.Jobs[0].Error != 0 {
		return w, errors.New("fio's report: the job failed")
	}
	j := &report.Jobs[0]
	d := j.Read
	if d.Total == 0 {
		d = j.Write
	}
	if d.Total == 0 || d.IOPS == 0 {
		return w, errors.New("fio's report: no I/O")
	}
	return window{iops: d.IOPS, cpu: (j.User + j.System) / 100 * 1e9 / d.IOPS}, nil
}
