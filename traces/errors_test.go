package traces

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// good are lines that surround a bad one, so that it is an error of its own and no
// doubt about the format.
var good = map[string]string{
	"msr":          "1000,hm,1,Read,4096,512,1\n",
	"spc":          "0,8,512,r,1.0\n",
	"cloudphysics": "1,5000000,2a,512,8\n",
	"blkparse":     "  8,0    1        1     1.000000000   697  Q  WS 8 + 8 [journal]\n",
	"blkreplay":    "1.0 ; 8 ; 8 ; W ; 0.0 ; 0.0\n",
	"mqsim":        "1000 0 8 8 1\n",
	"alibaba":      "7,W,4096,512,1600000000000046\n",
	"tencent":      "1540000000,8,8,1,7\n",
	"systor":       "1400000000.1,,W,0,4096,512\n",
	"fiu":          "90000 12 daemon 904000000 8 W 6 0 0123456789abcdef\n",
	"fio1":         "1,4096,512\n",
	"disksim":      "1000.5 0 8 8 1\n",
	"fio2":         "/dev/sda read 0 512\n",
	"fio3":         "1000 /dev/sda read 0 512\n",
	"blksim":       "1.5 R 0 512\n",
}

var firstLines = map[string]string{
	"fio2": "fio version 2 iolog\n", "fio3": "fio version 3 iolog\n", "blksim": "blksim trace 1\n",
}

