package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"blksim/internal/option"
)

// optionsSchema names the JSON form of "blksim options".
const optionsSchema = "blksim.options/v1"

// commandOptions are the options of one command.
type commandOptions struct {
	Command string       `json:"command"`
	Options []listedFlag `json:"options"`
}

type listedFlag struct {
	Name    string `json:"name"`
	Group   string `json:"group,omitempty"`
	Type    string `json:"type"`
	Default string `json:"default"`
	Usage   string `json:"usage"`
}

func newOptions() *cobra.Command {
	form := "normal"
	cmd := &cobra.Command{
		Use:   "options",
		Short: "List every option of every command",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return failed(exitOutput, listOptions(cmd.OutOrStdout(), form, cmd.Root()))
		},
	}
	bind(cmd, option.Table{{Title: "Results", Rows: []option.Row{
		{Name: "output-format", Value: option.Enum(&form, "normal", "json"), Usage: "normal (a line for each) or json"},
	}}})
	return cmd
}

// listOptions writes what the flags themselves say: it cannot differ from what
// the commands take.
func listOptions(w io.Writer, form string, root *cobra.Command) error {
	all := []commandOptions{}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Runnable() && c != root && c.Name() != "help" {
			all = append(all, commandOptions{c.CommandPath(), listFlags(c)})
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
	if form == "json" {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(struct {
			Schema   string           `json:"schema"`
			Commands []commandOptions `json:"commands"`
		}{optionsSchema, all})
	}
	for _, c := range all {
		if _, err := fmt.Fprintf(w, "%s\n", c.Command); err != nil {
			return err
		}
		for _, o := range c.Options {
			fmt.Fprintf(w, "  --%-20s %-24s %s\n", o.Name, o.Type, o.Usage)
		}
	}
	return nil
}

func listFlags(c *cobra.Command) []listedFlag {
	list := []listedFlag{}
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		o := listedFlag{Name: f.Name, Type: f.Value.Type(), Default: f.DefValue, Usage: f.Usage}
		if g := f.Annotations[groupNote]; len(g) > 0 {
			o.Group = g[0]
		}
		list = append(list, o)
	})
	return list
}
