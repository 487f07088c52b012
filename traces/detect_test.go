package traces

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOpenSaysWhatIsWrongWithAPath(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(filepath.Join(dir, "no.csv"), Options{})
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = Open(dir, Options{})
	require.ErrorContains(t, err, "is a directory, want a trace file")
	empty := filepath.Join(dir, "empty")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	_, err = Open(empty, Options{})
	require.ErrorIs(t, err, ErrEmpty)
	require.EqualError(t, err, "traces: "+empty+": empty file")
}

func TestOpenKnowsTheSizeAndClosesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wrong-name.vscsi")
	data := sampleOf("msr").data
	require.NoError(t, os.WriteFile(path, []byte(data), 0o600))
	r, err := Open(path, Options{})
	require.NoError(t, err)
	require.Equal(t, "msr", r.Format(), "the name must not matter")
	require.EqualValues(t, len(data), r.Stats().SizeHint)
	out := drain(t, r, 10)
	require.EqualValues(t, len(data), out.stats.Bytes)
	require.NoError(t, os.Remove(path)) // fails on Windows while it is open
}

func TestForeignContentIsRecognisedByName(t *testing.T) {
	le := binary.LittleEndian
	var oracle []byte
	for i := range 10 {
		oracle = le.AppendUint32(oracle, uint32(100+i/3))
		oracle = le.AppendUint64(oracle, uint64(i*7))
		oracle = le.AppendUint32(oracle, 4096)
		oracle = le.AppendUint64(oracle, ^uint64(0))
	}
	tar := make([]byte, 1024)
	copy(tar[257:], "ustar")
	for _, c := range []struct{ data, want string }{
		{"\xfd7zXZ\x00\x00\x04", "xz (unpack it first: unxz)"},
		{"\x04\x22\x4d\x18aaaa", "lz4 (unpack it first: unlz4)"},
		{"PK\x03\x04aaaa", "a zip archive (unpack it first)"},
		{"7z\xbc\xaf\x27\x1c", "a 7z archive (unpack it first)"},
		{"PAR1aaaaaa", "Parquet"},
		{"\xff\xfe1\x002\x00", "UTF-16 text (convert it to UTF-8)"},
		{"\x7fELF\x02\x01", "an ELF program"},
		{"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "a Git LFS pointer, not the file itself (fetch it: git lfs pull)"},
		{"<!DOCTYPE html><html>", "an HTML page (was the download a login page?)"},
		{string(tar), "a tar archive (unpack it first)"},
		{string(oracle), "an oracleGeneral cache trace (it has no ops)"},
		{"ELAPSED_USECS.D,CMD.S\n1,RD_16\n", "a NetApp trace (it has a record at arrival and one at completion: keep one kind, and name its columns)"},
		{"filename,file_offset,application\n", "a Thesios CSV (it has files, not a disk's addresses)"},
		{"R Miss 456 8 10000.0 12.5\n", "a DiskSim validation trace"},
	} {
		err := openErr(t, c.data, Options{})
		require.ErrorIs(t, err, ErrUnsupported, c.want)
		require.EqualError(t, err, "traces: t: recognised as "+c.want+", which is not supported")
	}
}

func TestUnknownContentNamesTheFormatsAndWhatCameNear(t *testing.T) {
	all := strings.Join(formatNames(), ", ")
	for in, want := range map[string]string{
		"hello\nworld\n":                             `text, beginning with "hello"; formats: ` + all,
		"a,b,c,d,e\n":                                `text, beginning with "a,b,c,d,e"; formats: ` + all + "; a table of another kind is read if its columns are named: time=COLUMN:UNIT,offset=COLUMN,size=COLUMN,op=COLUMN",
		"# only\n\n# comments\n":                     "nothing but blank lines and comments",
		"\x00\x01\x02\x03\x04\x05\x06\x07\x08 bin":   "binary data, beginning with 00 01 02 03 04 05 06 07 08 20 62 69 6e; formats: " + all,
		"1000,hm,1,Read,4096,512,1\nx\ny,y\nz,z,z\n": `text, beginning with "1000,hm,1,Read,4096,512,1"; formats: ` + all + `; nearest is msr, which 1 of the first 4 lines fit (line 2 has line "x": want 7 columns: Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime): name it to read the file as that`,
	} {
		err := openErr(t, in, Options{})
		require.ErrorIs(t, err, ErrUnknownFormat)
		require.EqualError(t, err, "traces: t: unknown format: "+want)
	}
}

func TestDetectionToleratesAGarbledLineNearTheTop(t *testing.T) {
	for _, s := range samples {
		if !s.isText() || s.format == "blkreplay" || firstLines[s.format] != "" {
			continue // they name themselves, or begin with any text
		}
		data := "gar,bled;li ne 1\n" + strings.Repeat(good[s.format], 3)
		out := read(t, data, Options{OnError: Skip})
		require.Equal(t, s.format, out.format)
		require.Contains(t, out.why, "(3 of the first 4 lines fit)")
		require.EqualValues(t, 1, out.stats.Rejected)
	}
}

// A bad line near the top is an error with its place, and no riddle about the
// format, however few lines there are.
func TestABadLineAmongTheFirstDoesNotHideTheFormat(t *testing.T) {
	for _, s := range samples {
		if !s.isText() || s.format == "blkreplay" || firstLines[s.format] != "" {
			continue // they name themselves, or begin with any text
		}
		for _, n := range []int{1, 2, 9} {
			data := good[s.format] + "gar,bled;li ne 2\n" + strings.Repeat(good[s.format], n-1)
			if n == 1 && s.format == "mqsim" {
				// DiskSim is as near, so nothing but the error can say more.
				require.ErrorContains(t, openErr(t, data, Options{}), "; nearest is mqsim, which 1 of the first 2 lines fit "+
					`(line 2 has line "gar,bled;li ne 2": want 5 columns: time device lsa sectors type): name it to read the file as that`)
				require.ErrorContains(t, read(t, data, Options{Format: "mqsim"}).err, "t:2: line")
				continue
			}
			out := read(t, data, Options{})
			require.Equal(t, s.format, out.format)
			require.ErrorContains(t, out.err, "t:2: ")
			require.Len(t, out.recs, 1)

			out = read(t, data, Options{OnError: Skip})
			require.NoError(t, out.err)
			require.Len(t, out.recs, n)
			require.EqualValues(t, 1, out.stats.Rejected)
			require.Contains(t, out.stats.Notes, fmt.Sprintf("%d of the first %d lines fit %s, the nearest format", n, n+1, s.format))
		}
	}
	out := read(t, "1 0 8 8 1\nx\n15 0 8 8 1\n", Options{OnError: Skip})
	require.Contains(t, out.stats.Notes, "as many lines fit disksim too; mqsim was taken, another format can be named")
}

// MQSim and DiskSim have the same columns, a factor of a million apart in time.
func TestMQSimAndDiskSimAreToldApart(t *testing.T) {
	both := mqsimAt(1000, 2000, 3000)
	out := read(t, both, Options{})
	require.Equal(t, "mqsim", out.format)
	require.Equal(t, "5 columns of whole numbers: time, device, sector, sectors, type (the first 3 lines fit); the first 3 lines fit disksim too; mqsim was taken, another format can be named", out.why)
	require.EqualValues(t, 1000, out.recs[1].Time)
	require.Equal(t, 1000*ms, read(t, both, Options{Format: "disksim"}).recs[1].Time)

	require.Equal(t, "disksim", read(t, "1 0 8 8 1\n1.5 0 8 8 1\n2 0 8 8 1\n2.5 0 8 8 1\n3.5 0 8 8 1\n", Options{}).format)
	require.Equal(t, "mqsim", read(t, "1 0 8 8 1\n15 0 8 8 1\n20 0 8 8 7\n", Options{OnError: Skip}).format,
		"a bad op must not turn nanoseconds into milliseconds")
}

func TestDetectionReadsNoFurtherThanItsHead(t *testing.T) {
	// A long trace whose lines stop fitting behind the head.
	data := strings.Repeat(good["msr"], 5000) + strings.Repeat("x\n", 100_000)
	out := read(t, data, Options{})
	require.Equal(t, "msr", out.format)
	require.EqualError(t, out.err, `t:5001: line "x": want 7 columns: Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime`)
	require.Len(t, out.recs, 5000)
}

func TestVscsiVersionsAreToldApart(t *testing.T) {
	for n := 1; n <= 5; n++ {
		var one, two []byte
		for i := range n {
			v := vscsiRecord{cmd: 0x2a, ver: 0x0100, len: 512, lbn: uint64(i), ts: uint64(1000 + i)}
			one = append(one, vscsi1Record(v)...)
			v.ver = 0x0200
			two = append(two, vscsi2Record(v)...)
		}
		require.Equal(t, "vscsi1", read(t, string(one), Options{}).format)
		require.Equal(t, "vscsi2", read(t, string(two), Options{}).format)
	}
	require.ErrorIs(t, openErr(t, string(bytes.Repeat([]byte{0}, 320)), Options{}), ErrUnknownFormat)
}

func TestNotesWarnOfTimesThatAreNotWhatTheySeem(t *testing.T) {
	line := func(at string) string { return at + " /dev/sda read 0 512\n" }
	head := "fio version 3 iolog\n"
	require.Equal(t, []string{"every record has the same time: the trace is untimed"},
		read(t, head+strings.Repeat(line("5"), 3), Options{}).stats.Notes)
	require.Equal(t, []string{"every time is a whole second: records that share a second come at once; the option spread-seconds spreads them"},
		read(t, head+line("5")+line("1000005"), Options{}).stats.Notes)

	var slow strings.Builder
	slow.WriteString(head)
	for i := range 200 {
		slow.WriteString(line(strconv.FormatInt(int64(i)*100_000_001, 10)))
	}
	require.Equal(t, []string{"200 records in 5h31m40.000199s: less than one a minute; is the unit of time right?"},
		read(t, slow.String(), Options{}).stats.Notes)
}