func TestABadRecordIsNamedByItsPlaceItsValueAndWhatWasWanted(t *testing.T) {
	for _, c := range []struct{ format, line, want string }{
		{"msr", "1000,hm,1,Read,4096,abc,1", `size "abc": want a decimal number of bytes > 0`},
		{"msr", "1000,hm,1,Read,4096,0,1", `size "0": want a decimal number of bytes > 0`},
		{"msr", "1000,hm,1,Read,4096,-512,1", `size "-512": want a decimal number of bytes > 0`},
		{"msr", "1000,hm,1,Read,-4096,512,1", `offset "-4096": want a decimal number of bytes`},
		{"msr", "1000,hm,1,Read,9223372036854775808,512,1", `offset "9223372036854775808": want a decimal number of bytes`},
		{"msr", "1000,hm,1,Read,99999999999999999999,512,1", `offset "99999999999999999999": want a decimal number of bytes`},
		{"msr", "1000,hm,1,Read,9223372036854775807,512,1", `size "512": want offset + size below 2^63 bytes`},
		{"msr", "1000,hm,1,Trim,4096,512,1", `type "Trim": want Read or Write`},
		{"msr", "1000,,1,Read,4096,512,1", `host "": want a host name`},
		{"msr", "1000,hm,x,Read,4096,512,1", `disk "x": want a decimal disk number`},
		{"msr", "1e3,hm,1,Read,4096,512,1", `time "1e3": want a decimal number of 100 ns ticks`},
		{"msr", "9223372036854775807,hm,1,Read,4096,512,1", `time "9223372036854775807": want a time within 146 years of the first record`},
		{"msr", "1000,hm,1,Read,4096,512,", `response time "": want a decimal number of 100 ns ticks`},
		{"msr", "1000,hm,1,Read,4096,512", `line "1000,hm,1,Read,4096,512": want 7 columns: Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime`},
		{"msr", "1000,hm,1,Read,4096,512,1,", `line "1000,hm,1,Read,4096,512,1,": want 7 columns: Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime`},
		{"msr", "1000,hm,1,Read,4096,51\x002,1", `NUL byte in column 23 "1000,hm,1,Read,4096,51\x002,1": want text`},
		{"alibaba", "x,W,4096,512,16", `device_id "x": want a decimal device number`},
		{"alibaba", "7,X,4096,512,16", `opcode "X": want R or W`},
		{"alibaba", "7,W,4096,512,", `time "": want a decimal number of microseconds`},
		{"alibaba", "7,W,4096,9223372036854775807,1600000000000046", `size "9223372036854775807": want offset + size below 2^63 bytes`},
		{"alibaba", "7,W,4096,512", `line "7,W,4096,512": want 5 columns: device_id,opcode,offset,length,timestamp`},
		{"tencent", "1540000000,8,8,2,7", `IOType "2": want one of 0=read,1=write`},
		{"tencent", "1540000000,8,8,1,x", `VolumeID "x": want a decimal device number`},
		{"tencent", "t,8,8,1,7", `time "t": want a decimal number of seconds`},
		{"systor", "x,,W,0,4096,512", `time "x": want decimal seconds`},
		{"systor", "1400000000.1,y,W,0,4096,512", `response "y": want decimal seconds, or nothing`},
		{"systor", "1400000000.1,,8,0,4096,512", `IOType "8": want R or W`},
		{"systor", "1400000000.1,,W,0,4096", `line "1400000000.1,,W,0,4096": want 6 columns: Timestamp,Response,IOType,LUN,Offset,Size`},
		{"fiu", "90000 12 904000000 8 W 6 0", `line "90000 12 904000000 8 W 6 0": want ts pid process lba size op major minor md5`},
		{"fiu", "90000 x daemon 904000000 8 W 6 0 01", `pid "x": want a decimal number`},
		{"fiu", "90000 12 daemon 904000000 8 Z 6 0 01", `op "Z": want R or W`},
		{"fiu", "90000 12 daemon 904000000 8 W a 0 01", `major "a": want a decimal device number`},
		{"fiu", "9e3 12 daemon 904000000 8 W 6 0 01", `time "9e3": want a decimal number of nanoseconds`},
		{"fio1", "3,4096,512", `rw "3": want 0, 1 or 2: read, write, sync or trim`},
		{"fio1", "1,4096", `line "1,4096": want 3 columns: rw,offset,length`},
		{"spc", "0,18014398509481984,512,r,1.0", `sector "18014398509481984": want offset + size below 2^63 bytes`},
		{"spc", "x,8,512,r,1.0", `ASU "x": want a decimal number`},
		{"spc", "0,8,512,q,1.0", `opcode "q": want R or W`},
		{"spc", "0,8,512,r,1.0.0", `time "1.0.0": want decimal seconds`},
		{"spc", "0,8,512,r,-1", `time "-1": want decimal seconds`},
		{"spc", "0,8,512,r,9223372036.9", `time "9223372036.9": want decimal seconds`},
		{"spc", "0,8,512,r", `line "0,8,512,r": want 5 or more columns: ASU,LBA,Size,Opcode,Timestamp`},
		{"cloudphysics", "3,5000000,2a,512,8", `version "3": want 1 or 2`},
		{"cloudphysics", "1,5000000,2az,512,8", `op "2az": want a SCSI opcode in hex`},
		{"cloudphysics", "1,5000000,12a,512,8", `op "12a": want a SCSI opcode in hex`},
		{"cloudphysics", "1,x,2a,512,8", `time "x": want a decimal number of seconds`},
		{"cloudphysics", "1,5000000,2a,512", `line "1,5000000,2a,512": want 5 columns: version,time,op,size,lbn`},
		{"blkparse", "  8;0    1        1     1.000000000   697  Q  WS 8 + 8 [k]", `device "8;0": want major,minor`},
		{"blkparse", "  8,0    x        1     1.000000000   697  Q  WS 8 + 8 [k]", `cpu "x": want a decimal number`},
		{"blkparse", "  8,0    1        -     1.000000000   697  Q  WS 8 + 8 [k]", `sequence "-": want a decimal number`},
		{"blkparse", "  8,0    1        1     1.0000x0000   697  D  WS 8 + 8 [k]", `time "1.0000x0000": want decimal seconds`},
		{"blkparse", "  8,0    1        1     1.000000000   ---  Q  WS 8 + 8 [k]", `pid "---": want a decimal number`},
		{"blkparse", "  8,0    1        1     1.000000000   697  Y  WS 8 + 8 [k]", `action "Y": want one of ABCDFGIMPQRSTUWXm`},
		{"blkparse", "  8,0    1        1     1.000000000   697  Q  XX 8 + 8 [k]", `rwbs "XX": want F?, R W D or N, then flags F A S M`},
		{"blkparse", "  8,0    1        1     1.000000000   697  Q  WS x + 8 [k]", `sector "x": want a decimal number of sectors`},
		{"blkparse", "  8,0    1        1     1.000000000   697  Q  WS 8 - 8 [k]", `tail "8 - 8 [k]": want sector + sectors [process]`},
		{"blkparse", "  8,0    1        1     1.000000000   697  Q  WS 8 + x [k]", `count "x": want a decimal number of sectors > 0`},
		{"blkparse", "  8,0    1        1     1.000000000   697  Q  WS 8 + 8 k", `tail "8 + 8 k": want sector + sectors [process]`},
		{"blkparse", "  8,0    1        1     1.000000000   697  Q  WS", `sector "": want a decimal number of sectors`},
		{"blkparse", "  8,0    1", `sequence "": want a decimal number`},
		{"blkreplay", "1.0 ; 8 ; 0 ; W ; 0.0 ; 0.0", `count "0": want a decimal number of sectors > 0`},
		{"blkreplay", "1.0 ; 8 ; 8 ; N ; 0.0 ; 0.0", `op "N": want R or W, or an rwbs that begins with R, W or D`},
		{"blkreplay", "1.0 ; 8 ; 8 ; W ; x ; 0.0", `delay "x": want decimal seconds`},
		{"blkreplay", "1.0 ; 8 ; 8 ; W ; 0.0 ; -", `duration "-": want decimal seconds`},
		{"blkreplay", "1.0 ; 8 ; 8 ; W ; 0.0", `line "1.0 ; 8 ; 8 ; W ; 0.0": want 6 columns: start ; sector ; length ; op ; delay ; duration`},
		{"mqsim", "1000 0 8 8 2", `type "2": want one of 0=write,1=read`},
		{"mqsim", "1000 -1 8 8 1", `device "-1": want a decimal device number`},
		{"mqsim", "1000.5 0 8 8 1", `time "1000.5": want a decimal number of nanoseconds`},
		{"mqsim", "1000 0 8 18014398509481983 1", `count "18014398509481983": want offset + size below 2^63 bytes`},
		{"mqsim", "1000 0 8 8", `line "1000 0 8 8": want 5 columns: time device lsa sectors type`},
		{"disksim", "1000.5 0 8 8 g", `flags "g": want a hexadecimal word whose bit 0 is 1 for a read`},
		{"disksim", "1000.x 0 8 8 1", `time "1000.x": want decimal milliseconds`},
		{"disksim", "1000. 0 8 8 1", `time "1000.": want decimal milliseconds`},
		{"disksim", "1000.5 x 8 8 1", `devno "x": want a decimal device number`},
		{"disksim", "1000.5 0 8 0 1", `count "0": want a decimal number of sectors > 0`},
		{"disksim", "1000.5 0 8 8 1 1", `line "1000.5 0 8 8 1 1": want 5 columns: time devno blkno bcount flags`},
		{"fio2", "/dev/sda read 0", `line "/dev/sda read 0": want file action [offset length]`},
		{"fio2", "/dev/sda read", `line "/dev/sda read": want offset and length behind read`},
		{"fio2", "/dev/sda reed 0 512", `action "reed": want read, write, trim, sync, datasync, wait, add, open or close`},
		{"fio2", "/dev/sda wait x 0", `line "/dev/sda wait x 0": want file wait MICROSECONDS 0, in version 2 only`},
		{"fio3", "1000 /dev/sda wait 5 0", `line "1000 /dev/sda wait 5 0": want file wait MICROSECONDS 0, in version 2 only`},
		{"fio3", "/dev/sda read 0 512", `time "/dev/sda": want a decimal number of microseconds`},
		{"fio3", "1000 /dev/sda", `line "1000 /dev/sda": want time file action [offset length]`},
		{"fio3", "1000 /dev/sda trim 0 0", `size "0": want a decimal number of bytes > 0`},
		{"blksim", "1.5 r 0 512", `op "r": want R, W, F, D or Z`},
		{"blksim", "1.5 RW 0 512", `op "RW": want R, W, F, D or Z`},
		{"blksim", "1.5 R 0 4k", `size "4k": want a decimal number of bytes > 0`},
		{"blksim", "1.5 R 0", `line "1.5 R 0": want TIME OP OFFSET LENGTH [NAME=VALUE ...]`},
		{"blksim", "1.0000000001 R 0 512", `time "1.0000000001": want decimal seconds with at most 9 decimals`},
		{"blksim", "1.5 R 0 512 vol=", `option "vol=": want vol=, cancel=, issued=, completed=, pid=, comm=, app=, status= or flags=, each at most once`},
		{"blksim", "1.5 R 0 512 vol=a vol=b", `option "vol=b": want vol=, cancel=, issued=, completed=, pid=, comm=, app=, status= or flags=, each at most once`},
		{"blksim", "1.5 R 0 512 vol=a%2", `vol "a%2": want a name, with %XX for blanks, control characters and %`},
		{"blksim", "1.5 R 0 512 cancel=1ms", `cancel "1ms": want decimal seconds with at most 9 decimals`},
		{"blksim", "1.5 R 0 512 deadline=1", `option "deadline=1": want vol=, cancel=, issued=, completed=, pid=, comm=, app=, status= or flags=, each at most once`},
	} {
		before := strings.Repeat(good[c.format], 3)
		data := firstLines[c.format] + before + c.line + "\n" + good[c.format]
		line := int64(strings.Count(firstLines[c.format], "\n") + 4)
		t.Run(c.format+" "+c.line, func(t *testing.T) {
			out, err := readBoth(t, []byte(data), Options{})
			require.NoError(t, err)
			require.Equal(t, c.format, out.format)
			require.Len(t, out.recs, 3)
			require.EqualValues(t, 1, out.stats.Rejected)
			var e *Error
			require.ErrorAs(t, out.err, &e)
			require.Equal(t, line, e.Line)
			require.EqualValues(t, len(firstLines[c.format])+len(before), e.Byte)
			require.Equal(t, "t:"+string(rune('0'+line))+": "+c.want, out.err.Error())
			require.False(t, errors.Is(out.err, ErrTruncated))

			out, err = readBoth(t, []byte(data), Options{OnError: Skip})
			require.NoError(t, err)
			require.NoError(t, out.err)
			require.Len(t, out.recs, 4)
			require.Equal(t, []*Error{e}, out.stats.FirstErrors)
		})
	}
}

