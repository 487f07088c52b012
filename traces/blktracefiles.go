package traces

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

// blktrace writes a file for each CPU, NAME.blktrace.CPU. Open of NAME reads all of
// them as one trace, merged by time: each of them is in order by itself.

const blktraceInfix = ".blktrace."

// blktracePaths are the files of the CPUs of a trace called name, by CPU.
func blktracePaths(name string) []string {
	all, _ := filepath.Glob(escapeGlob(name) + blktraceInfix + "*")
	cpu := map[string]int{}
	var paths []string
	for _, p := range all {
		s := strings.TrimPrefix(p[strings.LastIndex(p, blktraceInfix):], blktraceInfix)
		s, _, _ = strings.Cut(s, ".") // .gz, .zst
		if n, err := strconv.Atoi(s); err == nil && n >= 0 {
			cpu[p] = n
			paths = append(paths, p)
		}
	}
	sort.Slice(paths, func(i, j int) bool { return cpu[paths[i]] < cpu[paths[j]] })
	return paths
}

// escapeGlob has Glob take name as it stands.
func escapeGlob(name string) string {
	return strings.NewReplacer("[", "[[]", "*", "[*]", "?", "[?]").Replace(name)
}

// siblingsNote says that path is one of several files of a trace, if it is.
func siblingsNote(path string) string {
	i := strings.LastIndex(path, blktraceInfix)
	if i < 0 {
		return ""
	}
	if n := len(blktracePaths(path[:i])); n > 1 {
		return fmt.Sprintf("this is the file of one CPU of %d: %s names them all", n, path[:i])
	}
	return ""
}

// member is the file of one CPU.
type member struct {
	path string
	file *os.File
	src  *source
	buf  *bufio.Reader
	off  int64 // of what is unread
	next int   // bytes of the next event; 0: the end
	time uint64
	cut  error // what the file ends with that is no event
}

// merged is the files of all CPUs as one stream of events, whose bytes the input cuts
// as it would those of one file. Only an error's place has to be translated back.
// The member with the oldest event is found by looking at all of them: a hundred CPUs
// are a hundred comparisons an event, and most machines that trace have fewer.
type merged struct {
	members []*member
	rest    []byte // of the event that is being read
	off     int64  // of the merged stream, behind rest
	places  []mergedPlace
}

// mergedPlace is where an event of the merged stream stands in its file.
type mergedPlace struct {
	off    int64
	member *member
	at     int64
}

const (
	memberBuffer = 128 << 10 // holds the longest event
	// maxPlaces is more than the events that lie in the input's buffer.
	maxPlaces = 8192
)

// openMerged opens the files. Their sizes are summed up, 0 if one is compressed.
func openMerged(paths []string) (m *merged, size int64, err error) {
	m = &merged{}
	plain := true
	for _, p := range paths {
		f, err := os.Open(p)
		if err != nil {
			m.close()
			return nil, 0, err
		}
		b := &member{path: p, file: f}
		m.members = append(m.members, b)
		if b.src, err = newSource(f); err != nil {
			e := b.src.broken(p, err)
			m.close()
			return nil, 0, e
		}
		if info, err := f.Stat(); err == nil {
			size += info.Size()
		}
		plain = plain && b.src.what == "file"
		b.buf = bufio.NewReaderSize(b.src.content, memberBuffer)
		b.peek()
	}
	if !plain {
		size = 0
	}
	return m, size, nil
}

// peek looks at the next event of a file. What is damaged goes into the merged
// stream as it is, in its turn, and is refused there.
func (b *member) peek() {
	b.next = 0
	want := blktraceSize2
	for {
		head, err := b.buf.Peek(want)
		n := 0
		if len(head) > 0 {
			n = cutBlktrace(head, err != nil)
		}
		switch {
		case n > 0 && n <= len(head):
			b.next = n
			if o := blktraceOrder(head); o != nil && n >= blktraceSize {
				b.time = o.Uint64(head[8:])
			}
			return
		case err == io.EOF:
			if len(head) > 0 {
				b.cut = &StreamError{File: b.path, Kind: ErrTruncated, What: "file", Byte: b.off, Inner: -1, Left: int64(len(head))}
			}
			return
		case err != nil:
			e := b.src.broken(b.path, err)
			b.cut = e
			return
		}
		want = n
	}
}

func (m *merged) Read(p []byte) (int, error) {
	if len(m.rest) == 0 {
		var first *member
		for _, b := range m.members {
			if b.next > 0 && (first == nil || b.time < first.time) {
				first = b
			}
		}
		if first == nil {
			return 0, m.end()
		}
		m.places = append(m.places, mergedPlace{m.off, first, first.off})
		if len(m.places) == 2*maxPlaces {
			m.places = append(m.places[:0], m.places[maxPlaces:]...)
		}
		m.rest = append(m.rest[:0], make([]byte, first.next)...)
		if _, err := io.ReadFull(first.buf, m.rest); err != nil {
			return 0, err // Peek has seen them
		}
		first.off += int64(first.next)
		m.off += int64(first.next)
		first.peek()
	}
	n := copy(p, m.rest)
	m.rest = m.rest[n:]
	return n, nil
}

// end is io.EOF, or what the first file of those that break off breaks off with.
func (m *merged) end() error {
	for _, b := range m.members {
		if b.cut != nil {
			return b.cut
		}
	}
	return io.EOF
}

// locate says in which file, and where, a byte of the merged stream stands.
func (m *merged) locate(off int64) (file string, at int64) {
	i := sort.Search(len(m.places), func(i int) bool { return m.places[i].off > off })
	if i == 0 {
		return "", off
	}
	p := m.places[i-1]
	return p.member.path, p.at + off - p.off
}

func (m *merged) close() error {
	var errs []error
	for _, b := range m.members {
		if b.src != nil {
			b.src.close()
		}
		errs = append(errs, b.file.Close())
	}
	return errors.Join(errs...)
}
