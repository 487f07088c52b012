package traces

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// blkEvent is an event as blkparse writes it and as the kernel does.
type blkEvent struct {
	ns             int64
	letter         byte
	rwbs           string
	sector, count  uint64
	pid            uint32
	comm           string
	error          uint16 // of C, as errno
	splitAt        uint64 // of X
	cpu            uint32
	category, more uint32 // more: the pdu's length, filled with 0xee
}

var rwbsCategories = map[byte]uint32{'R': tcRead, 'W': tcWrite, 'D': tcDiscard | tcWrite, 'S': tcSync, 'M': tcMeta, 'A': tcAhead, 'N': tcPC}

func (e blkEvent) categories() uint32 {
	c := e.category
	for i, l := range []byte(e.rwbs) {
		switch {
		case l == 'F' && i == 0:
			c |= tcFlush
		case l == 'F':
			c |= tcFUA
		default:
			c |= rwbsCategories[l]
		}
	}
	return c
}

func (e blkEvent) binary(o binary.ByteOrder, version int, sequence uint32) []byte {
	var pdu []byte
	if e.letter == 'X' {
		pdu = binary.BigEndian.AppendUint64(pdu, e.splitAt)
	}
	pdu = append(pdu, strings.Repeat("\xee", int(e.more))...)
	event := strings.IndexByte(blktraceLetters, e.letter)
	size := blktraceEventSize(uint32(version))
	b := make([]byte, size)
	o.PutUint32(b, blktraceMagic+uint32(version))
	o.PutUint32(b[4:], sequence)
	o.PutUint64(b[8:], uint64(e.ns))
	o.PutUint64(b[16:], e.sector)
	o.PutUint32(b[24:], uint32(e.count*512))
	action := uint32(event) | e.categories()<<16
	at := 28
	if version == 8 {
		o.PutUint32(b[28:], e.pid)
		o.PutUint64(b[32:], uint64(action))
		at = 40
	} else {
		o.PutUint32(b[28:], action)
		o.PutUint32(b[32:], e.pid)
		at = 36
	}
	o.PutUint32(b[at:], 8<<20)
	o.PutUint32(b[at+4:], e.cpu)
	o.PutUint16(b[at+8:], -e.error)
	o.PutUint16(b[at+10:], uint16(len(pdu)))
	return append(b, pdu...)
}

// process is the notify event that names a process.
func processEvent(o binary.ByteOrder, version int, pid uint32, comm string) []byte {
	b := blkEvent{letter: '?', pid: pid, category: tcNotify, more: uint32(len(comm)) + 1}.binary(o, version, 0)
	copy(b[len(b)-len(comm)-1:], comm+"\x00")
	return b
}

func (e blkEvent) text(sequence int) string {
	tail := fmt.Sprintf("%d + %d [%s]", e.sector, e.count, e.comm)
	switch {
	case e.letter == 'X':
		tail = fmt.Sprintf("%d / %d [%s]", e.sector, e.splitAt, e.comm)
	case e.letter == 'C':
		tail = fmt.Sprintf("%d + %d [%d]", e.sector, e.count, -int(e.error))
	case e.count == 0:
		tail = "[" + e.comm + "]"
	}
	return fmt.Sprintf("  8,0    1 %8d %5d.%09d %5d  %c %3s %s\n", sequence, e.ns/1e9, e.ns%1e9, e.pid, e.letter, e.rwbs, tail)
}