// One rule for all formats: an I/O of no bytes is bad, and its place is told.
func TestAReadOrWriteOfSizeZeroIsABadRecord(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range []struct{ format, line, want string }{
		{"blksim", "1.5 R 0 0", `size "0": want a decimal number of bytes > 0`},
		{"blksim", "1.5 Z 0 0", `size "0": want a decimal number of bytes > 0`},
		{"fio2", "/dev/sda write 0 0", `size "0": want a decimal number of bytes > 0`},
		{"fio3", "1000 /dev/sda read 0 0", `size "0": want a decimal number of bytes > 0`},
		{"msr", "1000,hm,1,Write,4096,0,1", `size "0": want a decimal number of bytes > 0`},
		{"spc", "0,8,0,r,1.0", `size "0": want a decimal number of bytes > 0`},
		{"cloudphysics", "1,5000000,2a,0,8", `size "0": want a decimal number of bytes > 0`},
		{"alibaba", "7,W,0,0,1600000000000046", `size "0": want a decimal number of bytes > 0`},
		{"tencent", "1540000000,0,0,1,7", `count "0": want a decimal number of sectors > 0`},
		{"systor", "1400000000.1,,W,0,0,0", `size "0": want a decimal number of bytes > 0`},
		{"fiu", "90000 12 daemon 904000000 0 W 6 0 0123456789abcdef", `count "0": want a decimal number of sectors > 0`},
		{"fio1", "1,4096,0", `size "0": want a decimal number of bytes > 0`},
		{"blkparse", "  8,0    1        1     1.000000000   697  Q  R 8 + 0 [k]", `count "0": want a decimal number of sectors > 0`},
		{"blkparse", "  8,0    1        1     1.000000000   697  Q  D 8 + 0 [k]", `count "0": want a decimal number of sectors > 0`},
		{"blkreplay", "1.0 ; 8 ; 0 ; R ; 0.0 ; 0.0", `count "0": want a decimal number of sectors > 0`},
		{"mqsim", "1000 0 8 0 1", `count "0": want a decimal number of sectors > 0`},
		{"disksim", "1000.5 0 8 0 0", `count "0": want a decimal number of sectors > 0`},
		{"vscsi1", string(vscsi1Record(vscsiRecord{cmd: 0x28, ver: 0x0100, len: 0, lbn: 8, ts: 1000})), "len 0: want a number of bytes > 0"},
		{"vscsi2", string(vscsi2Record(vscsiRecord{cmd: 0x0a, ver: 0x0200, len: 0, lbn: 8, ts: 1000})), "len 0: want a number of bytes > 0"},
	} {
		seen[c.format] = true
		line, end, place := good[c.format], c.line+"\n", fmt.Sprintf("t:%d: ", strings.Count(firstLines[c.format], "\n")+4)
		switch c.format {
		case "vscsi1":
			line, end, place = string(vscsi1Record(vscsiRecord{cmd: 0x2a, ver: 0x0100, len: 512, lbn: 8, ts: 1000})), c.line, "t: byte 96: "
		case "vscsi2":
			line, end, place = string(vscsi2Record(vscsiRecord{cmd: 0x2a, ver: 0x0200, len: 512, lbn: 8, ts: 1000})), c.line, "t: byte 120: "
		}
		data := firstLines[c.format] + strings.Repeat(line, 3) + end + line
		out, err := readBoth(t, []byte(data), Options{})
		require.NoError(t, err)
		require.Equal(t, c.format, out.format)
		require.EqualError(t, out.err, place+c.want)
		require.Len(t, out.recs, 3)

		out, err = readBoth(t, []byte(data), Options{OnError: Skip})
		require.NoError(t, err)
		require.NoError(t, out.err)
		require.Len(t, out.recs, 4)
		require.EqualValues(t, 1, out.stats.Rejected)
		require.Empty(t, out.stats.Skipped)
	}
	seen["csv"] = true      // TestAnyTableIsReadByItsColumns
	seen["native"] = true   // TestNativeFrameWithABadValueIsRefusedWhole
	seen["blktrace"] = true // no extent: TestBlktraceAndItsTextGiveTheSameRecords
	seen["btrecord"] = true // TestBtrecordBunchWithABadPacketIsRefusedWhole
	for _, f := range Formats() {
		require.True(t, seen[f.Name], f.Name)
	}
}

