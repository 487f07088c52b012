package traces

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// sampleRecords is how many lines or binary records detection tries.
const sampleRecords = 48

var utf8BOM = []byte{0xef, 0xbb, 0xbf}

// detect finds the format of the content, or takes the one that was asked for, and
// opens its parser.
func (r *Reader) detect() error {
	head, all := r.in.peek()
	if len(head) == 0 {
		if r.in.err != io.EOF {
			return r.src.broken(r.name, r.in.err)
		}
		if r.src.what != "file" {
			return fmt.Errorf("traces: %s: nothing inside the %s: %w", r.name, r.src.what, ErrEmpty)
		}
		return fmt.Errorf("traces: %s: %w", r.name, ErrEmpty)
	}
	if bytes.HasPrefix(head, utf8BOM) {
		r.in.discard(len(utf8BOM))
		head = head[len(utf8BOM):]
	}
	if !all {
		// The last line of the head is not whole.
		if i := bytes.LastIndexByte(head, '\n'); i >= 0 {
			head = head[:i+1]
		}
	}
	var d detection
	if r.opts.Format != "" {
		d = detection{format: formatNamed(r.opts.Format), why: "asked for"}
	} else {
		var err error
		if d, err = detectFormat(head, &r.opts); err != nil {
			if e := r.in.err; e != nil && e != io.EOF {
				return r.src.broken(r.name, e) // too little of it for a format to show
			}
			return fmt.Errorf("traces: %s: %w", r.name, err)
		}
	}
	return r.open(d, head)
}

func (r *Reader) open(d detection, head []byte) error {
	f := d.format
	if r.opts.TimeUnit != 0 && f.name == "csv" {
		return fmt.Errorf("traces: %s: the unit of a table's time stands in its columns: time=COLUMN:UNIT", r.name)
	}
	if r.opts.TimeUnit != 0 && f.unit == 0 {
		return fmt.Errorf("traces: %s: format %s has decimal times: no unit of time can be given", r.name, f.name)
	}
	var notes []string
	if d.partly != "" {
		notes = append(notes, d.partly)
	}
	if d.also != "" {
		notes = append(notes, d.also)
		d.why += "; " + d.also
	}
	completions := false
	if f.action != nil {
		var action byte
		var note string
		action, completions, note = f.action(head)
		if r.opts.Action == 0 {
			r.opts.Action = action
			if note != "" {
				notes = append(notes, note)
			}
		}
	}
	ops, err := parseOpMap(r.opts.OpMap)
	if err != nil {
		return err
	}
	r.format, r.why, r.in.cutter = f, d.why, f.cut
	r.scan = newScan(f, &r.opts, ops)
	r.scan.completions = completions
	r.parser = f.open(r.scan)
	r.batch, _ = r.parser.(batcher)
	r.bulk, _ = r.parser.(bulk)
	if o := &r.opts; o.Volume == "" {
		if r.liner, _ = r.parser.(liner); r.liner != nil {
			r.chunk = &chunk{}
		}
	}
	r.scan.notes = append(r.scan.notes, notes...)
	r.stage = newStage(&r.opts, r.scan)
	r.other = r.scan.skips.slot(skipOtherVolume)
	r.win = window{span: int64(r.opts.Window), max: r.opts.WindowRecords}
	r.newest = -1 << 63
	return nil
}

// detection is the format found, what it was recognised by, how far it fits where
// not every line does, and what else fits.
type detection struct {
	format *format
	why    string
	partly string
	also   string
}

// trial is what a format makes of the first lines.
type trial struct {
	format    *format
	good, bad int
	typical   int // of the good ones
	line      int64
	fault     Error // of the first bad line
}

// detectFormat goes from the certain to the likely: what names itself; what this
// package recognises in order to refuse it; the format that every line fits; binary
// layouts; the text formats of others; the format that most lines fit, or half of
// them and no other format as many, so that a bad line near the top is an error of
// its own, with its place, and no riddle: the reader stops there or skips it.
func detectFormat(head []byte, o *Options) (detection, error) {
	for i := range formats {
		if f := &formats[i]; f.magic != nil && (f.cut == nil || f.named) {
			if why, ok := f.magic(head); ok {
				return detection{format: f, why: why}, nil
			}
		}
	}
	if what := foreignBinary(head); what != "" {
		return detection{}, fmt.Errorf("recognised as %s, which is %w", what, ErrUnsupported)
	}
	best, all := tryAll(head, o)
	if best.good > 0 && best.bad == 0 {
		return detection{format: best.format, also: alsoFits(best, all),
			why: fmt.Sprintf("%s (the first %d lines fit)", best.format.shape, best.good)}, nil
	}
	for i := range formats {
		if f := &formats[i]; f.cut != nil && !f.named {
			if why, ok := f.magic(head); ok {
				return detection{format: f, why: why}, nil
			}
		}
	}
	if what := foreignText(head); what != "" {
		return detection{}, fmt.Errorf("recognised as %s, which is %w", what, ErrUnsupported)
	}
	if best.good == 0 {
		return detection{}, unknown(head, best)
	}
	also := alsoFits(best, all)
	if best.good > best.bad || best.good == best.bad && also == "" {
		fit := fmt.Sprintf("%d of the first %d lines fit", best.good, best.good+best.bad)
		return detection{format: best.format, also: also,
			why:    fmt.Sprintf("%s (%s)", best.format.shape, fit),
			partly: fmt.Sprintf("%s %s, the nearest format", fit, best.format.name)}, nil
	}
	return detection{}, unknown(head, best)
}