// blkEvents: two I/Os merged into one request, one split in two, one that fails,
// two at the same place, a flush, one that is not complete at the end.
var blkEvents = []blkEvent{
	{ns: 1000, letter: 'Q', rwbs: "WS", sector: 100, count: 8, pid: 7, comm: "dd"},
	{ns: 1500, letter: 'G', rwbs: "WS", sector: 100, count: 8, pid: 7, comm: "dd"},
	{ns: 2000, letter: 'Q', rwbs: "WS", sector: 108, count: 8, pid: 7, comm: "dd"},
	{ns: 2100, letter: 'M', rwbs: "WS", sector: 108, count: 8, pid: 7, comm: "dd"},
	{ns: 3000, letter: 'D', rwbs: "WS", sector: 100, count: 16, pid: 7, comm: "dd"},
	{ns: 3500, letter: 'Q', rwbs: "RA", sector: 1000, count: 2048, pid: 8, comm: "cp"},
	{ns: 3600, letter: 'X', rwbs: "RA", sector: 1000, count: 1024, splitAt: 2024, pid: 8, comm: "cp"},
	{ns: 4000, letter: 'D', rwbs: "RA", sector: 1000, count: 1024, pid: 8, comm: "cp"},
	{ns: 4100, letter: 'D', rwbs: "RA", sector: 2024, count: 1024, pid: 8, comm: "cp"},
	{ns: 5000, letter: 'C', rwbs: "WS", sector: 100, count: 16},
	{ns: 5100, letter: 'Q', rwbs: "FWFSM", sector: 100, count: 8, pid: 7, comm: "dd"},
	{ns: 5200, letter: 'Q', rwbs: "R", sector: 100, count: 8, pid: 9},
	{ns: 5300, letter: 'D', rwbs: "WFSM", sector: 100, count: 8, pid: 7, comm: "dd"},
	{ns: 5400, letter: 'D', rwbs: "R", sector: 100, count: 8, pid: 9},
	{ns: 5500, letter: 'C', rwbs: "WFSM", sector: 100, count: 8, error: 5},
	{ns: 5600, letter: 'C', rwbs: "R", sector: 100, count: 8},
	{ns: 6000, letter: 'Q', rwbs: "FWS", pid: 7, comm: "dd"},
	{ns: 7000, letter: 'C', rwbs: "RA", sector: 2024, count: 1024},
	{ns: 8000, letter: 'C', rwbs: "RA", sector: 1000, count: 1024},
	{ns: 9000, letter: 'Q', rwbs: "D", sector: 0, count: 4096, pid: 7, comm: "dd"},
}

func blkWant() []Record {
	r := func(i int, op Op, issued, completed int64, process uint32, flags Flags) Record {
		e := blkEvents[i]
		return Record{Time: e.ns - 1000, Op: op, Offset: int64(e.sector) * 512, Length: int64(e.count) * 512, CancelAfter: -1, Line: int64(i + 1),
			Issued: issued, Completed: completed, Process: process, Flags: flags}
	}
	failed := r(10, Write, 200, 400, 1, Preflush|FUA|Sync|Meta)
	failed.Status = 5
	return []Record{
		r(0, Write, 2000, 4000, 1, Sync), r(2, Write, 1000, 3000, 1, Sync), r(5, Read, 500, 4500, 2, Readahead),
		failed, r(11, Read, 200, 400, 3, 0), r(16, Flush, 0, 0, 1, Sync), r(19, Discard, 0, 0, 1, 0),
	}
}

var blkSkipped = []SkipCount{{"blkparse action C", 5}, {"blkparse action D", 5}, {"blkparse action G", 1},
	{"blkparse action M", 1}, {"blkparse action X", 1}}

func blktraceBytes(o binary.ByteOrder, version int) (data []byte, at []int64) {
	data = append(processEvent(o, version, 7, "dd"), processEvent(o, version, 8, "cp")...)
	for i, e := range blkEvents {
		at = append(at, int64(len(data)))
		e.more = uint32(i%3) * 5
		data = append(data, e.binary(o, version, uint32(i))...)
	}
	return data, at
}

func blktraceSample(o binary.ByteOrder, version int) sample {
	data, at := blktraceBytes(o, version)
	recs := blkWant()
	for i := range recs {
		recs[i].Line = at[recs[i].Line-1]
	}
	return sample{name: fmt.Sprintf("blktrace %d %v", version, o), format: "blktrace", data: string(data), recs: recs,
		volumes: []string{"8,0"}, skipped: blkSkipped,
		notes: []string{"1 I/Os have no completion in the trace", "1 writes carry a preflush or FUA, which is left out"}}
}

