package traces

import "strconv"

// fioLines writes fio's iolog, version 3: time in microseconds, file, action, offset,
// length. Each volume is a file, which fio wants added and opened before its first
// I/O and closed at the end. A volume without a name is called "disk".
type fioLines struct {
	begun bool
	files []string // by volume; "": not opened
	last  int64    // us
}

func (*fioLines) format() string { return "fio3" }

var fioActions = [NumOps]string{"read", "write", "sync", "trim", ""}

func (l *fioLines) append(b []byte, r *Record, names *Names) ([]byte, string) {
	if fioActions[r.Op] == "" {
		return b, "fio has no such action"
	}
	b = l.begin(b)
	l.last = r.Time / 1000
	for int(r.Volume) >= len(l.files) {
		l.files = append(l.files, "")
	}
	if l.files[r.Volume] == "" {
		name := "disk"
		if int(r.Volume) < len(names.Volumes) && names.Volumes[r.Volume] != "" {
			name = names.Volumes[r.Volume]
		}
		if escapeName(name) != name {
			return b, "its volume " + strconv.Quote(name) + " is no name of a file for fio: no blanks, control characters or %"
		}
		for _, action := range []string{" add\n", " open\n"} {
			b = append(append(append(strconv.AppendInt(b, l.last, 10), ' '), name...), action...)
		}
		l.files[r.Volume] = name
	}
	b = append(append(append(strconv.AppendInt(b, l.last, 10), ' '), l.files[r.Volume]...), ' ')
	b = append(append(b, fioActions[r.Op]...), ' ')
	b = append(strconv.AppendInt(b, r.Offset, 10), ' ')
	return append(strconv.AppendInt(b, r.Length, 10), '\n'), ""
}

func (l *fioLines) begin(b []byte) []byte {
	if !l.begun {
		l.begun = true
		b = append(append(b, fioHeader(3)...), '\n')
	}
	return b
}

func (l *fioLines) end(b []byte) []byte {
	b = l.begin(b)
	for _, name := range l.files {
		if name != "" {
			b = append(append(append(strconv.AppendInt(b, l.last, 10), ' '), name...), " close\n"...)
		}
	}
	l.files = nil
	return b
}