// What a format lets stand without an extent is skipped, or is a flush.
func TestSizeZeroHasAMeaningWhereTheFormatGivesItOne(t *testing.T) {
	event := "  8,0    1        1     1.000000000   697  Q "
	data := event + "R 8 + 8 [k]\n" + event + "N 0 [k]\n" + event + "N 0 + 0 [k]\n" +
		event + "FWS 0 + 0 [k]\n" + event + "F 0 + 0 [k]\n" + event + "R 36 (12 00 ..) [k]\n"
	out := read(t, data, Options{})
	require.NoError(t, out.err)
	require.Equal(t, []Op{Read, Flush, Flush}, ops(out.recs))
	require.Equal(t, []SkipCount{{"no extent", 3}}, out.stats.Skipped)

	out = read(t, "1,5,28,512,8\n1,5,35,0,0\n1,5,00,0,0\n", Options{})
	require.NoError(t, out.err)
	require.Equal(t, []Op{Read, Flush}, ops(out.recs))
	require.Equal(t, []SkipCount{{"SCSI command 0x00", 1}}, out.stats.Skipped)
}

func TestABadFirstLineIsAnErrorOfItsOwn(t *testing.T) {
	out := read(t, "blksim trace 2\n1 R 0 512\n", Options{})
	require.EqualError(t, out.err, `t:1: first line "blksim trace 2": want "blksim trace 1"`)
	out = read(t, "1 /dev/sda read 0 512\n", Options{Format: "fio3"})
	require.EqualError(t, out.err, `t:1: first line "1 /dev/sda read 0 512": want "fio version 3 iolog"`)
}