func TestBlktraceAndItsTextGiveTheSameRecords(t *testing.T) {
	text := ""
	for i, e := range blkEvents {
		text += e.text(i + 1)
	}
	want := read(t, text, Options{})
	require.NoError(t, want.err)
	require.Equal(t, blkWant(), want.recs)
	require.Equal(t, blkSkipped, want.stats.Skipped)
	for _, o := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, version := range []int{5, 6, 7, 8} {
			for _, action := range []byte{0, 'D', 'C'} {
				data, _ := blktraceBytes(o, version)
				got := read(t, string(data), Options{Action: action})
				want := read(t, text, Options{Action: action})
				require.NoError(t, got.err)
				require.Equal(t, "blktrace", got.format)
				for i := range got.recs {
					got.recs[i].Line = want.recs[i].Line
				}
				require.Equal(t, want.recs, got.recs)
				require.Equal(t, want.stats.Skipped, got.stats.Skipped)
				require.Equal(t, want.stats.Notes, got.stats.Notes)
			}
		}
	}
}

func TestBlktraceSaysWhatIsWrong(t *testing.T) {
	data, at := blktraceBytes(binary.LittleEndian, 7)
	damage := func(i int, off int64, bytes ...byte) string {
		b := append([]byte{}, data...)
		copy(b[at[i]+off:], bytes)
		return string(b)
	}
	for want, in := range map[string]string{
		"magic ff ff ff ff: want 0x656174 and a version, in one byte order": damage(3, 0, 0xff, 0xff, 0xff, 0xff),
		"version 9: want 5 to 8":                                           damage(3, 0, 9),
		"magic 65 61 74 07":                                                damage(3, 0, 0x65, 0x61, 0x74, 0x07),
		"action 0x003f: want an event from 1 to 17":                        damage(3, 28, 0x3f),
		"sector 18446744073709551615: want offset + size below 2^63 bytes": damage(4, 16, 255, 255, 255, 255, 255, 255, 255, 255),
		"time 18446744073709551615":                                        damage(3, 8, 255, 255, 255, 255, 255, 255, 255, 255),
	} {
		out := read(t, in, Options{})
		require.ErrorContains(t, out.err, want)
		require.Regexp(t, fmt.Sprintf("^t: byte (%d|%d): ", at[3], at[4]), out.err.Error())
		out = read(t, in, Options{OnError: Skip})
		require.NoError(t, out.err)
		require.Positive(t, out.stats.Rejected)
		require.Less(t, out.stats.Rejected, int64(3))
	}
	for n := range len(data) { // cut anywhere: an event cut is said
		out, err := readBoth(t, data[:n], Options{})
		if err != nil || out.err == nil {
			continue
		}
		require.ErrorIs(t, out.err, ErrTruncated, "cut at %d: %v", n, out.err)
	}
}

func TestHeldEventsAreBounded(t *testing.T) {
	var p pairing
	recs := make([]Record, 100)
	var got int64
	for i := range int64(3 * maxHeld) {
		p.queue(&Record{Time: i, Offset: i % 1000 * 512, Length: 512})
		require.LessOrEqual(t, len(p.ring), 2*maxHeld)
		for k := p.take(recs, false); k > 0; k = p.take(recs, false) {
			for _, r := range recs[:k] {
				require.Equal(t, got, r.Time)
				got++
			}
		}
	}
	require.LessOrEqual(t, p.at.used, 1000)
	require.EqualValues(t, 2*maxHeld+1, got)
	p.queue(&Record{Time: 2 * longHeld, Length: 512})
	require.Equal(t, 100, p.take(recs, false), "what is too old does not wait")
}

