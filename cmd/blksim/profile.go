package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"blksim/internal/profile"
)

func newProfile() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "profile",
		Short: "List, show and check the profiles of simulated devices",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("profile %s: want blksim profile list, show or check", strings.Join(args, " "))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newProfileList(), newProfileShow(), newProfileCheck())
	return cmd
}

func newProfileList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the presets",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, name := range profile.Names() {
				p, err := profile.Load(name)
				if err != nil {
					return failed(exitInternal, err)
				}
				note := ""
				if name == profile.Default {
					note = " (the default)"
				}
				if err := printTo(cmd.OutOrStdout(), "%-16s %s%s\n", name, p.Description, note); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func newProfileShow() *cobra.Command {
	keys := false
	cmd := &cobra.Command{
		Use:   "show [PROFILE]",
		Short: "Print a preset or a file, or with --keys what a profile may say",
		Long: `Print the TOML of a preset or of a file that is a good profile: a beginning for
one of your own. With --keys, print every key with its meaning and limits.`,
		Example: `  blksim profile show tlc-consumer > mine.toml
  blksim profile show --keys`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 || keys == (len(args) == 1) {
				return usagef("profile show: want the name of a profile, or --keys")
			}
			if keys {
				return printTo(cmd.OutOrStdout(), "%s", profile.Reference())
			}
			p, err := profile.Load(args[0])
			if err != nil {
				return failed(exitInput, err)
			}
			return printTo(cmd.OutOrStdout(), "%s", p.Text)
		},
	}
	cmd.Flags().BoolVar(&keys, "keys", false, "print all keys instead")
	return cmd
}

func newProfileCheck() *cobra.Command {
	return &cobra.Command{
		Use:   "check PROFILE...",
		Short: "Check profiles, and say what a device of each is like",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("profile check: want at least one profile")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var first error
			for _, name := range args {
				p, err := profile.Load(name)
				if err != nil {
					say(cmd.ErrOrStderr(), err)
					if first == nil {
						first = &exitError{code: exitInput, err: err, said: true}
					}
					continue
				}
				if err := printTo(cmd.OutOrStdout(), "%s: good: %s\n%s", name, p.Description, indent(p.Limits())); err != nil {
					return err
				}
			}
			return first
		},
	}
}

func indent(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\n  ") + "\n"
}

// printTo writes to standard output.
func printTo(w io.Writer, format string, args ...any) error {
	_, err := fmt.Fprintf(w, format, args...)
	return failed(exitOutput, err)
}
