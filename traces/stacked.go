package traces

import (
	"fmt"
	"sort"
	"time"
)

// stacked finds I/Os that were logged twice, once by a device and some 10 to 30 us
// later by the one beneath it: md, device mapper, loop or a partition over a disk.
// A copy has the op and the length of an I/O at most stackedGap older. On the same
// volume it has its offset too; on another one the offset is shifted by the same
// distance in all copies.
//
// Two I/Os alike are not yet a stack: what counts is the share of a volume's records
// that are copies, in the first stackedSample of the trace.
type stacked struct {
	recent  [stackedRecent]recentIO
	next    int
	seen    int
	total   map[uint32]int // records by volume
	counts  map[stackedKey]int
	learned map[stackedKey]bool
	told    []string // what was found
}

const (
	stackedGap     = int64(100 * time.Microsecond)
	stackedSample  = 4096
	stackedRecent  = 32
	stackedLeast   = 16   // copies
	stackedKeys    = 4096 // bounds the memory of counts
	stackedShare   = 40   // per cent of the lower volume's records
	stackedSameVol = 25   // per cent, where both are of one volume: half are copies at most
)

type recentIO struct {
	time, offset, length int64
	volume               uint32
	op                   Op
	copied, used         bool
}

// stackedKey is a volume over another, and by how much offsets are shifted.
type stackedKey struct {
	over, under uint32
	shift       int64
}

func newStacked() *stacked {
	return &stacked{total: map[uint32]int{}, counts: map[stackedKey]int{}}
}

// see looks at the next record, and says whether it is a copy, once learn was called.
func (s *stacked) see(r *Record) bool {
	if r.Length == 0 {
		return false
	}
	isCopy := false
	for k := range s.recent {
		e := &s.recent[(s.next-1-k+2*stackedRecent)%stackedRecent]
		if !e.used || r.Time-e.time > stackedGap {
			break
		}
		if e.op != r.Op || e.length != r.Length || e.copied {
			continue
		}
		key := stackedKey{e.volume, r.Volume, r.Offset - e.offset}
		if r.Time == e.time || e.volume == r.Volume && key.shift != 0 {
			continue // of one moment: a mirror's writes, say
		}
		if s.learned == nil {
			if _, ok := s.counts[key]; ok || len(s.counts) < stackedKeys {
				s.counts[key]++
			}
		} else if s.learned[key] {
			e.copied, isCopy = true, true
			break
		}
	}
	if s.learned == nil {
		s.seen++
		s.total[r.Volume]++
	}
	// A copy stays among the recent ones: it may have a copy of its own below it.
	s.recent[s.next] = recentIO{time: r.Time, offset: r.Offset, length: r.Length, volume: r.Volume, op: r.Op, used: true}
	s.next = (s.next + 1) % stackedRecent
	return isCopy
}

// learn decides which volumes are stacked.
func (s *stacked) learn(names []string) {
	s.learned = map[stackedKey]bool{}
	s.recent, s.next = [stackedRecent]recentIO{}, 0
	for key, n := range s.counts {
		share := stackedShare
		if key.over == key.under {
			share = stackedSameVol
		}
		if n < stackedLeast || n*100 < share*s.total[key.under] {
			continue
		}
		s.learned[key] = true
		of := fmt.Sprintf("volume %q repeat one of volume %q, %d bytes on,", names[key.under], names[key.over], key.shift)
		if key.over == key.under {
			of = "the trace repeat one before them"
			if names[key.under] != "" {
				of = fmt.Sprintf("volume %q repeat one before them", names[key.under])
			}
		}
		s.told = append(s.told, fmt.Sprintf("%d %% of the first records of %s within %v: stacked devices logged them twice; the option dedup-stacked keeps one of each",
			n*100/s.total[key.under], of, time.Duration(stackedGap)))
	}
	sort.Strings(s.told) // a map has no order
	s.counts = nil
}
