package main

import (
	"encoding/json"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"blksim/internal/ebpf"
	"blksim/internal/option"
)

func newTraceDoctor() *cobra.Command {
	form := "normal"
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say whether this machine can trace disks, and what is missing",
		Long: `Look at everything that tracing by eBPF needs (capabilities, lockdown, the kernel's
BTF and tracepoints), try it, and say what is missing and what to do about it.
Exit code 4 if tracing is not possible.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return doctor(form, cmd.OutOrStdout()) },
	}
	bind(cmd, option.Table{{Title: "Output", Rows: []option.Row{
		{Name: "output-format", Value: option.Enum(&form, "normal", "json"), Usage: "a table, or JSON"},
	}}})
	return cmd
}

func doctor(form string, stdout io.Writer) error {
	d := ebpf.Diagnose()
	var err error
	if form == "json" {
		enc := json.NewEncoder(stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		err = enc.Encode(d)
	} else {
		err = d.WriteTable(stdout)
	}
	if err != nil {
		return failed(exitOutput, err)
	}
	if !d.Possible {
		return &exitError{code: exitDevice, err: errors.New("tracing is not possible here"), said: true}
	}
	return nil
}
