package option

import (
	"fmt"
	"strings"
)

// Value is what an option is set to. It reads what it writes; its methods are
// those of pflag.Value.
type Value interface {
	Set(s string) error
	String() string
	Type() string // for help: "size", "duration", "a|b|c"
}

// Row is one option.
type Row struct {
	Name  string // with "-", never "_"
	Value Value
	Usage string
	Alias []string // other names for the same, fio's among them
	Short string   // its letter on the command line; "": none

	// CommandOnly: the option is about the command as a whole, and a section of
	// a job file may not have it.
	CommandOnly bool

	// Shared: the option is about the whole run, and yet a section of a job file may
	// have it, as fio's often do; all that have it have the same.
	Shared bool
}

// Group is options that belong together, under a title.
type Group struct {
	Title string
	Rows  []Row
}

// Table is all options of a command, in the order of its help.
type Table []Group

// Normal is the one way that the table writes a name.
func Normal(name string) string { return strings.ReplaceAll(name, "_", "-") }

// Find returns the row that name or an alias of it stands for, nil if there is
// none.
func (t Table) Find(name string) *Row {
	name = Normal(name)
	for _, g := range t {
		for i := range g.Rows {
			r := &g.Rows[i]
			if r.Name == name {
				return r
			}
			for _, a := range r.Alias {
				if a == name {
					return r
				}
			}
		}
	}
	return nil
}

// Names lists every name and alias, in the order of the table.
func (t Table) Names() []string {
	var names []string
	for _, g := range t {
		for _, r := range g.Rows {
			names = append(append(names, r.Name), r.Alias...)
		}
	}
	return names
}

// An UnknownError is a name that the table has not.
type UnknownError struct{ Name, Nearest string }

func (e *UnknownError) Error() string {
	if e.Nearest == "" {
		return fmt.Sprintf("unknown option %q", e.Name)
	}
	return fmt.Sprintf("unknown option %q: did you mean %q?", e.Name, e.Nearest)
}

// Set sets the option that name stands for, as a job file does. A bool may come
// without a value, which sets it.
func (t Table) Set(name, value string, has bool) error {
	r := t.Find(name)
	switch {
	case r == nil:
		return &UnknownError{name, Nearest(name, t.Names())}
	case r.CommandOnly:
		return fmt.Errorf("option %q is for the command line", name)
	case !has && r.Value.Type() == boolType:
		value = "true"
	case !has:
		return fmt.Errorf("option %q: want a value: %s", name, r.Value.Type())
	}
	if err := r.Value.Set(value); err != nil {
		return fmt.Errorf("option %q: %w", name, err)
	}
	return nil
}
