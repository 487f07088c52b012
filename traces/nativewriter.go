package traces

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// NativeOptions says how a native trace is written. The zero value packs nothing.
type NativeOptions struct {
	// Zstd packs the frames: smaller by up to a tenth on real traces, slower to read.
	Zstd bool
	// Ordered promises that no time goes back, so that readers need not look ahead;
	// Write refuses a record that breaks it.
	Ordered bool
	// FrameRecords is how many records a frame holds, 1 to 65536; 0 is 8192.
	FrameRecords int
}

const defaultFrameRecords = 8192

// NativeWriter writes blksim's native format, see FORMAT.md, in bounded memory: a
// frame of records, and an index of at most 65,536 entries. It belongs to one
// goroutine at a time. A trace that was not closed is read up to its last whole
// frame, and then as truncated.
type NativeWriter struct {
	w    io.Writer
	opts NativeOptions
	err  error

	off    int64 // bytes written
	recs   []Record
	values []int64
	data   []byte // columns of the frame being made
	out    []byte // the frame as it stands in the file
	zstd   *zstd.Encoder
	names  Names // as far as they are in the file
	last   int64 // highest time in the file
	newest int64 // highest time given to Write
	began  bool
	closed bool
	index  Index
}

// NewNativeWriter returns a writer whose Close makes the file whole. w is written
// to in frames; it is not closed.
func NewNativeWriter(w io.Writer, o NativeOptions) *NativeWriter {
	if o.FrameRecords <= 0 {
		o.FrameRecords = defaultFrameRecords
	}
	o.FrameRecords = min(o.FrameRecords, maxFrameRecords)
	n := &NativeWriter{w: w, opts: o, recs: make([]Record, 0, o.FrameRecords), values: make([]int64, o.FrameRecords)}
	if o.Zstd {
		// Errors are of options only.
		n.zstd, _ = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault))
	}
	return n
}

// Write appends records; names are what their indexes stand for, as Reader.Names
// gives them. A record that the format cannot hold is an error, and nothing is
// written from it on.
func (n *NativeWriter) Write(recs []Record, names Names) error {
	for i := range recs {
		if n.err != nil {
			return n.err
		}
		r := &recs[i]
		if err := checkRecord(r); err != nil {
			n.frame()
			n.err = err
			return err
		}
		if err := n.learn(r, names); err != nil {
			n.err = err
			return err
		}
		if r.Time < n.newest && n.opts.Ordered {
			n.frame()
			n.err = fmt.Errorf("traces: record at %d ns behind one at %d ns in a trace that is to be ordered", r.Time, n.newest)
			return n.err
		}
		n.newest = max(n.newest, r.Time)
		n.recs = append(n.recs, *r)
		if len(n.recs) == n.opts.FrameRecords {
			n.frame()
		}
	}
	return n.err
}

// Note adds lines about the whole trace, such as how it was recorded; readers give
// them in Stats.Notes.
func (n *NativeWriter) Note(text string) error {
	n.frame()
	text = text[:min(len(text), maxLine)]
	n.emit(frame{kind: frameNotes, count: 1}, []byte(text))
	return n.err
}

// Close writes what is left and the index.
func (n *NativeWriter) Close() error {
	if n.closed {
		return n.err
	}
	n.closed = true
	n.frame()
	n.begin()
	at := n.off
	n.index.Names = n.names
	n.emit(frame{kind: frameIndex, count: 1, first: n.index.First, last: n.index.Last}, n.index.append(nil))
	le := binary.LittleEndian
	b := le.AppendUint64(nil, uint64(at))
	b = le.AppendUint32(b, crc32c(b))
	n.put(le.AppendUint32(b, trailerMagic))
	if n.zstd != nil {
		n.zstd.Close()
	}
	return n.err
}

// learn writes the names that r refers to before r's own frame is.
func (n *NativeWriter) learn(r *Record, names Names) error {
	if int(r.Volume) >= len(n.names.Volumes) {
		if int(r.Volume) >= len(names.Volumes) && !(r.Volume == 0 && len(names.Volumes) == 0) {
			return fmt.Errorf("traces: record of volume %d of %d", r.Volume, len(names.Volumes))
		}
		n.addNames(names)
	}
	if r.Process > 0 && int(r.Process) >= len(n.names.Processes) {
		if int(r.Process) >= len(names.Processes) {
			return fmt.Errorf("traces: record of process %d of %d", r.Process, len(names.Processes))
		}
		n.addNames(names)
	}
	return nil
}

