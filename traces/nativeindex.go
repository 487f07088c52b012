package traces

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/klauspost/compress/zstd"
)

// Index is what the end of a native trace says about the whole of it: totals, so that
// nobody needs to read the file for them, and places, so that reading can begin in
// the middle. It is a help and no need: a reader of the whole file checks its count of
// records, and does without the rest.
type Index struct {
	Records     int64
	Ops         [NumOps]int64 // records by op
	Bytes       [NumOps]int64 // of their data
	First, Last int64         // lowest and highest time, ns
	End         int64         // highest offset + length, bytes
	Volumes     []int64       // records by volume
	Names       Names

	every  int // one of so many frames is in frames
	seen   int // frames of records
	frames []frameAt
}

// frameAt is where a frame of records begins.
type frameAt struct {
	off   int64
	first int64 // lowest time in it
	high  int64 // highest time of all frames before it
	line  int64 // records before it
}

// maxIndexFrames bounds the index: beyond it, every second entry is dropped.
const maxIndexFrames = 1 << 16

// count adds the records of a frame.
func (x *Index) count(recs []Record, f *frame) {
	if x.Records == 0 {
		x.First, x.Last = f.first, f.last
	}
	x.First, x.Last = min(x.First, f.first), max(x.Last, f.last)
	for i := range recs {
		r := &recs[i]
		x.Ops[r.Op]++
		x.Bytes[r.Op] = addCapped(x.Bytes[r.Op], r.Length)
		x.End = max(x.End, r.Offset+r.Length)
		for int(r.Volume) >= len(x.Volumes) {
			x.Volumes = append(x.Volumes, 0)
		}
		x.Volumes[r.Volume]++
	}
	x.Records += int64(len(recs))
}