func btrecordBytes(bunches uint64, list [][]uint64) string {
	var packets uint64
	for _, b := range list {
		packets += uint64(len(b)-1) / 3
	}
	le := binary.LittleEndian
	var out []byte
	for _, v := range []uint64{btrecordVersion, 0, bunches, packets} {
		out = le.AppendUint64(out, v)
	}
	for _, b := range list {
		out = le.AppendUint64(le.AppendUint64(out, uint64(len(b)-1)/3), b[0])
		for i := 1; i < len(b); i += 3 {
			out = le.AppendUint64(le.AppendUint64(le.AppendUint64(out, b[i]), b[i+1]), b[i+2])
		}
	}
	return string(out)
}

func TestBtrecordBunchWithABadPacketIsRefusedWhole(t *testing.T) {
	good := []uint64{1 << 62, 8, 512, 1, 9, 512, 0}
	for want, bad := range map[string][]uint64{
		"bytes 0: want a decimal number of bytes > 0": {1, 8, 512, 1, 9, 0, 0},
		"rw 2: want 0 or 1":                           {1, 8, 512, 2, 9, 1, 0},
		"sector 18014398509481984: want":              {1, 8, 512, 0, 1 << 54, 1, 0},
		"time 18446744073709551615: want":             {1<<64 - 1, 8, 512, 0, 9, 1, 0},
	} {
		out := read(t, btrecordBytes(3, [][]uint64{good, bad, good}), Options{OnError: Skip, Order: AsIs})
		require.NoError(t, out.err)
		require.EqualValues(t, 2, out.stats.Rejected)
		require.Len(t, out.recs, 4)
		require.ErrorContains(t, out.stats.FirstErrors[0], want)
	}
	out := read(t, btrecordBytes(3, [][]uint64{good, good}), Options{})
	require.NoError(t, out.err)
	require.Contains(t, out.stats.Notes, "the header counts 4 packets in 3 bunches, and 4 in 2 were found")
	require.Len(t, out.recs, 4)
}

// perCPU writes the events to files of three CPUs, and returns their common name.
func perCPU(t *testing.T, o binary.ByteOrder, damage func(cpu int, data []byte) []byte) string {
	name := filepath.Join(t.TempDir(), "sd[a")
	files := make([][]byte, 3)
	files[0] = append(processEvent(o, 7, 8, "cp"), processEvent(o, 7, 7, "dd")...)
	for i, e := range blkEvents {
		e.cpu = uint32(i * 7 % 3)
		files[e.cpu] = append(files[e.cpu], e.binary(o, 7, uint32(i/3+1))...)
	}
	for i, data := range files {
		require.NoError(t, os.WriteFile(fmt.Sprintf("%s.blktrace.%d", name, i), damage(i, data), 0o600))
	}
	return name
}

func TestFilesOfSeveralCPUsAreOneTrace(t *testing.T) {
	for _, o := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		name := perCPU(t, o, func(_ int, data []byte) []byte { return data })
		r, err := Open(name, Options{})
		require.NoError(t, err)
		out := drain(t, r, 3)
		require.NoError(t, out.err)
		want := blkWant()
		for i := range want {
			want[i].Line = out.recs[i].Line
			want[i].Process = out.recs[i].Process // numbered in another order
		}
		require.Equal(t, want, out.recs)
		require.Equal(t, blkSkipped, out.stats.Skipped)
		require.Contains(t, out.why, "the files of 3 CPUs, merged by time")
		require.Equal(t, out.stats.SizeHint, out.stats.Bytes)

		r, err = Open(name+".blktrace.0", Options{})
		require.NoError(t, err)
		out = drain(t, r, 3)
		require.Contains(t, out.stats.Notes, "this is the file of one CPU of 3: "+name+" names them all")
	}
}