// addNames writes the names that are new.
func (n *NativeWriter) addNames(names Names) {
	if len(names.Volumes) == 0 {
		names.Volumes = []string{""}
	}
	if len(n.names.Processes) == 0 {
		n.names.Processes = []Process{{}}
	}
	n.frame() // the frames before do not need them, but their order is the file's
	fresh := Names{Volumes: names.Volumes[len(n.names.Volumes):]}
	if k := len(n.names.Processes); len(names.Processes) > k {
		fresh.Processes = names.Processes[k:]
	}
	n.names.Volumes = append(n.names.Volumes, fresh.Volumes...)
	n.names.Processes = append(n.names.Processes, fresh.Processes...)
	for len(fresh.Volumes)+len(fresh.Processes) > 0 {
		var part Names
		const most = 4096 // in one frame
		part.Volumes, fresh.Volumes = fresh.Volumes[:min(most, len(fresh.Volumes))], fresh.Volumes[min(most, len(fresh.Volumes)):]
		part.Processes, fresh.Processes = fresh.Processes[:min(most, len(fresh.Processes))], fresh.Processes[min(most, len(fresh.Processes)):]
		n.emit(frame{kind: frameNames, count: uint32(len(part.Volumes) + len(part.Processes))}, appendNames(nil, part))
	}
}

// appendNames writes each name as its kind, a process's pid, a length, and bytes.
func appendNames(b []byte, names Names) []byte {
	for _, v := range names.Volumes {
		b = append(b, nameVolume)
		b = binary.AppendUvarint(b, uint64(len(v)))
		b = append(b, v...)
	}
	for _, p := range names.Processes {
		b = append(b, nameProcess)
		b = binary.AppendUvarint(b, uint64(p.PID))
		b = binary.AppendUvarint(b, uint64(len(p.Name)))
		b = append(b, p.Name...)
	}
	return b
}

const (
	nameVolume  = 1
	nameProcess = 2
)

// frame writes the records that are kept as a frame.
func (n *NativeWriter) frame() {
	if len(n.recs) == 0 || n.err != nil {
		return
	}
	f := frame{kind: frameRecords, flags: frameSorted, count: uint32(len(n.recs)), first: n.recs[0].Time, last: n.recs[0].Time}
	before := n.last
	for i := range n.recs {
		t := n.recs[i].Time
		if t < before {
			f.flags &^= frameSorted
		}
		before = t
		f.first, f.last = min(f.first, t), max(f.last, t)
	}
	n.last = max(n.last, f.last)
	n.begin()
	n.index.frame(n.off, &f)
	n.index.count(n.recs, &f)
	n.emit(f, n.columns())
	n.recs = n.recs[:0]
}

// columns makes the payload of the records.
func (n *NativeWriter) columns() []byte {
	values := n.values[:len(n.recs)]
	head := []byte{0}
	n.data = n.data[:0]
	for id := uint8(1); id <= numColumns; id++ {
		gather(values, n.recs, id)
		var c column
		start := len(n.data)
		if c, n.data = pack(id, values, n.data); c.bits == 0 && c.base == defaultOf(id) {
			n.data = n.data[:start]
			continue
		}
		head[0]++
		head = append(head, id, c.bits, 0, 0)
		head = binary.LittleEndian.AppendUint64(head, uint64(c.base))
		head = binary.LittleEndian.AppendUint64(head, c.unit)
	}
	return append(head, n.data...)
}

// gather sets dst to one field of each record, as its column holds it.
func gather(dst []int64, recs []Record, id uint8) {
	for i := range dst {
		r := &recs[i]
		switch id {
		case colTime:
			dst[i] = r.Time
		case colOffset:
			dst[i] = r.Offset
		case colLength:
			dst[i] = r.Length
		case colOp:
			dst[i] = int64(r.Op)
		case colCancel:
			dst[i] = max(r.CancelAfter, -1)
		case colIssued:
			dst[i] = r.Issued
		case colCompleted:
			dst[i] = r.Completed
		case colApp:
			dst[i] = int64(r.App)
		case colVolume:
			dst[i] = int64(r.Volume)
		case colProcess:
			dst[i] = int64(r.Process)
		case colStatus:
			dst[i] = int64(r.Status)
		case colFlags:
			dst[i] = int64(r.Flags)
		}
	}
}

// begin writes the file header, once.
func (n *NativeWriter) begin() {
	if n.began {
		return
	}
	n.began = true
	b := append([]byte(nativeMagic), nativeVersion, 0, 0, 0)
	if n.opts.Ordered {
		b[10] = fileOrdered
	}
	n.put(binary.LittleEndian.AppendUint32(b, crc32c(b)))
}

// emit writes a frame with its payload, packed if that makes it smaller.
func (n *NativeWriter) emit(f frame, payload []byte) {
	n.begin()
	f.raw = uint32(len(payload))
	n.out = append(n.out[:0], make([]byte, frameHeader)...)
	if n.zstd != nil {
		if n.out = n.zstd.EncodeAll(payload, n.out); len(n.out)-frameHeader < len(payload) {
			f.packing = packedZstd
		}
	}
	if f.packing == packedNot {
		n.out = append(n.out[:frameHeader], payload...)
	}
	f.stored = uint32(len(n.out) - frameHeader)
	f.sum = crc32c(n.out[frameHeader:])
	f.append(n.out[:0])
	n.put(n.out)
}

// put writes bytes to the file; behind an error nothing is written any more.
func (n *NativeWriter) put(b []byte) {
	if n.err != nil {
		return
	}
	_, n.err = n.w.Write(b)
	n.off += int64(len(b))
}
