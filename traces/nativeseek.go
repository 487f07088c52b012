package traces

import (
	"fmt"
	"io"
)

// SeekTime has the reader begin at the last place of the trace before which nothing
// is as young as t, ns, so that what is read misses nothing from t on. It says how
// many records that passes over; they do not count as read. It takes a native trace
// that Open opened, that is not compressed as a whole, and that nothing was read from;
// of any other, or of one without its index, it passes over nothing.
func (r *Reader) SeekTime(t int64) (passed int64, err error) {
	p, ok := r.parser.(*native)
	if !ok || r.file == nil || r.size == 0 || r.src.what != "file" || r.records > 0 || p.body {
		return 0, nil
	}
	x, err := ReadIndex(r.file, r.size)
	if err != nil {
		return 0, nil // reading says what is wrong with it
	}
	at := x.at(t)
	if at == nil || at.line == 0 {
		return 0, nil
	}
	head, _ := r.in.peek()
	if len(head) < nativeHeader || p.header(head[:nativeHeader]) != notRecord {
		return 0, nil // reading says what is wrong with it
	}
	p.body = true
	if _, err := r.file.Seek(at.off, io.SeekStart); err != nil {
		return 0, fmt.Errorf("traces: %s: %w", r.name, err)
	}
	r.src.buf.Reset(r.src.raw)
	r.src.raw.n = at.off
	in := newInput(r.src.content)
	in.cutter, in.off = r.in.cutter, at.off
	r.in = in
	r.scan.vols.names, r.scan.procs.list = x.Names.Volumes, x.Names.Processes
	p.total, p.named = at.line, true
	return at.line, nil
}
