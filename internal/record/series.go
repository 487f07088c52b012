package record

import (
	"math/bits"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/internal/replay"
)

const (
	// MaxIntervals is how many intervals a Series has at the most. A run that is
	// long enough has at least half as many.
	MaxIntervals = 512

	// firstWidth is the width of an interval until the run gets too long for it.
	firstWidth lane.Time = 16_000

	// subSlots are the parts of an interval in which the device was or was not
	// seen busy.
	subSlots = 64

	// bandBits: a band of latency is a quarter of a power of two, so its middle
	// is within 12 % of its values.
	bandBits = 2

	// Bands is how many bands of latency there are: up to 2^40 ns, 18 minutes.
	Bands = 40 << bandBits
)

// Kinds of operations that an interval tells apart.
const (
	Reads = iota
	Writes
	Others
	Kinds
)

// Interval is what happened in one interval. I/Os count where they ended.
type Interval struct {
	Completed [Kinds]int64
	Bytes     [Kinds]int64 // of those
	Skipped   int64        // cancelled before dispatch
	Aborted   int64        // cancelled in the device
	TooLate   int64        // completed, although a cancel had been accepted
	Failed    int64
	MaxNs     int64         // latency of the slowest of the completed
	Heat      [Bands]uint32 // of the completed ones, by latency

	inFlight, inDevice area
	busy               uint64 // sub-slots in which the device had something
}

// area is a number of I/Os integrated over an interval, I/O x ns. What I/Os that
// lie over whole intervals add is in steps until it is settled: steps is how much
// greater the number of such I/Os is here than in the interval before.
type area struct {
	ns    int64
	steps int64
}

// Series is what happened when. Its intervals are of one width, which doubles,
// and each two become one, when a run gets longer than MaxIntervals of them.
type Series struct {
	width lane.Time
	used  int // intervals up to the last in which something was
	all   []Interval
}

// NewSeries makes an empty one.
func NewSeries() *Series {
	return &Series{width: firstWidth, all: make([]Interval, MaxIntervals)}
}

// Width is the width of an interval, nanoseconds.
func (s *Series) Width() int64 { return int64(s.width) }

// Add counts an I/O.
func (s *Series) Add(io *replay.IO) {
	for io.Ended >= s.width*MaxIntervals {
		s.double()
	}
	at := int(io.Ended / s.width)
	s.used = max(s.used, at+1)
	v := &s.all[at]
	switch {
	case io.Status == aio.OK:
		kind := min(int(io.Op), Others)
		v.Completed[kind]++
		v.Bytes[kind] += io.N
		latency := int64(io.Ended - io.Due)
		v.MaxNs = max(v.MaxNs, latency)
		v.Heat[bandOf(latency)]++
		if io.Asked != replay.NoTime {
			v.TooLate++
		}
	case io.Status == aio.Cancelled && io.Started():
		v.Aborted++
	case io.Status == aio.Cancelled:
		v.Skipped++
	default:
		v.Failed++
	}
	s.cover(io.Submitted, io.Ended, func(v *Interval) *area { return &v.inFlight })
	if io.Started() && io.Returned != replay.NoTime {
		s.cover(io.Dispatched, io.Returned, func(v *Interval) *area { return &v.inDevice })
		s.mark(io.Dispatched, io.Returned)
	}
}

// cover adds one I/O to an area, from from to to. The first and the last interval
// get their parts at once; those between get a step up and a step down, however
// many they are, so that an I/O that took long costs no more than a short one.
func (s *Series) cover(from, to lane.Time, of func(v *Interval) *area) {
	a, b := int(from/s.width), int(to/s.width)
	if a == b {
		of(&s.all[a]).ns += int64(to - from)
		return
	}
	of(&s.all[a]).ns += int64(lane.Time(a+1)*s.width - from)
	of(&s.all[b]).ns += int64(to - lane.Time(b)*s.width)
	of(&s.all[a+1]).steps++
	of(&s.all[b]).steps--
}

// mark notes that the device was busy; whole intervals are told by the steps.
func (s *Series) mark(from, to lane.Time) {
	a, b := int(from/s.width), int(to/s.width)
	slot := func(t lane.Time) uint { return uint(t % s.width * subSlots / s.width) }
	after, before := ^uint64(0)<<slot(from), ^uint64(0)>>(subSlots-1-slot(to))
	if a == b {
		s.all[a].busy |= after & before
		return
	}
	s.all[a].busy |= after
	s.all[b].busy |= before
}