// addCapped is a + b, or the highest number if that is beyond it.
func addCapped(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// frame notes where a frame begins, before count is called for it.
func (x *Index) frame(off int64, f *frame) {
	if x.every == 0 {
		x.every = 1
	}
	if x.seen%x.every == 0 {
		if len(x.frames) == maxIndexFrames {
			x.every *= 2
			for i := range maxIndexFrames / 2 {
				x.frames[i] = x.frames[2*i]
			}
			x.frames = x.frames[:maxIndexFrames/2]
		}
		if x.seen%x.every == 0 {
			high := int64(math.MinInt64)
			if x.seen > 0 {
				high = x.Last
			}
			x.frames = append(x.frames, frameAt{off: off, first: f.first, high: high, line: x.Records})
		}
	}
	x.seen++
}

// at finds where to begin: times may go back within a trace, so what counts is not the
// lowest time of a frame, but the highest of all before it. It is the last frame before which nothing is as young as t, or nil.
func (x *Index) at(t int64) *frameAt {
	var found *frameAt
	for i := range x.frames {
		if x.frames[i].high >= t {
			break
		}
		found = &x.frames[i]
	}
	return found
}

// append writes the index as FORMAT.md describes it.
func (x *Index) append(b []byte) []byte {
	u := func(v int64) { b = binary.LittleEndian.AppendUint64(b, uint64(v)) }
	u(x.Records)
	u(int64(NumOps))
	for i := range NumOps {
		u(x.Ops[i])
		u(x.Bytes[i])
	}
	u(x.First)
	u(x.Last)
	u(x.End)
	u(int64(len(x.Volumes)))
	for _, n := range x.Volumes {
		u(n)
	}
	u(int64(len(x.frames)))
	for _, f := range x.frames {
		u(f.off)
		u(f.first)
		u(f.high)
		u(f.line)
	}
	return appendNames(b, x.Names)
}

var errIndex = errors.New("the index does not add up")

// parse reads what append wrote. Every count is bounded before it is believed.
func (x *Index) parse(b []byte) error {
	short := false
	u := func() int64 {
		if len(b) < 8 {
			short = true
			return 0
		}
		v := binary.LittleEndian.Uint64(b)
		b = b[8:]
		return int64(v)
	}
	x.Records = u()
	if ops := u(); ops != int64(NumOps) {
		return errIndex
	}
	sum := int64(0)
	for i := range NumOps {
		x.Ops[i], x.Bytes[i] = u(), u()
		sum += x.Ops[i]
	}
	x.First, x.Last, x.End = u(), u(), u()
	n := u()
	if short || n < 0 || n > maxVolumes || sum != x.Records {
		return errIndex
	}
	for range n {
		x.Volumes = append(x.Volumes, u())
	}
	if n = u(); short || n < 0 || n > maxIndexFrames {
		return errIndex
	}
	for range n {
		x.frames = append(x.frames, frameAt{u(), u(), u(), u()})
	}
	if short {
		return errIndex
	}
	return parseNames(b, func(volume []byte) error {
		x.Names.Volumes = append(x.Names.Volumes, string(volume))
		return nil
	}, func(p Process) error {
		x.Names.Processes = append(x.Names.Processes, p)
		return nil
	})
}

// parseNames reads what appendNames wrote.
func parseNames(b []byte, volume func([]byte) error, process func(Process) error) error {
	u := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			b = nil
			return math.MaxUint64
		}
		b = b[n:]
		return v
	}
	for len(b) > 0 {
		kind := b[0]
		b = b[1:]
		var pid uint64
		if kind == nameProcess {
			pid = u()
		}
		n := u()
		if kind != nameVolume && kind != nameProcess || pid > math.MaxUint32 || n > maxVolumeName || n > uint64(len(b)) {
			return errors.New("a name that is none")
		}
		name := b[:n]
		b = b[n:]
		var err error
		if kind == nameVolume {
			err = volume(name)
		} else {
			err = process(Process{uint32(pid), string(name)})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ReadIndex reads the index of a native trace of so many bytes, without its records.
func ReadIndex(r io.ReaderAt, size int64) (*Index, error) {
	bad := func(what string) (*Index, error) {
		return nil, fmt.Errorf("traces: index of the native trace: %s: %w", what, ErrCorrupt)
	}
	var tail [nativeTrailer]byte
	if size < nativeHeader+frameHeader+nativeTrailer {
		return nil, fmt.Errorf("traces: index of the native trace: %w", ErrTruncated)
	}
	if _, err := r.ReadAt(tail[:], size-nativeTrailer); err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	at := int64(le.Uint64(tail[:]))
	if le.Uint32(tail[12:]) != trailerMagic || le.Uint32(tail[8:]) != crc32c(tail[:8]) {
		return nil, fmt.Errorf("traces: the native trace has no trailer: %w", ErrTruncated)
	}
	if at < nativeHeader || at > size-nativeTrailer-frameHeader {
		return bad("its place is not in the file")
	}
	b := make([]byte, min(size-nativeTrailer-at, frameHeader+maxFrameBytes))
	if _, err := r.ReadAt(b, at); err != nil {
		return nil, err
	}
	f, ok := parseFrame(b)
	if !ok || f.kind != frameIndex || int(f.stored) > len(b)-frameHeader {
		return bad("no index at its place")
	}
	payload, err := unpackFrame(f, b[frameHeader:frameHeader+int(f.stored)], nil, nil)
	if err != nil {
		return bad(err.Error())
	}
	x := &Index{}
	if err := x.parse(payload); err != nil {
		return bad(err.Error())
	}
	return x, nil
}

// unpackFrame checks the sum of a payload and unpacks it, with a decoder of its own
// if z is nil. The result is b, or out grown.
func unpackFrame(f frame, b []byte, z *zstd.Decoder, out []byte) ([]byte, error) {
	if crc32c(b) != f.sum {
		return nil, errors.New("its checksum does not match")
	}
	switch f.packing {
	case packedNot:
		if f.raw != f.stored {
			return nil, errors.New("its sizes differ")
		}
		return b, nil
	case packedZstd:
		if z == nil {
			var err error
			if z, err = newFrameDecoder(); err != nil {
				return nil, err
			}
			defer z.Close()
		}
		out, err := z.DecodeAll(b, out[:0])
		if err == nil && len(out) != int(f.raw) {
			err = fmt.Errorf("%d bytes unpacked: want %d", len(out), f.raw)
		}
		return out, err
	}
	return nil, fmt.Errorf("packing %d", f.packing)
}

func newFrameDecoder() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxFrameBytes))
}