func TestALineOver64KiBIsAnErrorAndDoesNotGrowTheBuffer(t *testing.T) {
	for _, n := range []int{maxLine + 1, maxLine + 2, 2*maxLine - 20, 2 * maxLine, 5 * maxLine} {
		long := strings.Repeat("7", n)
		data := strings.Repeat(good["mqsim"], 5) + long + "\n" + good["mqsim"]
		out, err := readBoth(t, []byte(data), Options{Format: "mqsim"})
		require.NoError(t, err)
		require.EqualError(t, out.err, `t:6: line "`+long[:maxValue]+`...": want at most 65536 bytes`)
		require.Len(t, out.recs, 5)
		out, err = readBoth(t, []byte(data), Options{OnError: Skip})
		require.NoError(t, err)
		require.Len(t, out.recs, 6)
		require.EqualValues(t, 7, out.recs[5].Line)
	}
	// The longest line that is allowed, in both kinds of ends.
	for _, eol := range []string{"\n", "\r\n"} {
		data := good["mqsim"] + "#" + strings.Repeat("x", maxLine-1) + eol + good["mqsim"]
		require.Len(t, read(t, data, Options{}).recs, 2)
	}
}

func TestABadLastLineWithoutNewlineIsTruncated(t *testing.T) {
	out := read(t, strings.Repeat(good["msr"], 3)+"1000,hm,1,Rea", Options{})
	require.EqualError(t, out.err, `t:4: line "1000,hm,1,Rea": want 7 columns: Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime (the last line has no newline: the file may be cut off)`)
	require.ErrorIs(t, out.err, ErrTruncated)
	require.Len(t, out.recs, 3)
	// A single good line is enough to know the format.
	out = read(t, good["msr"]+"1000,hm,1,Rea", Options{})
	require.ErrorIs(t, out.err, ErrTruncated)
}

