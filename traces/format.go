package traces

import (
	"strings"
	"time"
)

// format is one entry of the table of formats.
type format struct {
	name  string
	title string
	shape string        // what detection has seen when every line fits
	cut   cutter        // of a binary format; nil: text
	unit  time.Duration // of a time column of whole numbers; 0: decimal times
	zero  bool          // times count from the zero of the format, not from the first record
	named bool          // a binary format that has a magic number
	open  func(*scan) parser

	// action is the action of an event trace to take when none was asked for.
	action func(head []byte) (action byte, completions bool, note string)
	// magic recognises a format that names itself in its first line or by its
	// binary layout; the others are found by trial.
	magic func(head []byte) (why string, ok bool)
	// typical says whether a line that fits has what sets this format apart from
	// one that it would fit too.
	typical func(line []byte) bool
}

// formats is in the order of preference where several fit.
var formats = []format{
	{name: "blksim", title: "blksim trace", zero: true, open: openText, magic: isText},
	{name: "native", title: "blksim native binary trace", zero: true, named: true, cut: cutNative, open: openNative, magic: isNative},
	{name: "blktrace", title: "blktrace binary", unit: time.Nanosecond, named: true, cut: cutBlktrace, open: openBlktrace,
		magic: isBlktrace, action: blktraceAction},
	{name: "btrecord", title: "btrecord replay file", unit: time.Nanosecond, named: true, cut: cutBtrecord, open: openBtrecord, magic: isBtrecord},
	{name: "fio2", title: "fio iolog, version 2", unit: time.Microsecond, open: openFio2, magic: isFio2},
	{name: "fio3", title: "fio iolog, version 3", unit: time.Microsecond, open: openFio3, magic: isFio3},
	{name: "msr", title: "MSR Cambridge CSV", unit: 100 * time.Nanosecond, open: openMSR,
		shape: "7 columns with commas: FILETIME, host, disk, Read or Write, offset, size, response time"},
	{name: "spc", title: "SPC (UMass) ASCII", open: openSPC,
		shape: "5 or more columns with commas: ASU, LBA, bytes, R or W, decimal seconds"},
	{name: "alibaba", title: "Alibaba block CSV", unit: time.Microsecond, open: openAlibaba,
		shape: "5 columns with commas: device, R or W, offset, length, microseconds"},
	{name: "systor", title: "SYSTOR '17 LUN CSV", open: openSystor,
		shape: "6 columns with commas: seconds, response, R or W, LUN, offset, size"},
	{name: "cloudphysics", title: "CloudPhysics CSV", unit: time.Second, open: openCloudPhysics,
		shape: "5 columns with commas: version 1 or 2, time, SCSI opcode in hex, bytes, sector"},
	{name: "tencent", title: "Tencent CBS CSV", unit: time.Second, open: openTencent,
		shape: "5 columns with commas: seconds, sector, sectors, 0 or 1, volume"},
	{name: "fio1", title: "fio iolog, version 1", zero: true, open: openFio1,
		shape: "3 columns with commas: 0, 1 or 2, offset, length"},
	{name: "fiu", title: "FIU trace", unit: time.Nanosecond, open: openFIU,
		shape: "9 columns: ns, pid, process, sector, sectors, R or W, major, minor, MD5"},
	{name: "blkparse", title: "blkparse text", open: openBlkparse, action: blkparseAction,
		shape: "blkparse events: major,minor cpu sequence time pid action rwbs"},
	{name: "blkreplay", title: "blkreplay .load", open: openBlkreplay,
		shape: "6 columns with semicolons: seconds, sector, sectors, R or W, delay, duration"},
	{name: "mqsim", title: "MQSim or SSDsim ASCII", unit: time.Nanosecond, open: openMQSim,
		shape: "5 columns of whole numbers: time, device, sector, sectors, type"},
	{name: "disksim", title: "DiskSim ASCII", open: openDiskSim, typical: isTypicalDiskSim,
		shape: "5 columns: decimal milliseconds, device, block, blocks, flags"},
	{name: "vscsi1", title: "CloudPhysics vscsi binary, version 1", cut: fixed(vscsi1Size),
		unit: time.Microsecond, open: openVscsi1, magic: isVscsi1},
	{name: "vscsi2", title: "CloudPhysics vscsi binary, version 2", cut: fixed(vscsi2Size),
		unit: time.Microsecond, open: openVscsi2, magic: isVscsi2},
	{name: "csv", title: "any table, by its columns", open: openCSV, magic: func([]byte) (string, bool) { return "", false }},
}

// FormatInfo names a format that Options.Format takes.
type FormatInfo struct {
	Name  string
	Title string
}

// Formats lists the formats that can be read.
func Formats() []FormatInfo {
	out := make([]FormatInfo, len(formats))
	for i, f := range formats {
		out[i] = FormatInfo{f.name, f.title}
	}
	return out
}

func formatNamed(name string) *format {
	for i := range formats {
		if formats[i].name == name {
			return &formats[i]
		}
	}
	return nil
}

func formatNames() []string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.name
	}
	return names
}

// firstLine is the first line of head, without its end.
func firstLine(head []byte) string {
	line, _, _ := strings.Cut(string(head[:min(len(head), 256)]), "\n")
	return strings.TrimSuffix(line, "\r")
}