// settle turns the steps into areas.
func (s *Series) settle() {
	var flight, device int64
	for i := range s.all {
		v := &s.all[i]
		flight += v.inFlight.steps
		device += v.inDevice.steps
		v.inFlight = area{ns: v.inFlight.ns + flight*int64(s.width)}
		v.inDevice = area{ns: v.inDevice.ns + device*int64(s.width)}
		if device > 0 {
			v.busy = ^uint64(0)
		}
	}
}

// double makes one interval of each two.
func (s *Series) double() {
	s.settle()
	for i := range MaxIntervals / 2 {
		v := s.all[2*i]
		v.add(&s.all[2*i+1])
		v.busy = pairs(s.all[2*i].busy) | pairs(s.all[2*i+1].busy)<<(subSlots/2)
		s.all[i] = v
	}
	clear(s.all[MaxIntervals/2:])
	s.width *= 2
	s.used = (s.used + 1) / 2
}

// pairs makes one bit of each two, set if either is, in the low half.
func pairs(x uint64) uint64 {
	var y uint64
	for i := range uint(subSlots / 2) {
		if x>>(2*i)&3 != 0 {
			y |= 1 << i
		}
	}
	return y
}

func (v *Interval) add(o *Interval) {
	for k := range Kinds {
		v.Completed[k] += o.Completed[k]
		v.Bytes[k] += o.Bytes[k]
	}
	v.Skipped += o.Skipped
	v.Aborted += o.Aborted
	v.TooLate += o.TooLate
	v.Failed += o.Failed
	v.MaxNs = max(v.MaxNs, o.MaxNs)
	for i, n := range o.Heat {
		v.Heat[i] += n
	}
	v.inFlight.ns += o.inFlight.ns
	v.inDevice.ns += o.inDevice.ns
	v.busy |= o.busy
}

// Merge adds what o has, of another lane of the same run. It changes o's width.
func (s *Series) Merge(o *Series) {
	for s.width < o.width {
		s.double()
	}
	for o.width < s.width {
		o.double()
	}
	s.settle()
	o.settle()
	for i := range s.all {
		s.all[i].add(&o.all[i])
	}
	s.used = max(s.used, o.used)
}

// Intervals lists the intervals up to the last in which something ended.
func (s *Series) Intervals() []Interval {
	s.settle()
	return s.all[:s.used]
}

// InFlight is the mean number of I/Os submitted and not ended.
func (v *Interval) InFlight(width int64) float64 { return float64(v.inFlight.ns) / float64(width) }

// InDevice is the mean number of I/Os that the device had.
func (v *Interval) InDevice(width int64) float64 { return float64(v.inDevice.ns) / float64(width) }

// Busy is the share of the interval in which the device had an I/O: seen in 64
// parts, and so rather too high, but never more than the time of the I/Os.
func (v *Interval) Busy(width int64) float64 {
	return min(float64(bits.OnesCount64(v.busy))/subSlots, v.InDevice(width))
}

// bandOf is the band of a latency.
func bandOf(ns int64) int {
	if ns < 1<<bandBits {
		return int(max(ns, 0))
	}
	top := bits.Len64(uint64(ns)) - 1
	return min((top-bandBits+1)<<bandBits+int(ns>>(top-bandBits))&(1<<bandBits-1), Bands-1)
}

// BandFrom is the least latency of a band, nanoseconds.
func BandFrom(i int) int64 {
	if i < 1<<bandBits {
		return int64(i)
	}
	octave := i>>bandBits - 1
	return int64(1<<bandBits+i&(1<<bandBits-1)) << octave
}

// Percentile is the latency at so many percent of the completed I/Os, by nearest
// rank: the middle of its band, but not more than the greatest. 0 without any.
func (v *Interval) Percentile(percent int64) int64 {
	var count int64
	for _, n := range v.Heat {
		count += int64(n)
	}
	if count == 0 {
		return 0
	}
	rank, seen := max((count*percent+99)/100, 1), int64(0)
	for i, n := range v.Heat {
		if seen += int64(n); seen >= rank {
			return min((BandFrom(i)+BandFrom(i+1))/2, v.MaxNs)
		}
	}
	return v.MaxNs
}