func TestABadBinaryRecordIsNamedByItsOffset(t *testing.T) {
	ok := string(vscsi1Record(vscsiRecord{cmd: 0x2a, ver: 0x0100, len: 512, lbn: 8, ts: 1000}))
	for want, v := range map[string]vscsiRecord{
		"t: byte 128: ver 0x0300: want 1 in the high byte":                                       {cmd: 0x2a, ver: 0x0300, len: 512, lbn: 8, ts: 1000},
		"t: byte 128: cmd 0x012a: want a SCSI opcode":                                            {cmd: 0x12a, ver: 0x0100, len: 512, lbn: 8, ts: 1000},
		"t: byte 128: lbn 18014398509481984: want offset + size below 2^63 bytes":                {cmd: 0x2a, ver: 0x0100, len: 512, lbn: 1 << 54, ts: 1000},
		"t: byte 128: ts 18446744073709551615: want a time within 146 years of the first record": {cmd: 0x2a, ver: 0x0100, len: 512, lbn: 8, ts: 1<<64 - 1},
		"t: byte 128: ts 4611686018428388: want a time within 146 years of the first record":     {cmd: 0x2a, ver: 0x0100, len: 512, lbn: 8, ts: 4611686018428388},
	} {
		data := strings.Repeat(ok, 4) + string(vscsi1Record(v)) + ok
		out, err := readBoth(t, []byte(data), Options{Format: "vscsi1"})
		require.NoError(t, err)
		require.EqualError(t, out.err, want)
		require.Len(t, out.recs, 4)
		require.Len(t, read(t, data, Options{OnError: Skip}).recs, 5)
	}
}

