package traces

import (
	"fmt"
	"math"
)

// A frame whose checksum is right was written as it stands, not by a writer that
// keeps the rules: its values are checked like those of any other format, before any
// of its records is given.

// column is the frame's column with this number, or its default.
func (p *native) column(id uint8) column {
	for _, c := range p.cols[:p.n] {
		if c.id == id {
			return c
		}
	}
	return column{id: id, base: defaultOf(id), unit: 1}
}

// limits are the lowest and highest value that a column may hold.
func (p *native) limits(id uint8) (low, high int64) {
	switch id {
	case colOp:
		return 0, int64(NumOps) - 1
	case colCancel:
		return -1, math.MaxInt64
	case colApp:
		return math.MinInt64, math.MaxInt64
	case colVolume:
		return 0, int64(len(p.s.vols.names)) - 1
	case colProcess:
		return 0, max(0, int64(len(p.s.procs.list))-1)
	case colStatus:
		return 0, math.MaxUint16
	case colFlags:
		return 0, int64(allFlags)
	}
	return 0, math.MaxInt64
}

// check says what is wrong with the frame's values. Most columns are seen to be
// good by their base, unit and width alone.
func (p *native) check() (field, value, want string) {
	for id := uint8(1); id <= numColumns; id++ {
		c := p.column(id)
		low, high := p.limits(id)
		if top, ok := c.top(); ok && c.base >= low && top <= high {
			continue
		}
		if v, bad := p.find(c, func(i int, v int64) bool { return v < low || v > high }); bad {
			return columnNames[id], fmt.Sprint(v), fmt.Sprintf("%d to %d", low, high)
		}
	}
	length, offset, op := p.column(colLength), p.column(colOffset), p.column(colOp)
	if length.base == 0 || length.unit >= 1<<63 {
		var ops [1]int64
		if v, bad := p.find(length, func(i int, v int64) bool {
			op.unpack(ops[:], i)
			return v == 0 && Op(ops[0]) != Flush
		}); bad {
			return "length", fmt.Sprint(v), "more than 0"
		}
	}
	a, ok1 := offset.top()
	b, ok2 := length.top()
	if !ok1 || !ok2 || a > math.MaxInt64-b {
		var lengths [1]int64
		if v, bad := p.find(offset, func(i int, v int64) bool {
			length.unpack(lengths[:], i)
			return v > math.MaxInt64-lengths[0]
		}); bad {
			return "offset", fmt.Sprint(v), wantInRange
		}
	}
	if p.f.flags&frameSorted != 0 {
		before := p.f.first
		if v, bad := p.find(p.column(colTime), func(i int, v int64) bool {
			ok := v >= before && v <= p.f.last
			before = v
			return !ok
		}); bad {
			return "time", fmt.Sprint(v), "times in order, within those of the frame's header"
		}
	}
	return "", "", ""
}

// top is the highest value that the column's width allows; false: it may wrap.
func (c *column) top() (int64, bool) {
	if c.bits > 56 {
		return 0, false
	}
	k := uint64(1)<<c.bits - 1
	if k > 0 && c.unit > math.MaxInt64/k {
		return 0, false
	}
	span := int64(k * c.unit)
	if c.base > math.MaxInt64-span {
		return 0, false
	}
	return c.base + span, true
}

// find is the first value that bad answers true for.
func (p *native) find(c column, bad func(i int, v int64) bool) (int64, bool) {
	var chunk [256]int64
	for i := 0; i < int(p.f.count); i += len(chunk) {
		part := chunk[:min(len(chunk), int(p.f.count)-i)]
		c.unpack(part, i)
		for j, v := range part {
			if bad(i+j, v) {
				return v, true
			}
		}
	}
	return 0, false
}
