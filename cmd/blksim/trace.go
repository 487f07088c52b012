package main

import "github.com/spf13/cobra"

// newTrace is the parent of the commands that work on traces themselves.
func newTrace() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trace",
		Short: "Look at traces, convert, generate and record them",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown command %q: see blksim help trace", "trace "+args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTraceInfo(), newTraceConvert(), newTraceCat(), newTraceGenerate(), newTraceFit(), newTraceRecord(), newTraceDoctor())
	return cmd
}