func TestACutLastBinaryRecordIsTruncatedWithTheBytesLeftOver(t *testing.T) {
	data := strings.Repeat(string(vscsi1Record(vscsiRecord{cmd: 0x2a, ver: 0x0100, len: 512, lbn: 8, ts: 1000})), 4)
	for cut := 1; cut < vscsi1Size; cut++ {
		out, err := readBoth(t, []byte(data[:len(data)-cut]), Options{})
		require.NoError(t, err)
		require.Len(t, out.recs, 3)
		require.ErrorIs(t, out.err, ErrTruncated)
		var e *StreamError
		require.ErrorAs(t, out.err, &e)
		require.EqualValues(t, vscsi1Size-cut, e.Left)
	}
	out := read(t, data[:len(data)-12], Options{})
	require.EqualError(t, out.err, "t: truncated file: 3 records read, broken at byte 116, 20 bytes of an unfinished record left over")
}

func TestSkipEndsAtMaxErrorsAndKeepsTheFirstErrors(t *testing.T) {
	data := strings.Repeat(good["msr"]+"bad\n", 20)
	out, err := readBoth(t, []byte(data), Options{Format: "msr", OnError: Skip})
	require.NoError(t, err)
	require.NoError(t, out.err)
	require.EqualValues(t, 20, out.stats.Rejected)
	require.Len(t, out.stats.FirstErrors, 10)
	require.EqualValues(t, 2, out.stats.FirstErrors[0].Line)

	out, err = readBoth(t, []byte(data), Options{Format: "msr", OnError: Skip, MaxErrors: 3})
	require.NoError(t, err)
	require.ErrorContains(t, out.err, "more than 3 bad records, the last: t:8: line")
	require.Len(t, out.recs, 4)
}

func TestVolumesAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range maxVolumes + 5 {
		fmt.Fprintf(&b, "0 %06d 8 8 1\n", i)
	}
	out := read(t, b.String(), Options{OnError: Skip})
	require.Len(t, out.volumes, maxVolumes)
	require.EqualValues(t, 5, out.stats.Rejected)
	require.EqualError(t, out.stats.FirstErrors[0], `t:65537: volume "065536": want one of at most 65536 volumes`)

	out = read(t, "blksim trace 1\n0 R 0 1 vol="+strings.Repeat("v", 256)+"\n", Options{})
	require.ErrorContains(t, out.err, "want a name of at most 255 bytes")
}

func TestReadAfterCloseIsAnError(t *testing.T) {
	r, err := NewReader(strings.NewReader(sampleOf("msr").data), "t", Options{})
	require.NoError(t, err)
	require.NoError(t, r.Close())
	_, err = r.Read(make([]Record, 1))
	require.EqualError(t, err, "traces: read after Close")
	require.NoError(t, r.Close())
}

func TestOptionsSayWhatIsWrong(t *testing.T) {
	for want, o := range map[string]Options{
		`traces: format "mrs": want one of ` + strings.Join(formatNames(), ", "):                                                 {Format: "mrs"},
		"traces: error policy 7: want Stop or Skip":                                                                              {OnError: 7},
		"traces: order policy 7: want Sort, AsIs or Reject":                                                                      {Order: 7},
		"traces: max errors -1: want 0 (no limit) or more":                                                                       {MaxErrors: -1},
		"traces: window -1ns: want a positive duration":                                                                          {Window: -1},
		"traces: window of 9999999 records: want at most 1048576":                                                                {WindowRecords: 9999999},
		"traces: blkparse action 'Z': want one of Q, G, I, D, C":                                                                 {Action: 'Z'},
		"traces: block size -1: want 1 to 1048576 bytes":                                                                         {BlockSize: -1},
		"traces: time unit -1ns: want a positive duration":                                                                       {TimeUnit: -1},
		`traces: op map "0": want VALUE=OP[,...] with the ops read, write, flush, discard, write-zeroes, as in 0=write,1=read`:   {OpMap: "0"},
		`traces: op map "0=x": want VALUE=OP[,...] with the ops read, write, flush, discard, write-zeroes, as in 0=write,1=read`: {OpMap: "0=x"},
	} {
		require.EqualError(t, openErr(t, sampleOf("msr").data, o), want)
	}
}
