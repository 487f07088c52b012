package traces

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
)

// blksim's native format, described in FORMAT.md: a file header, frames, a trailer.
// A frame of records holds a column for each field of Record that is not the same
// default in all of them. A column holds base + unit*k, the k's packed into as few
// bits as the largest needs: reading a value is one load, a shift, a mask and a
// multiplication, whatever its width, and a constant column takes no space at all.
//
// Widths of 57 to 63 bits are not used: a value of at most 56 bits lies within the
// eight bytes that begin at its first bit's byte.

const (
	nativeMagic   = "\x89BLKSIM\n" // not text, and damaged by what mends line ends
	nativeVersion = 1
	nativeHeader  = 16
	frameHeader   = 48
	nativeTrailer = 16

	frameMagic   = 0x72666b62 // "bkfr"
	trailerMagic = 0x646e6b62 // "bknd"

	maxFrameRecords = 1 << 16
	maxFrameBytes   = 16 << 20 // of a frame's payload, packed or not
)

// Kinds of frames.
const (
	frameRecords = 1 // columns of records
	frameNames   = 2 // volumes and processes that later records refer to
	frameNotes   = 3 // lines of text about the whole trace
	frameIndex   = 4 // totals, all names, and where the frames are; the last frame
)

// How a payload is packed.
const (
	packedNot  = 0
	packedZstd = 1
)

// fileOrdered in the file header is the writer's promise that no time of the file
// goes back: a reader needs no window to put it in order.
const fileOrdered = 1

// frameSorted: the times of the frame's records do not go back, nor behind those of
// the frame before.
const frameSorted = 1

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func crc32c(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// frame is a frame's header.
type frame struct {
	kind, packing uint8
	flags         uint16
	stored, raw   uint32 // bytes of the payload, as it stands and unpacked
	count         uint32 // records, names or notes
	sum           uint32 // CRC-32C of the payload as it stands
	first, last   int64  // lowest and highest time of the records, ns
}

func (f *frame) append(b []byte) []byte {
	le := binary.LittleEndian
	at := len(b)
	b = le.AppendUint32(b, frameMagic)
	b = append(b, f.kind, f.packing)
	b = le.AppendUint16(b, f.flags)
	b = le.AppendUint32(b, f.stored)
	b = le.AppendUint32(b, f.raw)
	b = le.AppendUint32(b, f.count)
	b = le.AppendUint32(b, f.sum)
	b = le.AppendUint64(b, uint64(f.first))
	b = le.AppendUint64(b, uint64(f.last))
	b = le.AppendUint32(b, 0)
	return le.AppendUint32(b, crc32c(b[at:]))
}

// parseFrame reads a frame's header; false: it is damaged, or no such header.
func parseFrame(b []byte) (f frame, ok bool) {
	le := binary.LittleEndian
	if len(b) < frameHeader || le.Uint32(b) != frameMagic || le.Uint32(b[44:]) != crc32c(b[:44]) {
		return f, false
	}
	f = frame{kind: b[4], packing: b[5], flags: le.Uint16(b[6:]), stored: le.Uint32(b[8:]), raw: le.Uint32(b[12:]),
		count: le.Uint32(b[16:]), sum: le.Uint32(b[20:]), first: int64(le.Uint64(b[24:])), last: int64(le.Uint64(b[32:]))}
	return f, f.stored <= maxFrameBytes && f.raw <= maxFrameBytes && f.count <= maxFrameRecords
}

// The columns, by their numbers in the file.
const (
	colTime = 1 + iota
	colOffset
	colLength
	colOp
	colCancel
	colIssued
	colCompleted
	colApp
	colVolume
	colProcess
	colStatus
	colFlags

	numColumns = colFlags
)

var columnNames = [numColumns + 1]string{"", "time", "offset", "length", "op", "cancel", "issued", "completed",
	"app", "volume", "process", "status", "flags"}

// columnHeader is the size of a column's description.
const columnHeader = 20

// column describes one column of a frame, and holds its packed values.
type column struct {
	id, bits uint8
	base     int64
	unit     uint64
	data     []byte // and 8 bytes behind it that may be loaded
}

func (c *column) size(count int) int { return (count*int(c.bits) + 7) / 8 }

// defaultOf is the value of a column that a frame does not have.
func defaultOf(id uint8) int64 {
	if id == colCancel {
		return -1
	}
	return 0
}

// unpack sets dst to the values from number first on.
func (c *column) unpack(dst []int64, first int) {
	switch c.bits {
	case 0:
		for i := range dst {
			dst[i] = c.base
		}
	case 8:
		for i, v := range c.data[first : first+len(dst)] {
			dst[i] = c.base + int64(uint64(v)*c.unit)
		}
	case 64:
		for i := range dst {
			dst[i] = c.base + int64(binary.LittleEndian.Uint64(c.data[(first+i)*8:])*c.unit)
		}
	default:
		width, mask := uint(c.bits), uint64(1)<<c.bits-1
		at := uint(first) * width
		data, base, unit := c.data, c.base, c.unit
		for i := range dst {
			v := binary.LittleEndian.Uint64(data[at>>3:]) >> (at & 7) & mask
			dst[i] = base + int64(v*unit)
			at += width
		}
	}
}

// pack describes values as a column and appends them to data.
func pack(id uint8, values []int64, data []byte) (column, []byte) {
	c := column{id: id, base: values[0], unit: 1}
	high := values[0]
	for _, v := range values {
		c.base, high = min(c.base, v), max(high, v)
	}
	if span := uint64(high) - uint64(c.base); span > 0 {
		c.unit = unitOf(values, uint64(c.base), span)
		c.bits = uint8(bits.Len64(span / c.unit))
		if c.bits > 56 {
			c.bits = 64
		}
	}
	var word uint64 // of have bits that are not in data yet
	have := uint8(0)
	for _, v := range values {
		if c.bits == 0 {
			break
		}
		k := (uint64(v) - uint64(c.base)) / c.unit
		if c.bits == 64 {
			data = binary.LittleEndian.AppendUint64(data, k)
			continue
		}
		word |= k << have
		have += c.bits
		for ; have >= 8; have -= 8 {
			data = append(data, byte(word))
			word >>= 8
		}
	}
	if have > 0 {
		data = append(data, byte(word))
	}
	return c, data
}

// unitOf is the greatest common divisor of the distances from base.
func unitOf(values []int64, base, span uint64) uint64 {
	g := span
	for _, v := range values {
		if g == 1 {
			break
		}
		for d := (uint64(v) - base) % g; d != 0; {
			g, d = d, g%d
		}
	}
	return g
}
