package profile

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"blksim/device/nvme/flash"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// Error is what is wrong with a profile, and where.
type Error struct {
	File string
	Line int    // from 1; 0: the file as a whole
	Key  string // full, such as media.read; may be empty
	Text string // what is there and what was expected
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	b.WriteString(": ")
	if e.Key != "" {
		b.WriteString(e.Key + ": ")
	}
	b.WriteString(e.Text)
	return b.String()
}

// Parse makes a profile of TOML text. Its errors are *Error.
func Parse(file string, src []byte) (*Profile, error) {
	// The library's own decoder first: it knows all of TOML's rules.
	var all map[string]any
	if err := toml.Unmarshal(src, &all); err != nil {
		e := &Error{File: file, Text: strings.TrimPrefix(err.Error(), "toml: ")}
		var d *toml.DecodeError
		if errors.As(err, &d) {
			e.Line, _ = d.Position()
			e.Key = strings.Join(d.Key(), ".")
		}
		return nil, e
	}
	p := &parser{file: file, profile: &Profile{Name: file, Text: string(src)}, lines: make([]int, len(options))}
	if err := p.walk(src); err != nil {
		return nil, err
	}
	if err := p.finish(); err != nil {
		return nil, err
	}
	return p.profile, nil
}

type parser struct {
	file    string
	profile *Profile
	lines   []int // by option: where it was set, 0 if it was not
}

func (p *parser) errorf(line int, key, format string, args ...any) error {
	return &Error{p.file, line, key, fmt.Sprintf(format, args...)}
}

// walk sets every key of the file.
func (p *parser) walk(src []byte) error {
	var u unstable.Parser
	u.Reset(src)
	table := ""
	for u.NextExpression() {
		e := u.Expression()
		switch e.Kind {
		case unstable.Table:
			name, line := keyOf(e, src)
			if !knownTable(name) {
				return p.errorf(line, name, "no such table; want %s", strings.Join(tables(), ", "))
			}
			table = name + "."
		case unstable.KeyValue:
			name, line := keyOf(e, src)
			if err := p.assign(line, table+name, e.Value()); err != nil {
				return err
			}
		default:
			name, line := keyOf(e, src)
			return p.errorf(line, name, "want a table [%s], not an array of tables", name)
		}
	}
	if err := u.Error(); err != nil { // the decoder has accepted it: cannot happen
		return p.errorf(0, "", "%v", err)
	}
	return nil
}

// keyOf is the dotted key of a table or an assignment, and its line.
func keyOf(e *unstable.Node, src []byte) (string, int) {
	var parts []string
	line := 0
	for it := e.Key(); it.Next(); {
		k := it.Node()
		parts = append(parts, string(k.Data))
		if line == 0 {
			line = 1 + bytes.Count(src[:k.Raw.Offset], []byte("\n"))
		}
	}
	return strings.Join(parts, "."), line
}

func (p *parser) assign(line int, key string, v *unstable.Node) error {
	for i := range options {
		o := &options[i]
		if o.key != key {
			continue
		}
		val, err := o.parse(v)
		if err != nil {
			return p.errorf(line, key, "%s; want %s", err, o.wants())
		}
		o.set(p.profile, val)
		p.lines[i] = line
		return nil
	}
	return p.errorf(line, key, "no such key%s", nearest(key))
}

// parse turns a node into the option's value.
func (o *option) parse(v *unstable.Node) (value, error) {
	raw := string(v.Data)
	switch o.unit {
	case truth:
		if v.Kind != unstable.Bool {
			return value{}, fmt.Errorf("%s %s is no boolean", strings.ToLower(v.Kind.String()), raw)
		}
		return value{b: raw == "true"}, nil
	case count:
		if v.Kind != unstable.Integer {
			return value{}, fmt.Errorf("%s %q is no integer", strings.ToLower(v.Kind.String()), raw)
		}
		n, err := integer(raw)
		return o.limit(n, raw, err)
	case pages:
		return o.pageTimes(v)
	}
	if v.Kind != unstable.String {
		return value{}, fmt.Errorf("%s %s is no string", strings.ToLower(v.Kind.String()), raw)
	}
	switch o.unit {
	case text:
		if n := int64(len(raw)); n < o.lo || n > o.hi {
			return value{}, fmt.Errorf("%q has %d", raw, n)
		}
		return value{s: raw}, nil
	case choice:
		for _, w := range o.words {
			if raw == w {
				return value{s: raw}, nil
			}
		}
		return value{}, fmt.Errorf("unknown %q", raw)
	case spread:
		shape, err := distribution(raw)
		if err != nil {
			return value{}, fmt.Errorf("%q: %w", raw, err)
		}
		return value{shape: shape}, nil
	}
	n, err := quantity(raw, o.unit)
	return o.limit(n, raw, err)
}