// tryAll tries every format that does not name itself. The best has the most lines
// that are typical of it, among those that most lines fit; the first of equals.
func tryAll(head []byte, o *Options) (best trial, all []trial) {
	for i := range formats {
		f := &formats[i]
		if f.magic != nil {
			continue
		}
		t := try(f, head, o)
		all = append(all, t)
		fits, bestFits := t.good > t.bad, best.good > best.bad
		if fits && !bestFits || fits == bestFits && t.typical > best.typical {
			best = t
		}
	}
	return best, all
}

// alsoFits names the other formats that every line fits, or as many as the best.
func alsoFits(best trial, all []trial) string {
	var names []string
	lines := fmt.Sprintf("the first %d lines", best.good+best.bad)
	for _, t := range all {
		if t.format == best.format || t.good == 0 || t.bad > 0 && t.good < best.good {
			continue
		}
		if t.bad > 0 {
			lines = "as many lines"
		}
		names = append(names, t.format.name)
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("%s fit %s too; %s was taken, another format can be named",
		lines, strings.Join(names, ", "), best.format.name)
}

// try parses the first lines of head as f.
func try(f *format, head []byte, o *Options) trial {
	t := trial{format: f}
	trialOptions := *o
	ops, err := parseOpMap(o.OpMap)
	if err != nil {
		return t
	}
	s := newScan(f, &trialOptions, ops)
	p := f.open(s)
	in := &input{buf: head, w: len(head), err: io.EOF}
	in.mayNUL = bytes.IndexByte(head, 0) >= 0
	rec := Record{}
	for t.good+t.bad < sampleRecords && t.bad <= sampleRecords/2 {
		b, ok := in.next()
		if !ok {
			break
		}
		if isIgnored(b) {
			continue
		}
		v := isBad
		if in.flaw == noFlaw {
			v = p.parse(b, &rec)
		}
		switch v {
		case isRecord, isSkipped, isHeld:
			t.good++
			if f.typical == nil || f.typical(b) {
				t.typical++
			}
		case isBad:
			if in.cut {
				return t // perhaps a good line, cut off: no witness
			}
			if t.bad == 0 {
				t.line, t.fault = in.line, s.fault
			}
			t.bad++
		}
	}
	return t
}

// unknown is the error of content that no format fits.
func unknown(head []byte, near trial) error {
	if isBinary(head) {
		return fmt.Errorf("%w: binary data, beginning with % x; formats: %s",
			ErrUnknownFormat, head[:min(len(head), 16)], strings.Join(formatNames(), ", "))
	}
	line := ""
	for l := range bytes.Lines(head) {
		if !isIgnored(bytes.TrimRight(l, "\r\n")) {
			line = cutValue(bytes.TrimRight(l, "\r\n"))
			break
		}
	}
	if line == "" {
		return fmt.Errorf("%w: nothing but blank lines and comments", ErrUnknownFormat)
	}
	hint := ""
	if near.good > 0 {
		hint = fmt.Sprintf("; nearest is %s, which %d of the first %d lines fit (line %d has %s %q: want %s): name it to read the file as that",
			near.format.name, near.good, near.good+near.bad, near.line, near.fault.Field, near.fault.Value, near.fault.Want)
	}
	if hint == "" && strings.ContainsAny(line, ",;\t|") {
		hint = "; a table of another kind is read if its columns are named: time=COLUMN:UNIT,offset=COLUMN,size=COLUMN,op=COLUMN"
	}
	return fmt.Errorf("%w: text, beginning with %s; formats: %s%s",
		ErrUnknownFormat, strconv.Quote(line), strings.Join(formatNames(), ", "), hint)
}

// isBinary says whether head holds bytes that no text has.
func isBinary(head []byte) bool {
	odd := 0
	for _, c := range head {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f {
			odd++
		}
	}
	return odd*50 > len(head)
}