func TestAFileOfSeveralThatIsDamagedIsNamedWithThePlaceInIt(t *testing.T) {
	name := perCPU(t, binary.LittleEndian, func(cpu int, data []byte) []byte {
		if cpu == 2 {
			data[48+28] = 0x3f // the second event's action
		}
		return data
	})
	r, err := Open(name, Options{})
	require.NoError(t, err)
	require.EqualError(t, drain(t, r, 3).err, name+".blktrace.2: byte 48: action 0x003f: want an event from 1 to 17")

	name = perCPU(t, binary.LittleEndian, func(cpu int, data []byte) []byte {
		if cpu == 1 {
			data = data[:len(data)-7]
		}
		return data
	})
	r, err = Open(name, Options{})
	require.NoError(t, err)
	out := drain(t, r, 3)
	require.ErrorIs(t, out.err, ErrTruncated)
	require.ErrorContains(t, out.err, name+".blktrace.1: truncated file: 19 records read, broken at byte")
	require.ErrorContains(t, out.err, "41 bytes of an unfinished record left over")
}

// The text that blkparse itself makes of the files says the same as the files.
func TestBlkparsesOwnTextOfTheFilesGivesTheSameRecords(t *testing.T) {
	tool, err := exec.LookPath("blkparse")
	if err != nil {
		t.Skip("no blkparse here (Debian's package is blktrace)")
	}
	name := perCPU(t, binary.LittleEndian, func(_ int, data []byte) []byte { return data })
	plain := filepath.Join(filepath.Dir(name), "trace") // blkparse takes no [ in a name
	for cpu := range 3 {
		require.NoError(t, os.Rename(fmt.Sprintf("%s.blktrace.%d", name, cpu), fmt.Sprintf("%s.blktrace.%d", plain, cpu)))
	}
	cmd := exec.Command(tool, "-i", "trace")
	cmd.Dir = filepath.Dir(plain)
	text, err := cmd.Output()
	require.NoError(t, err)
	want := read(t, string(text), Options{})
	require.NoError(t, want.err, string(text))
	r, err := Open(plain, Options{})
	require.NoError(t, err)
	got := drain(t, r, 3)
	require.NoError(t, got.err)
	require.Len(t, got.recs, len(want.recs), string(text))
	for i := range got.recs {
		g, w := got.recs[i], want.recs[i]
		require.Equal(t, want.names.Processes[w.Process].PID, got.names.Processes[g.Process].PID)
		g.Line, g.Process = w.Line, w.Process
		require.Equal(t, w, g, string(text))
	}
}

func TestSplitsLeaveNothingBehind(t *testing.T) {
	var p pairing
	recs := make([]Record, 10)
	for i := range int64(1000) {
		at := i * 4096
		p.queue(&Record{Time: i, Offset: at, Length: 4096})
		p.split(0, at, at+1024)
		p.split(0, at+1024, at+2048)
		p.issue(0, at, 1024, i+1)
		for _, part := range [][2]int64{{1024, 1024}, {2048, 2048}, {0, 1024}} {
			require.Zero(t, p.take(recs, false))
			p.complete(0, at+part[0], part[1], i+5, 0)
		}
		require.Equal(t, 1, p.take(recs, false))
		require.EqualValues(t, 5, recs[0].Completed)
		require.Zero(t, p.at.used)
	}
}

func TestPlacesAreThoseOfAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var got places
		want := map[place]int64{}
		for range rapid.IntRange(0, 400).Draw(t, "steps") {
			p := place{uint32(rapid.IntRange(0, 1).Draw(t, "volume")), int64(rapid.IntRange(0, 60).Draw(t, "offset")) * 512}
			switch rapid.IntRange(0, 2).Draw(t, "do") {
			case 0:
				n := rapid.Int64Range(1, 9).Draw(t, "n")
				got.set(p, n)
				want[p] = n
			case 1:
				got.delete(p)
				delete(want, p)
			}
			if got.get(p) != want[p] || got.used != len(want) {
				t.Fatalf("%v: %d, want %d; %d used, want %d", p, got.get(p), want[p], got.used, len(want))
			}
		}
		for p, n := range want {
			if got.get(p) != n {
				t.Fatalf("%v: %d, want %d", p, got.get(p), n)
			}
		}
	})
}