func (o *option) limit(n int64, raw string, err error) (value, error) {
	if err != nil {
		return value{}, fmt.Errorf("%q: %w", raw, err)
	}
	if n < o.lo || n > o.hi {
		return value{}, fmt.Errorf("%q is out of range", raw)
	}
	return value{n: n}, nil
}

// finish checks what concerns several keys.
func (p *parser) finish() error {
	pr := p.profile
	for i := range options {
		o, line := &options[i], p.lines[i]
		switch {
		case line == 0 && (o.needs == required || o.needs == flashRequired && pr.Media == Flash):
			return p.errorf(0, o.key, "missing; want %s: %s", o.wants(), o.meaning)
		case line != 0 && o.needs >= flashRequired && pr.Media != Flash:
			return p.errorf(line, o.key, "only with media.kind = %q", Flash)
		}
	}
	at := func(key string) int {
		for i := range options {
			if options[i].key == key {
				return p.lines[i]
			}
		}
		panic("profile: no option " + key)
	}
	c, f := &pr.Controller, &pr.Flash
	switch {
	case c.LBASize != 512 && c.LBASize != 4096:
		return p.errorf(at("namespace.block"), "namespace.block", "%d; want 512B or 4KiB", c.LBASize)
	case c.Capacity%int64(c.LBASize) != 0:
		return p.errorf(at("namespace.capacity"), "namespace.capacity", "%d is no multiple of namespace.block", c.Capacity)
	case at("controller.max_transfer") != 0 && c.MDTS == 0:
		return p.errorf(at("controller.max_transfer"), "controller.max_transfer", "want a power of two from 8KiB to 256MiB")
	}
	if pr.Media == Flash {
		f.Capacity = c.Capacity
		switch {
		case f.PageSize%flash.Unit != 0:
			return p.errorf(at("media.page"), "media.page", "%d is no multiple of 4KiB", f.PageSize)
		case f.Buffer != 0 && f.Buffer < 2*int64(f.Row()):
			return p.errorf(at("media.buffer"), "media.buffer", "%s is too small; want at least two pages of all planes, %s",
				bytesText(f.Buffer), bytesText(2*int64(f.Row())))
		case f.OverProvision > 0 && f.Buffer == 0:
			return p.errorf(at("media.over_provision"), "media.over_provision", "without media.buffer")
		case f.OverProvision == 0 && f.Filled != flash.Empty:
			return p.errorf(at("media.filled"), "media.filled", "without media.over_provision")
		case (f.SLC > 0) != (f.SLCProgramTime > 0):
			return p.errorf(max(at("media.slc"), at("media.slc_program")), "media.slc", "want media.slc and media.slc_program together")
		case f.SLC > 0 && (f.Buffer == 0 || f.SLC > f.Capacity):
			return p.errorf(at("media.slc"), "media.slc", "want at most namespace.capacity, and media.buffer")
		case f.PageTypes() > 0 && f.PagesMean() != f.ReadTime:
			return p.errorf(at("media.read_pages"), "media.read_pages", "the mean is %v; want that of media.read, %v", f.PagesMean(), f.ReadTime)
		case f.Volatile && f.Buffer == 0:
			return p.errorf(at("media.volatile"), "media.volatile", "true without media.buffer")
		}
		if err := f.Validate(); err != nil {
			return p.errorf(0, "media", "%v", err)
		}
	}
	if err := c.Validate(); err != nil {
		return p.errorf(0, "controller", "%v", err)
	}
	return nil
}

// tables are the tables that the keys lie in, in their order.
func tables() []string {
	var out []string
	for i := range options {
		t, _, ok := strings.Cut(options[i].key, ".")
		if ok && (len(out) == 0 || out[len(out)-1] != t) {
			out = append(out, t)
		}
	}
	return out
}

func knownTable(name string) bool {
	for _, t := range tables() {
		if t == name {
			return true
		}
	}
	return false
}

// nearest names the keys of the same table, or the tables.
func nearest(key string) string {
	table, _, ok := strings.Cut(key, ".")
	var near []string
	for i := range options {
		t, k, in := strings.Cut(options[i].key, ".")
		if ok && in && t == table {
			near = append(near, k)
		}
	}
	if near == nil {
		return "; want description or a key of " + strings.Join(tables(), ", ")
	}
	return "; " + table + " has " + strings.Join(near, ", ")
}
