package inventory

import (
	"fmt"
	"io"
	"strings"

	"blksim/internal/report"
)

// WriteTable writes the list for a person: a line for each disk, and below it why it
// cannot be used freely.
func (l *List) WriteTable(w io.Writer) error {
	titles := []string{"device", "size", "model", "scheduler", "read", "write"}
	lines := [][]string{titles}
	for i := range l.Disks {
		lines = append(lines, l.Disks[i].cells())
	}
	width := make([]int, len(titles))
	for _, cells := range lines {
		for i, c := range cells {
			width[i] = max(width[i], len(c))
		}
	}
	var b strings.Builder
	for at, cells := range lines {
		line := ""
		for i, c := range cells {
			if i == 1 {
				line += fmt.Sprintf("%*s  ", width[i], c) // a number
			} else {
				line += fmt.Sprintf("%-*s  ", width[i], c)
			}
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
		if at > 0 {
			for _, why := range l.Disks[at-1].Why {
				b.WriteString("    " + why + "\n")
			}
		}
	}
	if len(l.Disks) == 0 {
		b.WriteString("no disks\n")
	}
	if l.Empty > 0 {
		fmt.Fprintf(&b, "%d more have no medium: --all lists them\n", l.Empty)
	}
	b.WriteString("\nread: blksim run --device DEVICE. write: yes with --allow-write, force with --force-overwrite as well, no not at all.\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// cells is the line of a disk.
func (d *Disk) cells() []string {
	name := d.Path
	if d.Partition {
		name = "  " + name
	}
	model := d.Model
	switch {
	case d.Mapper != "":
		model = d.Mapper
	case d.Backing != "":
		model = "over " + d.Backing
	}
	if d.Rotates {
		model = strings.TrimSpace(model + " (rotational)")
	}
	read := "no"
	if d.Read {
		read = "yes"
	}
	return []string{name, report.Amount(float64(d.Bytes)), model, d.Scheduler, read, string(d.Write)}
}
