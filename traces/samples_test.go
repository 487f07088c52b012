package traces

import "encoding/binary"

// sample is a small hand-written input of each format, with the traps of that
// format that are no errors, and what reading it gives.
type sample struct {
	name    string // of the case
	format  string
	data    string
	recs    []Record
	volumes []string
	skipped []SkipCount
	late    int64
	notes   []string
}

func rec(line, ns int64, op Op, offset, length int64, volume uint32) Record {
	return Record{Time: ns, Offset: offset, Length: length, CancelAfter: -1, Line: line, Volume: volume, Op: op}
}

// asked is r with who asked for it, and how.
func asked(r Record, process uint32, flags Flags) Record {
	r.Process, r.Flags = process, flags
	return r
}

// timed is r with when it was issued and completed.
func timed(r Record, issued, completed int64) Record {
	r.Issued, r.Completed = issued, completed
	return r
}

const (
	ns = int64(1)
	us = 1000 * ns
	ms = 1000 * us
	s  = 1000 * ms
)

var noVolume = []string{""}

var samples = []sample{
	{
		name: "blksim", format: "blksim",
		data: "blksim trace 1\n# a comment\n\n0.000001000 R 4096 8192 vol=a\n0.5 W 0 512 cancel=0.000250000 vol=b%20c\n" +
			"0.500000001 F 0 0\n1 D 8192 4096 vol=a\n1.25 Z 0 1048576 vol=a cancel=0\n",
		recs: []Record{
			rec(4, 1*us, Read, 4096, 8192, 0),
			{Time: 500 * ms, Offset: 0, Length: 512, CancelAfter: 250 * us, Line: 5, Volume: 1, Op: Write},
			rec(6, 500*ms+1, Flush, 0, 0, 2),
			rec(7, 1*s, Discard, 8192, 4096, 0),
			{Time: 1250 * ms, Offset: 0, Length: 1 << 20, CancelAfter: 0, Line: 8, Volume: 0, Op: WriteZeroes},
		},
		volumes: []string{"a", "b c", ""},
		notes:   []string{"3 volumes share one address range: the option volume keeps one"},
	},
	nativeSample(),
	blktraceSample(binary.LittleEndian, 7),
	blktraceSample(binary.BigEndian, 8),
	{
		name: "btrecord", format: "btrecord",
		data: btrecordBytes(3, [][]uint64{{1000, 8, 4096, 1}, {51000, 1 << 40, 512, 0, 9, 1024, 1}, {51001, 0, 1, 1}}),
		recs: []Record{
			rec(48, 0, Read, 8*512, 4096, 0),
			rec(88, 50*us, Write, 1<<49, 512, 0),
			rec(112, 50*us, Read, 9*512, 1024, 0),
			rec(152, 50*us+1, Read, 0, 1, 0),
		},
		volumes: noVolume,
	},
	{
		// A FILETIME in nanoseconds passes 2^63, blanks and cases vary in copies,
		// response times can be negative, and the last line has no newline.
		name: "msr: header, BOM, CRLF, two disks", format: "msr",
		data: "\xef\xbb\xbfTimestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime\r\n" +
			"130000000000000017,hm,1,Read,104857600,32768,400\r\n" +
			"130000000013320543,hm,0,Write,2867200,4096,-2048\r\n" +
			"\r\n" +
			"130000000013320543, hm , 1, read, 0, 1, 0\r\n" +
			"130000000023320633,hm,1,Read,3221225472,4096,1\r\n" +
			"130000000023320634,hm,0,Read,2147483648,4096,1",
		recs: []Record{
			timed(rec(2, 0, Read, 104857600, 32768, 0), 0, 40*us),
			rec(3, (130000000013320543-130000000000000017)*100, Write, 2867200, 4096, 1),
			rec(5, (130000000013320543-130000000000000017)*100, Read, 0, 1, 0),
			timed(rec(6, (130000000023320633-130000000000000017)*100, Read, 3221225472, 4096, 0), 0, 100),
			timed(rec(7, (130000000023320634-130000000000000017)*100, Read, 2147483648, 4096, 1), 0, 100),
		},
		volumes: []string{"hm_1", "hm_0"},
		notes:   []string{"2 volumes share one address range: the option volume keeps one"},
	},
	{
		name: "spc: odd sizes, extra columns", format: "spc",
		data: "0,20000016,8192,W,0.500200\n0, 20000128 ,8191,w,0.502535\n" +
			"2,3072,1536,r,1.011700000999,7,x\n",
		recs: []Record{
			rec(1, 0, Write, 20000016*512, 8192, 0),
			rec(2, 2335*us, Write, 20000128*512, 8191, 0),
			rec(3, 1011700*us-500200*us, Read, 3072*512, 1536, 1),
		},
		volumes: []string{"0", "2"},
		notes:   []string{"2 volumes share one address range: the option volume keeps one"},
	},
	{
		name: "cloudphysics: whole seconds", format: "cloudphysics",
		data: "version,time,op,size,lbn\n1,5000000,2a,512,40000001\n1,5000001,00,0,0\n1,5000001,1a,36,0\n" +
			"1,5000002,88,4096,8\n1,5000002,35,0,0\n",
		recs: []Record{
			rec(2, 0, Write, 40000001*512, 512, 0),
			rec(5, 2*s, Read, 8*512, 4096, 0),
			rec(6, 2*s, Flush, 0, 0, 0),
		},
		volumes: noVolume,
		skipped: []SkipCount{{"SCSI command 0x00", 1}, {"SCSI command 0x1a", 1}},
		notes:   []string{"every time is a whole second: records that share a second come at once; the option spread-seconds spreads them"},
	},
	{
		name: "blkparse: only Q, flushes, no extents, odd process names, summary", format: "blkparse",
		data: "  8,0    1        1     0.000100000   697  Q  WS 223000 + 8 [journal]\n" +
			"  8,0    1        2     0.000101000   697  G  WS 223000 + 8 [journal]\n" +
			"  8,0    1        3     0.000102000   697  P   N [journal]\n" +
			"  8,0    1        4     0.000103000   697  D  WS 223000 + 8 (    1500) [journal]\n" +
			"  8,0    0        5     0.000104000     0 UT   N [swapper] 1\n" +
			"  8,0    0        6     0.000104500     0  A   R 63 + 8 <- (8,1) 0\n" +
			"  8,0    0        7     0.000104600     0  m   N scheduler message [anything\n" +
			"  8,0    0        8     0.000105000     9  Q   R 512 + 16 [a [b] + 9]\n" +
			"  8,16   0        9     0.000200000     9  Q FWS [jbd2/sda1-8]\n" +
			"  8,16   0       10     0.000201000     9  Q FWFSM 1000 + 8 [jbd2/sda1-8]\n" +
			"  8,16   0       11     0.000202000     9  Q   D 2048 + 2048 [fstrim]\n" +
			"  8,16   0       12     0.000203000     9  Q   N 0 (00 ..) [kworker/9:0]\n" +
			"  8,16   0       13     0.000204000     9  Q   R 36 (12 00 00 00 24 00 ..) [probe]\n" +
			"  8,16   0       14     0.000205000     9  C  WS 223000 + 8 [0]\n" +
			"CPU0 (8,0):\n Reads Queued:           0,        0KiB\t Writes Queued:           0,        0KiB\n" +
			"\nTotal (8,0):\n IO unplugs:             0        \t Timer unplugs:           0\n\n" +
			"Throughput (R/W): 0KiB/s / 0KiB/s\nEvents (8,0): 677 entries\nSkips: 0 forward (0 -   0.0%)\n",
		recs: []Record{
			timed(asked(rec(1, 0, Write, 223000*512, 8*512, 0), 1, Sync), 3*us, 0),
			asked(rec(8, 5*us, Read, 512*512, 16*512, 0), 2, 0),
			asked(rec(9, 100*us, Flush, 0, 0, 1), 3, Sync),
			asked(rec(10, 101*us, Write, 1000*512, 8*512, 1), 3, Preflush|FUA|Sync|Meta),
			asked(rec(11, 102*us, Discard, 2048*512, 2048*512, 1), 4, 0),
		},
		volumes: []string{"8,0", "8,16"},
		skipped: []SkipCount{{"blkparse action A", 1}, {"blkparse action C", 1}, {"blkparse action D", 1},
			{"blkparse action G", 1}, {"blkparse action P", 1}, {"blkparse action U", 1}, {"blkparse action m", 1},
			{"no extent", 2}},
		notes: []string{"2 volumes share one address range: the option volume keeps one",
			"1 writes carry a preflush or FUA, which is left out"},
	},
	{
		name: "blkparse: no Q events", format: "blkparse",
		data: "  8,33   4        1     0.000000000    78  D   N 0 (00 ..) [kworker/9:0]\n" +
			"  8,33  30        1     0.001400000    77  D   R 640000 + 8 [some worker]\n",
		recs:    []Record{asked(rec(2, 0, Read, 640000*512, 8*512, 0), 1, 0)},
		volumes: []string{"8,33"},
		skipped: []SkipCount{{"no extent", 1}},
		notes:   []string{"no Q (queued) events at the beginning: took D (issued), which are after merging and scheduling"},
	},
	{
		name: "blkreplay: free text in front, rwbs in the op column", format: "blkreplay",
		data: "Copyright somebody\n\nThis file may be copied; but ; not ; sold.\n############\nINFO: action_char=Q\n" +
			"start ; sector; length ; op ;  replay_delay=0 ; replay_duration=0\n" +
			"      0.500000000 ;     37000000 ;   64 ; W ; 0.0 ; 0.0\n" +
			"      0.949000165 ;     37000064 ;   14 ; RA ; -0.1 ; 12\n",
		recs: []Record{
			rec(7, 0, Write, 37000000*512, 64*512, 0),
			asked(rec(8, 449000165, Read, 37000064*512, 14*512, 0), 0, Readahead),
		},
		volumes: noVolume,
	},
	{
		name: "alibaba: two devices", format: "alibaba",
		data: "7,W,8796093022208,16384,1600000000000046\n8,R,60000000000,4096,1600000000000076\n 7 , w ,0,512,1600000000000076\n7,R,512,1,1600000000000077\n",
		recs: []Record{
			rec(1, 0, Write, 8796093022208, 16384, 0), rec(2, 30*us, Read, 60000000000, 4096, 1),
			rec(3, 30*us, Write, 0, 512, 0), rec(4, 31*us, Read, 512, 1, 0),
		},
		volumes: []string{"7", "8"},
		notes:   []string{"2 volumes share one address range: the option volume keeps one"},
	},
	{
		name: "tencent: whole seconds", format: "tencent",
		data: "1540000000,12000000,128,0,10\n1540000000,6000000,8,1,11\n1540000002,8,1,1,10\n",
		recs: []Record{
			rec(1, 0, Read, 12000000*512, 128*512, 0), rec(2, 0, Write, 6000000*512, 8*512, 1), rec(3, 2*s, Write, 8*512, 512, 0),
		},
		volumes: []string{"10", "11"},
		notes: []string{"every time is a whole second: records that share a second come at once; the option spread-seconds spreads them",
			"2 volumes share one address range: the option volume keeps one"},
	},
	{
		name: "systor: no type, no response", format: "systor",
		data: "Timestamp,Response,IOType,LUN,Offset,Size\n1400000000.100000,0.000200000,W,0,4096,512\n1400000000.2,,R,1,0,4096\n" +
			"1400000000.3,0.1,,1,0,4096\n1400000000.4,-0.1,R,1,8192,4096\n1400000000.5,0.1,X,1,0,4096\n",
		recs: []Record{
			timed(rec(2, 0, Write, 4096, 512, 0), 0, 200*us), rec(3, 100*ms, Read, 0, 4096, 1), rec(5, 300*ms, Read, 8192, 4096, 1),
		},
		volumes: []string{"0", "1"},
		skipped: []SkipCount{{"IOType other than R or W", 1}, {"no IOType", 1}},
		notes:   []string{"2 volumes share one address range: the option volume keeps one"},
	},
	{
		name: "fiu: blanks in a process name", format: "fiu",
		data: "89966463712133 4892 syslogd 904265560 8 W 6 0 531e779f2d4f6cd5d6d31a9da1c7a2a8\n" +
			"89966463713133 12 my own daemon 904265568 16 R 6 1 531e779f2d4f6cd5d6d31a9da1c7a2a8\n",
		recs: []Record{
			asked(rec(1, 0, Write, 904265560*512, 8*512, 0), 1, 0), asked(rec(2, 1*us, Read, 904265568*512, 16*512, 1), 2, 0),
		},
		volumes: []string{"6,0", "6,1"},
		notes:   []string{"2 volumes share one address range: the option volume keeps one"},
	},
	{
		name: "fio 1: untimed", format: "fio1",
		data:    "0,4096,4096\n1,8192,512\n2,0,0\n2,4096,4096\n",
		recs:    []Record{rec(1, 0, Read, 4096, 4096, 0), rec(2, 0, Write, 8192, 512, 0), rec(3, 0, Flush, 0, 0, 0), rec(4, 0, Discard, 4096, 4096, 0)},
		volumes: noVolume,
		notes:   []string{"every record has the same time: the trace is untimed"},
	},
	{
		name: "mqsim", format: "mqsim",
		data: "900000000 4 264000000 16 0\n900315000 3\t197000000 16 1\n 900315000  4 8 1 1 \n",
		recs: []Record{
			rec(1, 0, Write, 264000000*512, 16*512, 0),
			rec(2, 315*us, Read, 197000000*512, 16*512, 1),
			rec(3, 315*us, Read, 8*512, 512, 0),
		},
		volumes: []string{"4", "3"},
		notes: []string{"the type column was read as 0=write,1=read",
			"the first 3 lines fit disksim too; mqsim was taken, another format can be named",
			"2 volumes share one address range: the option volume keeps one"},
	},
	{
		name: "disksim: milliseconds, hexadecimal flags", format: "disksim",
		data: "13.250135\t30\t0\t5\t1\n17.900285 20 576000 6 1a\n18 30 8 1 0x3\n",
		recs: []Record{
			rec(1, 0, Read, 0, 5*512, 0),
			rec(2, 17900285-13250135, Write, 576000*512, 6*512, 1),
			rec(3, 18000000-13250135, Read, 8*512, 512, 0),
		},
		volumes: []string{"30", "20"},
		notes:   []string{"2 volumes share one address range: the option volume keeps one"},
	},
	{
		name: "fio 2: waits", format: "fio2",
		data: "fio version 2 iolog\n/dev/sda add\n/dev/sda open\n/dev/sda write 0 4096\n/dev/sda wait 250 0\n" +
			"/dev/sdb read 4096 8192\n/dev/sda wait 50 0\n/dev/sda sync 0 0\n/dev/sda datasync\n/dev/sda trim 0 512\n/dev/sda close\n",
		recs: []Record{
			rec(4, 0, Write, 0, 4096, 0),
			rec(6, 250*us, Read, 4096, 8192, 1),
			rec(8, 300*us, Flush, 0, 0, 0),
			rec(9, 300*us, Flush, 0, 0, 0),
			rec(10, 300*us, Discard, 0, 512, 0),
		},
		volumes: []string{"/dev/sda", "/dev/sdb"},
		skipped: []SkipCount{{"fio action wait", 2}},
		notes: []string{"waits were read as microseconds from the wait before, after fio's manual",
			"2 volumes share one address range: the option volume keeps one"},
	},
	{
		name: "fio 3: microseconds", format: "fio3",
		data: "fio version 3 iolog\n127 /dev/sda add\n130 /dev/sda write 0 4096\n131 /dev/sda sync\n140 /dev/sda read 4096 512\n150 /dev/sda close\n",
		recs: []Record{
			rec(3, 0, Write, 0, 4096, 0),
			rec(4, 1*us, Flush, 0, 0, 0),
			rec(5, 10*us, Read, 4096, 512, 0),
		},
		volumes: []string{"/dev/sda"},
	},
	{
		name: "vscsi 1", format: "vscsi1",
		data: string(vscsi1Record(vscsiRecord{cmd: 0x2a, ver: 0x0100, len: 512, lbn: 40000001, ts: 5000000368802})) +
			string(vscsi1Record(vscsiRecord{cmd: 0x12, ver: 0x0100, len: 96, lbn: 0, ts: 5000000368900})) +
			string(vscsi1Record(vscsiRecord{cmd: 0x88, ver: 0x0100, len: 4096, lbn: 1 << 40, ts: 5000000369802})) +
			string(vscsi1Record(vscsiRecord{cmd: 0x00, ver: 0x0100, len: 0, lbn: 0, ts: 5000000369803})) +
			string(vscsi1Record(vscsiRecord{cmd: 0x91, ver: 0x0100, len: 0, lbn: 0, ts: 5000000369804})),
		recs: []Record{
			rec(0, 0, Write, 40000001*512, 512, 0),
			rec(64, 1*ms, Read, 1<<49, 4096, 0),
			rec(128, 1002*us, Flush, 0, 0, 0),
		},
		volumes: noVolume,
		skipped: []SkipCount{{"SCSI command 0x00", 1}, {"SCSI command 0x12", 1}},
	},
	{
		name: "vscsi 2", format: "vscsi2",
		data: string(vscsi2Record(vscsiRecord{cmd: 0x08, ver: 0x0200, len: 1024, lbn: 3, ts: 77})) +
			string(vscsi2Record(vscsiRecord{cmd: 0x0a, ver: 0x0201, len: 513, lbn: 4, ts: 177})) +
			string(vscsi2Record(vscsiRecord{cmd: 0x00, ver: 0x0200, len: 0, lbn: 0, ts: 178})),
		recs: []Record{
			timed(rec(0, 0, Read, 3*512, 1024, 0), 0, 3*us),
			timed(rec(40, 100*us, Write, 4*512, 513, 0), 0, 3*us),
		},
		volumes: noVolume,
		skipped: []SkipCount{{"SCSI command 0x00", 1}},
	},
}

// sampleOf is the first sample of a format.
func sampleOf(format string) sample {
	for _, s := range samples {
		if s.format == format {
			return s
		}
	}
	panic("no sample of " + format)
}

// isTextSample says whether a sample is lines.
func (s sample) isText() bool { return formatNamed(s.format).cut == nil }
