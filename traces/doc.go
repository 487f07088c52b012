// Package traces reads block I/O traces of many origins as one stream of
// [Record], writes those that can hold one, and generates traces from a seed.
//
// [Open] and [NewReader] find the format by content (never by the file's name),
// unwrap gzip, zstd and bzip2, and give a [Reader]: batches of records, bounded memory
// whatever the length, no allocation per record. Options.Format overrides the
// detection; [Reader.Why] says what it saw.
//
//	format        a record                                           time       position, size  source
//	blksim        TIME OP OFFSET LENGTH [NAME=VALUE ...]             s, 9 dec.  bytes, bytes    FORMAT.md
//	native        binary: frames of columns of all fields            ns         bytes, bytes    FORMAT.md
//	msr           Timestamp,Hostname,DiskNumber,Type,Offset,Size,RT  100 ns     bytes, bytes    MSR Cambridge [1]
//	spc           ASU,LBA,Size,Opcode,Timestamp[,...]                s, dec.    blocks, bytes   SPC trace file format 1.0.1 [2]
//	blkparse      maj,min cpu seq time pid action rwbs sector + n    s, dec.    512 B, 512 B    blkparse(1) [3]
//	blktrace      binary: 48 or 64 bytes and a pdu, either endian    ns         512 B, bytes    blktrace_api.h of Linux [3]
//	btrecord      binary: bunches of packets                         ns         512 B, bytes    btrecord(8) [3]
//	mqsim         time device lsa sectors type                       ns         512 B, 512 B    MQSim, SSDsim, FlashSim [4]
//	disksim       time devno blkno bcount flags                      ms, dec.   512 B, 512 B    DiskSim 4.0 ascii [5]
//	blkreplay     start ; sector ; length ; op ; delay ; duration    s, dec.    512 B, 512 B    blkreplay .load [6]
//	vscsi1        binary, 32 bytes: sn len nSG cmd ver lbn ts        us         512 B, bytes    CloudPhysics [7]
//	vscsi2        binary, 40 bytes: cmd ver sn len nSG lbn ts rt     us         512 B, bytes    CloudPhysics [7]
//	alibaba       device_id,opcode,offset,length,timestamp           us         bytes, bytes    Alibaba block traces [9]
//	tencent       Timestamp,Offset,Size,IOType,VolumeID              s          512 B, 512 B    Tencent CBS [10]
//	systor        Timestamp,Response,IOType,LUN,Offset,Size          s, dec.    bytes, bytes    SYSTOR '17 [11]
//	fiu           ts pid process lba size op major minor md5         ns         512 B, 512 B    FIU IODedup [12]
//	cloudphysics  version,time,op,size,lbn                           s          512 B, bytes    libCacheSim's CSV [7]
//	fio1          rw,offset,length                                   none       bytes, bytes    fio's old iolog [8]
//	fio2          file action [offset length]                        wait: us   bytes, bytes    fio(1), trace file v2 [8]
//	fio3          time file action [offset length]                   us         bytes, bytes    fio(1), trace file v3 [8]
//	csv           any columns, after Options.Columns                 any        any             the user
//
// [1] https://iotta.snia.org/traces/block-io/388
// [2] https://skuld.cs.umass.edu/traces/storage/SPC-Traces.pdf
// [3] https://git.kernel.org/pub/scm/linux/kernel/git/axboe/blktrace.git
// [4] https://github.com/CMU-SAFARI/MQSim
// [5] https://github.com/westerndigitalcorporation/DiskSim
// [6] https://github.com/schoebel/blkreplay
// [7] https://github.com/1a1a11a/libCacheSim
// [8] https://fio.readthedocs.io/en/latest/fio_doc.html#trace-file-format
// [9] https://github.com/alibaba/block-traces
// [10] "Tencent Block Storage" in SNIA's IOTTA repository
// [11] "SYSTOR '17" (Lee et al.) in SNIA's IOTTA repository
// [12] "FIU IODedup" (Koller, Rangaswami) in SNIA's IOTTA repository
//
// # Times
//
// A Record's Time is in nanoseconds from the first record of the trace (of any
// volume, so that runs of single volumes line up); blksim's own format keeps the
// zero that is written in it. Under [Sort] times never go back; under [AsIs] they
// do what the file does, and may be negative.
//
// # Nothing lost in silence
//
// At the end of the stream, also when it ends with an error,
//
//	Stats.In == Stats.Delivered + Stats.SkippedTotal() + Stats.Rejected
//
// Headers, comments, blank lines, closing summaries and fio's add, open and close
// are not records. A line that cannot be read is one: an [*Error] that says where it
// is and what was wanted. So is, in every format, a read, write, discard or
// write-zeroes of size 0; what a format lets stand without an extent (blkparse's
// "N 0", a SCSI command that is no I/O) is skipped with its reason, and a flush needs
// none. A bad record ends the stream under [Stop], and is counted under [Skip].
// Input that breaks off (a cut gzip or zstd stream, bytes left over behind the last
// whole binary record, a last line that is bad and has no newline) gives every
// record before it and then an error that is [ErrTruncated].
//
// # What runs where
//
// A Reader starts no goroutine and belongs to one goroutine at a time. It holds a
// buffer of 128 KiB (of a long native frame's size, at most 16 MiB), the reordering
// window (at most Options.WindowRecords records of 80 bytes, 64 Ki by default), the
// names of at most 65,536 volumes and processes, at most 65,536 I/Os of an event trace
// that wait for their completion, and what the decompressor needs (zstd: a window of
// up to 32 MiB; larger ones are refused).
package traces
