package load

import (
	"fmt"
	"io"
	"time"

	"blksim/internal/replay"
	"blksim/sim"
	"blksim/traces"
)

// source makes the records of one clone of a job.
type source struct {
	job     Job
	from    int64 // of the region
	size    int64 // of the region, bytes; a multiple of align
	align   int64
	at      PerOp[int64] // where the next sequential I/O of each operation goes
	due     PerOp[time.Duration]
	left    int64  // bytes to do; -1: no end
	number  uint64 // I/Os to do; 0: no end but left
	line    int64  // I/Os made
	writes  uint   // since the last flush
	places  *places
	ops     *sim.Rand
	sizes   *sim.Rand
	time    *sim.Rand
	verify  *verifier // nil: nothing is verified
	reading bool      // the pass that reads back what was written
}

// newSource makes the source of clone i, on a device of so many bytes.
func newSource(j Job, clone int, capacity int64, seed uint64, v *verifier) (*source, error) {
	s := &source{job: j, align: j.align(), number: j.Number, verify: v}
	s.from = j.Offset.of(capacity) + int64(clone)*j.Increment
	s.from -= s.from % s.align
	s.size = j.Size.of(capacity)
	if s.from >= capacity {
		return nil, fmt.Errorf("job %s: offset %d: the device has %d bytes", j.Name, s.from, capacity)
	}
	if s.size == 0 {
		s.size = capacity - s.from
	}
	s.size -= s.size % s.align
	longest := s.longest()
	switch {
	case s.from < 0 || s.size < 0 || s.from > capacity-s.size:
		return nil, fmt.Errorf("job %s: offset %d and size %d: the device has %d bytes", j.Name, s.from, s.size, capacity)
	case s.size < longest:
		return nil, fmt.Errorf("job %s: size %d: its I/Os have up to %d bytes", j.Name, s.size, longest)
	}
	s.left = j.IOSize
	if s.left == 0 {
		s.left = s.size * int64(j.Loops)
	}
	// A job that says nothing of its length ends by the runtime alone.
	if j.TimeBased || j.IOSize == 0 && j.Size == (Extent{}) && (j.Number > 0 || j.Loops == 1) {
		s.left = -1
	}
	purpose := func(what string) *sim.Rand {
		return sim.NewRand(seed, fmt.Sprintf("load/%s/%d/%s", j.Name, clone, what))
	}
	s.ops, s.sizes, s.time = purpose("op"), purpose("size"), purpose("time")
	s.places = newPlaces(j.Where, uint64((s.size-longest)/s.align+1), j.NoRandomMap || !s.oneSize(), purpose("offset"))
	return s, nil
}

// longest is the longest I/O of the job, bytes.
func (s *source) longest() int64 {
	n := int64(0)
	for op, has := range s.job.Pattern.Ops {
		if !has {
			continue
		}
		if len(s.job.Split[op]) == 0 {
			n = max(n, s.job.Block[op].Max)
		}
		for _, share := range s.job.Split[op] {
			n = max(n, share.Bytes)
		}
	}
	return n
}

// oneSize says whether all I/Os are of one size and lie side by side, so that a
// random map can cover the region.
func (s *source) oneSize() bool { return s.longest() == s.job.least() && s.align == s.longest() }

var _ replay.Expirer = (*source)(nil)

// Read is as traces.Reader.Read. It makes few at a time, since what it has made
// when the run ends was for nothing.
func (s *source) Read(recs []traces.Record) (int, error) {
	if s.reading {
		return s.readBack(recs)
	}
	n := 0
	for n < len(recs) && !s.done() {
		n += s.make(recs[n:])
	}
	if n > 0 || !s.done() {
		return n, nil
	}
	if s.verify != nil && s.job.DoVerify && s.job.Pattern.Ops[write] {
		s.reading = true
		return 0, replay.ErrPause
	}
	return 0, io.EOF
}

