package load

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"blksim/internal/option"
)

// A FileError is what is wrong with a job file, with its place.
type FileError struct {
	Name string
	Line int
	Err  error
}

func (e *FileError) Error() string { return fmt.Sprintf("%s:%d: %v", e.Name, e.Line, e.Err) }
func (e *FileError) Unwrap() error { return e.Err }

// Defaults is what a section of a job file begins with.
type Defaults struct {
	Job Job
	// Global takes the options that only [global] may have: those of the command.
	Global option.Table
}

// ParseFile reads a job file of fio's: sections of "key=value" lines, [global] for
// what all sections after it begin with, comments from ";" or "#", and ${NAME}
// for variables of the environment. name is how errors call the file. Every
// error is a *FileError, but for those of r.
func ParseFile(r io.Reader, name string, d Defaults) ([]Job, error) {
	p := &fileParser{defaults: d, global: d.Job, shared: map[string]string{}}
	scan := bufio.NewScanner(r)
	line := 0
	for scan.Scan() {
		line++
		if err := p.line(strings.TrimSpace(scan.Text()), line); err != nil {
			return nil, &FileError{name, line, err}
		}
	}
	if err := scan.Err(); err != nil {
		return nil, &FileError{name, line + 1, err}
	}
	if len(p.jobs) == 0 {
		return nil, &FileError{name, line, errors.New("no job: want a section such as [job1]")}
	}
	for i := range p.jobs {
		if err := p.jobs[i].Validate(); err != nil {
			return nil, &FileError{name, p.lines[i], fmt.Errorf("job %s: %w", p.jobs[i].Name, err)}
		}
	}
	return p.jobs, nil
}

type fileParser struct {
	defaults Defaults
	global   Job
	jobs     []Job
	lines    []int // of the jobs' sections
	inside   bool  // a section
	inGlobal bool
	shared   map[string]string // options that all jobs share, and were set
}

func (p *fileParser) line(s string, number int) error {
	switch {
	case s == "" || s[0] == '#' || s[0] == ';':
		return nil
	case s[0] == '[':
		return p.section(s, number)
	case !p.inside:
		return fmt.Errorf("%q stands before any section: want [global] or the name of a job in brackets", s)
	}
	s, err := expand(s)
	if err != nil {
		return err
	}
	key, value, has := strings.Cut(s, "=")
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	return p.set(key, value, has)
}

func (p *fileParser) section(s string, number int) error {
	name, rest, closed := strings.Cut(s[1:], "]")
	if !closed || name == "" || strings.TrimSpace(rest) != "" {
		return fmt.Errorf("%q: want a section's name in brackets, and nothing else on the line", s)
	}
	p.inside, p.inGlobal = true, name == "global"
	if !p.inGlobal {
		j := p.global
		j.Name = name
		p.jobs, p.lines = append(p.jobs, j), append(p.lines, number)
	}
	return nil
}

// set sets one key of the section at hand.
func (p *fileParser) set(key, value string, has bool) error {
	job := &p.global
	if !p.inGlobal {
		job = &p.jobs[len(p.jobs)-1]
	}
	own := job.Options()
	if own.Find(key) != nil {
		return own.Set(key, value, has)
	}
	if why := foreign[option.Normal(key)]; why != "" {
		return fmt.Errorf("option %q of fio: %s", key, why)
	}
	if row := p.defaults.Global.Find(key); row != nil {
		if row.Shared {
			return p.share(row, key, value, has)
		}
		if !p.inGlobal {
			return fmt.Errorf("option %q is for the whole run: want it in [global]", key)
		}
		return p.defaults.Global.Set(key, value, has)
	}
	return &option.UnknownError{Name: key, Nearest: option.Nearest(key, append(own.Names(), p.defaults.Global.Names()...))}
}

// share sets an option that all jobs share.
func (p *fileParser) share(row *option.Row, key, value string, has bool) error {
	err := p.defaults.Global.Set(key, value, has)
	now := row.Value.String()
	if before, is := p.shared[row.Name]; err == nil && is && before != now {
		return fmt.Errorf("option %q: %s, and %s in another section: all jobs have the same", key, now, before)
	}
	p.shared[row.Name] = now
	return err
}

// foreign are options of fio that blksim has another way for, or nothing to do
// with: what to do instead.
var foreign = map[string]string{
	"filename": "say what to run on with device", "directory": "say what to run on with device",
	"nrfiles": "a job has one region: leave it out", "filesize": "want size",
	"bsunaligned": "not possible on a block device", "bs-unaligned": "not possible on a block device",
	"include":        "put everything in one file",
	"latency-target": "want deadline, which cancels what is late",
	"write-bw-log":   "want --output-format=json, which has a series of intervals",
	"write-lat-log":  "want --ios, which has every I/O", "write-iops-log": "want --output-format=json, which has a series of intervals",
	"read-iolog": "want blksim replay", "replay-redirect": "want blksim replay",
}

// expand puts in variables of the environment: ${NAME}.
func expand(s string) (string, error) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, "${")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		name, rest, closed := strings.Cut(after, "}")
		if !closed {
			return "", fmt.Errorf("${%s: want a } after the name", after)
		}
		value, is := os.LookupEnv(name)
		if !is {
			return "", fmt.Errorf("${%s}: the environment has no such variable", name)
		}
		b.WriteString(value)
		s = rest
	}
}
