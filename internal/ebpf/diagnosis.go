package ebpf

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// State is how a check went.
type State string

const (
	Good    State = "ok"
	Weak    State = "limited" // tracing is possible, with less
	Lacking State = "missing" // tracing is impossible
)

// Check is one thing that tracing needs, or is better with.
type Check struct {
	Name   string `json:"name"`
	State  State  `json:"state"`
	Detail string `json:"detail"`       // what was seen
	Do     string `json:"do,omitempty"` // what helps, unless it is good
}

// Diagnosis is whether a machine and a user can trace, and why not.
type Diagnosis struct {
	Schema   string  `json:"schema"` // "blksim.doctor/v1"
	Possible bool    `json:"possible"`
	Attach   string  `json:"attach,omitempty"` // the tracepoints that would be used
	Checks   []Check `json:"checks"`
}

// DoctorSchema names the JSON of a diagnosis; fields are only ever added.
const DoctorSchema = "blksim.doctor/v1"

func (d *Diagnosis) add(name string, state State, do, format string, args ...any) {
	if state == Good {
		do = ""
	}
	d.Checks = append(d.Checks, Check{Name: name, State: state, Detail: fmt.Sprintf(format, args...), Do: do})
}

// WriteTable writes the diagnosis for a person to read.
func (d *Diagnosis) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, c := range d.Checks {
		fmt.Fprintf(t, "%s\t%s\t%s\n", c.State, c.Name, c.Detail)
		if c.Do != "" {
			fmt.Fprintf(t, "\t\t-> %s\n", c.Do)
		}
	}
	verdict := "tracing is not possible here"
	if d.Possible {
		verdict = "tracing is possible, by " + d.Attach + " tracepoints"
	}
	fmt.Fprintf(t, "\n%s\n", verdict)
	return t.Flush()
}