// Expire is as in replay.Expirer: what was written is read back all the same.
func (s *source) Expire() (drop, on bool) {
	if s.verify == nil || !s.job.DoVerify || !s.job.Pattern.Ops[write] {
		return false, false
	}
	s.left, s.number = 0, 0
	return !s.reading, true
}

func (s *source) done() bool {
	return s.left == 0 || s.number > 0 && uint64(s.line) >= s.number
}

// make makes the next I/O, and the flush after it if one is due and there is
// room for it.
func (s *source) make(recs []traces.Record) int {
	op := s.op()
	length := s.length(op)
	if s.left > 0 {
		length = min(length, s.left)
		s.left -= length
	}
	s.line++
	r := traces.Record{Time: int64(s.due[op]), Offset: s.from + s.offset(op, length), Length: length,
		CancelAfter: -1, Line: s.line, Op: [3]traces.Op{traces.Read, traces.Write, traces.Discard}[op]}
	s.advance(op, length)
	recs[0] = r
	if op != write || s.job.Fsync == 0 {
		return 1
	}
	if s.writes++; s.writes < s.job.Fsync || len(recs) < 2 {
		return 1
	}
	s.writes = 0
	recs[1] = traces.Record{Time: r.Time, CancelAfter: -1, Line: s.line, Op: traces.Flush}
	return 2
}

// op decides what the next I/O does.
func (s *source) op() int {
	ops := s.job.Pattern.Ops
	switch {
	case !s.job.mixed():
		for op, has := range ops {
			if has {
				return op
			}
		}
	case s.job.rated(): // whichever is due first
		if s.due[write] < s.due[read] {
			return write
		}
		return read
	case s.ops.Uint64N(100) < uint64(s.job.Mix):
		return read
	}
	return write
}

// length decides how long it is.
func (s *source) length(op int) int64 {
	if split := s.job.Split[op]; len(split) > 0 {
		roll := uint(s.sizes.IntN(100))
		for _, share := range split {
			if roll < share.Percent {
				return share.Bytes
			}
			roll -= share.Percent
		}
	}
	b := s.job.Block[op]
	if b.Min == b.Max {
		return b.Min
	}
	return b.Min + s.sizes.Int64N((b.Max-b.Min)/b.Min+1)*b.Min
}

// offset decides where it is, counted from the region's begin.
func (s *source) offset(op int, length int64) int64 {
	random := s.job.Pattern.Random
	if random && s.job.PercentRandom < 100 {
		random = s.ops.Uint64N(100) < uint64(s.job.PercentRandom)
	}
	at := s.at[op]
	if random {
		at = int64(s.places.draw()) * s.align
	} else if at > s.size-length {
		at = 0
	}
	s.at[op] = at + (length+s.align-1)/s.align*s.align
	return at
}

// advance decides when the next I/O of op is due.
func (s *source) advance(op int, length int64) {
	var gap time.Duration
	switch iops, rate := s.job.RateIOPS[op], s.job.Rate[op]; {
	case iops > 0:
		gap = perSecond(1, int64(iops))
	case rate > 0:
		gap = perSecond(length, rate)
	default:
		return
	}
	if s.job.Poisson {
		gap = s.time.Exp(gap)
	}
	s.due[op] += gap
}

// perSecond is how long n take at so many a second.
func perSecond(n, rate int64) time.Duration {
	return time.Duration(n/rate)*time.Second + time.Duration(float64(n%rate)/float64(rate)*1e9+0.5)
}

// readBack reads what was written, in the order of offsets.
func (s *source) readBack(recs []traces.Record) (int, error) {
	n := 0
	for n < len(recs) {
		off, length := s.verify.nextWritten(s.job.least())
		if length == 0 {
			break
		}
		s.line++
		recs[n] = traces.Record{Offset: off, Length: length, CancelAfter: -1, Line: s.line, Op: traces.Read}
		if s.job.rated() {
			recs[n].Time = int64(s.due[write])
			s.advance(write, length)
		}
		n++
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}
