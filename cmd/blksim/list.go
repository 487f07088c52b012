package main

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/spf13/cobra"

	"blksim/internal/inventory"
	"blksim/internal/option"
	"blksim/internal/outfile"
)

func newList(sys outfile.System) *cobra.Command {
	s := &settings{sys: sys, outForm: "normal"}
	all := false
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the disks of this machine, and whether a run may use each",
		Long: `List the disks and partitions of this machine and whether a run may read from
each and write to it, and why not: what it is mounted as, what is stacked on it,
and which signatures of file systems, RAID, LVM, swap and partition tables its
first and last MiB have.

Disks are opened for reading only. Whether another program holds one exclusively
shows only when a run asks for it. Linux only.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.list(all, cmd.OutOrStdout()) },
	}
	results := s.writeOptions()
	results.Rows = results.Rows[:2] // the table has no colours
	bind(cmd, option.Table{{Title: "Disks", Rows: []option.Row{
		{Name: "all", CommandOnly: true, Value: option.Bool(&all), Usage: "also those without a medium, such as loop devices without a file"},
	}}, results})
	return cmd
}

func (s *settings) list(all bool, stdout io.Writer) error {
	list, err := inventory.Read(all)
	if err != nil {
		return failed(exitDevice, err)
	}
	var b bytes.Buffer
	if s.outForm == "json" {
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		err = enc.Encode(list)
	} else {
		err = list.WriteTable(&b)
	}
	if err == nil {
		err = s.put(b.Bytes(), stdout)
	}
	return failed(exitOutput, err)
}
