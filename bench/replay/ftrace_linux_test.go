package main

import (
	"encoding/binary"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"blksim/internal/loopdev"
)

// What the tracer tells of reads is what was read, in that order, and nothing else.
func TestTracerSeesEachReadOfTheDeviceOnce(t *testing.T) {
	loop := loopdev.LoopFor(t, 32<<20, loopdev.Options{})
	other := loopdev.LoopFor(t, 1<<20, loopdev.Options{})
	var undo loopdev.Undo
	defer func() { require.NoError(t, undo.Close()) }()
	tr, err := newFtrace(t.TempDir(), &undo)
	if err != nil {
		t.Skipf("skipped: no tracefs here: %v", err)
	}
	open := func(path string) int {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECT|unix.O_CLOEXEC, 0)
		require.NoError(t, err)
		t.Cleanup(func() { unix.Close(fd) })
		return fd
	}
	fd, fd2 := open(loop.Path()), open(other.Path())
	buf, err := unix.Mmap(-1, 0, blockSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	require.NoError(t, err)
	defer func() { require.NoError(t, unix.Munmap(buf)) }()
	for range 2 { // a tracer can be used again
		require.NoError(t, tr.start(loop.Path(), "nobody"))
		s := bursts(300, 1e6, 32<<20, 1)
		before := monotonic(t)
		for _, b := range s.blocks {
			_, err := unix.Pread(fd, buf, b*blockSize)
			require.NoError(t, err)
			_, err = unix.Pread(fd2, buf, 0)
			require.NoError(t, err)
		}
		after := monotonic(t)
		got, err := tr.stop()
		require.NoError(t, err)
		require.Len(t, got.issues, len(s.blocks))
		for i, g := range got.issues {
			require.Equal(t, s.blocks[i], g.block)
			require.GreaterOrEqual(t, g.at, before)
			require.LessOrEqual(t, g.at, after)
			before = g.at
		}
	}
}

func monotonic(t *testing.T) time.Duration {
	var ts unix.Timespec
	require.NoError(t, unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts))
	return time.Duration(ts.Nano())
}

// page is a page of the ring buffer that is put together word by word.
type page struct{ data []byte }

func (p *page) words(ws ...uint32) {
	for _, w := range ws {
		p.data = binary.LittleEndian.AppendUint32(p.data, w)
	}
}

func (p *page) bytes(at uint64) []byte {
	b := binary.LittleEndian.AppendUint64(nil, at)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(p.data))|1<<31) // a flag
	return append(append(b, p.data...), make([]byte, 64)...)
}

// testEvent has a number of 4 bytes behind its type.
func testTracer(got *[]issue) *ftrace {
	return &ftrace{events: map[uint16]*event{5: {fields: []field{{4, 4}}, decode: func(e *event, at time.Duration, data []byte, _ *recording) {
		*got = append(*got, issue{at: at, block: e.uint(data, 0)})
	}}}}
}

func TestPagesOfTheRingBuffer(t *testing.T) {
	var got []issue
	tr := testTracer(&got)
	var p page
	p.words(10<<5|2, 5, 100)                  // two words of data, 10 ns after the page's time
	p.words(3<<5|entryExtend, 1)              // 2^27+3 ns pass
	p.words(1<<5|entryLong, 12, 5, 101)       // the length follows: itself and 8 bytes
	p.words(7<<5|entryPadding, 4+4, 0)        // what was discarded
	p.words(2<<5|2, 6, 102)                   // of another type
	p.words(9<<5|entryStamp, 1<<10)           // an absolute time
	p.words(0<<5|3, 5, 103, 0)                // at it
	p.words(0<<5|entryPadding, 0xffffffff, 0) // the rest is empty
	require.NoError(t, tr.decode(p.bytes(1000), nil))
	require.Equal(t, []issue{{at: 1010, block: 100}, {at: 1010 + 1<<27 + 3 + 1, block: 101}, {at: 1<<37 | 9, block: 103}}, got)
}

func TestBrokenPagesAreErrors(t *testing.T) {
	var got []issue
	tr := testTracer(&got)
	for name, build := range map[string]func(p *page){
		"an event beyond the page":   func(p *page) { p.words(28, 5) },
		"an event that is too short": func(p *page) { p.words(1, 5) },
		"a length of nothing":        func(p *page) { p.words(1<<5|entryPadding, 0xfffffff0) },
	} {
		var p page
		build(&p)
		require.ErrorIs(t, tr.decode(p.bytes(0), nil), io.ErrUnexpectedEOF, name)
	}
	require.ErrorIs(t, tr.decode(make([]byte, 10), nil), io.ErrUnexpectedEOF)
	require.ErrorIs(t, tr.decode(append(make([]byte, 8), 255, 15, 0, 0, 0, 0, 0, 0), nil), io.ErrUnexpectedEOF)
	require.Empty(t, got)
}

func FuzzPage(f *testing.F) {
	var p page
	p.words(10<<5|2, 5, 100, 3<<5|entryExtend, 1, 1<<5|entryLong, 12, 5, 101)
	f.Add(p.bytes(1))
	f.Fuzz(func(t *testing.T, b []byte) {
		var got []issue
		_ = testTracer(&got).decode(b, nil) // it does not panic, and it ends
		require.LessOrEqual(t, len(got), len(b)/4)
	})
}

func TestFieldsAreFoundByTheirDeclaration(t *testing.T) {
	const format = "name: x\nID: 17\nformat:\n\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n" +
		"\tfield:sector_t sector;\toffset:16;\tsize:8;\tsigned:0;\n\tfield: char data;\toffset:16;\tsize:4080;\tsigned:1;\n"
	f, err := fieldOf(format, "sector_t sector")
	require.NoError(t, err)
	require.Equal(t, field{16, 8}, f)
	f, err = fieldOf(format, "char data")
	require.NoError(t, err)
	require.Equal(t, field{16, 4080}, f)
	_, err = fieldOf(format, "int sector")
	require.ErrorContains(t, err, "int sector")
	id, err := idOf(format)
	require.NoError(t, err)
	require.EqualValues(t, 17, id)
	_, err = idOf("name: x\n")
	require.Error(t, err)
}
