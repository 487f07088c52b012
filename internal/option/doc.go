// Package option is the one table of options: flags, help, job-file keys, man
// pages, docs/options.md and "blksim options" are all made from its rows, so that
// they cannot differ.
//
// A row is a name, a value that knows how to read and write itself, and a line
// of usage. A table is a list of titled groups of rows. To add an option is to
// add a field to the settings that a command reads, and one row:
//
//	{Name: "queues", Value: option.Uint(&s.queues), Usage: "hardware queues"}
//
// Names are written with "-"; "_" means the same wherever a user writes a name.
// Values satisfy pflag.Value without importing it.
package option
