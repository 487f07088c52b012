package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"blksim/internal/option"
	"blksim/internal/outfile"
)

func newMan(sys outfile.System) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "man FOLDER",
		Short: "Write the manual pages of all commands into a folder",
		Long: `Write a manual page for each command into a folder, which is made if it is not
there: blksim.1, blksim-replay.1 and so on. They are made from the same table of
options as the commands themselves.`,
		Example: `  blksim man ~/.local/share/man/man1 && man blksim-replay`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("man: want one folder")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return failed(exitOutput, writePages(sys, cmd.Root(), args[0]))
		},
	}
	bind(cmd, option.Table{})
	return cmd
}

// writePages writes the page of a command and of all below it. The pages have no
// date, so that the same version gives the same bytes.
func writePages(sys outfile.System, root *cobra.Command, folder string) error {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	epoch := time.Unix(0, 0).UTC()
	header := doc.GenManHeader{Section: "1", Source: "blksim " + root.Version, Manual: "blksim", Date: &epoch}
	var write func(c *cobra.Command) error
	write = func(c *cobra.Command) error {
		if !c.IsAvailableCommand() && c != root {
			return nil
		}
		c.DisableAutoGenTag = true
		var b bytes.Buffer
		h := header
		h.Title = ""
		if err := doc.GenMan(c, &h, &b); err != nil {
			return fmt.Errorf("%s: %w", c.CommandPath(), err)
		}
		if err := outfile.Put(sys, filepath.Join(folder, pageName(c)), b.Bytes()); err != nil {
			return err
		}
		for _, sub := range c.Commands() {
			if err := write(sub); err != nil {
				return err
			}
		}
		return nil
	}
	return write(root)
}

// pageName is the file of a command's page: blksim-trace-info.1.
func pageName(c *cobra.Command) string {
	name := c.Name()
	for p := c.Parent(); p != nil; p = p.Parent() {
		name = p.Name() + "-" + name
	}
	return name + ".1"
}
