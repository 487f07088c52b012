package sched

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"blksim/aio"
	"blksim/aio/lane"
)

func at(op aio.Op, off int64, queued lane.Time) *Entry {
	return &Entry{Op: op, Off: off, Len: 512, Queued: queued}
}

// next takes up to n and returns their offsets.
func next(s Scheduler, now lane.Time, n int) (offs []int64) {
	for range n {
		e := s.Next(now)
		if e == nil {
			break
		}
		offs = append(offs, e.Off)
	}
	return offs
}

func TestNoneKeepsTheOrderOfArrival(t *testing.T) {
	s := New(Config{}, 8)
	for i, off := range []int64{5, 1, 9} {
		s.Add(at(aio.OpRead, off, lane.Time(i)))
	}
	require.Equal(t, []int64{5, 1, 9}, next(s, 0, 9))
}

func TestDeadlineSortsWithinABatch(t *testing.T) {
	s := New(Config{Name: Deadline}, 8)
	for _, off := range []int64{5120, 0, 9216, 3072} {
		s.Add(at(aio.OpRead, off, 0))
	}
	require.Equal(t, []int64{0, 3072, 5120, 9216}, next(s, 1, 9))
}

func TestDeadlinePrefersReadsButDoesNotStarveWrites(t *testing.T) {
	s := New(Config{Name: Deadline, Batch: 2, WritesStarved: 2}, 8)
	for i := range int64(20) {
		s.Add(at(aio.OpRead, i*512, 0))
		s.Add(at(aio.OpWrite, 1<<30+i*512, 0))
	}
	var ops []bool
	for range 12 {
		ops = append(ops, s.Next(1).Op == aio.OpWrite)
	}
	f, w := false, true
	require.Equal(t, []bool{f, f, f, f, w, w, f, f, f, f, w, w}, ops)
}

func TestDeadlineSendsTheExpiredFirst(t *testing.T) {
	s := New(Config{Name: Deadline, Batch: 1, ReadExpire: time.Microsecond}, 8)
	old := at(aio.OpRead, 1<<20, 0)
	s.Add(old)
	s.Add(at(aio.OpRead, 512, 900))
	require.Same(t, old, s.Next(1000))

	s = New(Config{Name: Deadline, Batch: 1, ReadExpire: time.Millisecond}, 8)
	s.Add(at(aio.OpRead, 1<<20, 0))
	s.Add(at(aio.OpRead, 512, 900))
	require.EqualValues(t, 512, s.Next(1000).Off, "it has not expired: they are sorted")
}

func TestKyberGivesNoMoreThanItsTokens(t *testing.T) {
	s := New(Config{Name: Kyber}, 8)
	var out []*Entry
	for i := range int64(20) {
		s.Add(at(aio.OpRead, i, 0))
		s.Add(at(aio.OpWrite, i, 0))
		s.Add(at(aio.OpDiscard, i, 0))
	}
	counts := map[aio.Op]int{}
	for e := s.Next(0); e != nil; e = s.Next(0) {
		counts[e.Op]++
		out = append(out, e)
	}
	require.Equal(t, map[aio.Op]int{aio.OpRead: 8, aio.OpWrite: 4, aio.OpDiscard: 2}, counts)
	s.(Feedback).Done(out[0], time.Microsecond, 1)
	require.Equal(t, out[0].Op, s.Next(1).Op)
	require.Nil(t, s.Next(1))
}

// When reads miss their target, writes, which keep theirs by far, yield; when the
// device is well again they get their tokens back.
func TestKyberFollowsTheLatencies(t *testing.T) {
	k := New(Config{Name: Kyber, ReadTarget: time.Millisecond, WriteTarget: 100 * time.Millisecond, Window: time.Millisecond}, 64).(*kyber)
	window := func(read, write time.Duration, now lane.Time) {
		for range 32 {
			for _, op := range []aio.Op{aio.OpRead, aio.OpWrite} {
				k.Add(at(op, 0, now))
				e := k.Next(now)
				k.Done(e, map[aio.Op]time.Duration{aio.OpRead: read, aio.OpWrite: write}[op], now)
			}
		}
	}
	writes := &k.classes[kyberWrite]
	before := writes.tokens
	now := lane.Time(0)
	for range 5 {
		now += lane.Time(2 * time.Millisecond)
		window(3*time.Millisecond, time.Millisecond, now)
	}
	require.Less(t, writes.tokens, before/4)
	for range 40 {
		now += lane.Time(2 * time.Millisecond)
		window(100*time.Microsecond, time.Millisecond, now)
	}
	require.Equal(t, before, writes.tokens)
}

func TestConfigurationsThatMakeNoSenseAreRefused(t *testing.T) {
	require.EqualError(t, Config{Name: "cfq"}.Validate(), `sched: scheduler "cfq": want none, mq-deadline, kyber`)
	require.Error(t, Config{Batch: -1}.Validate())
	require.Error(t, Config{Window: -1}.Validate())
}

// Whatever is added and removed in whatever order, each scheduler gives each entry
// that is left exactly once, and keeps the tree sorted.
func TestEachSchedulerGivesEachEntryOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(Names()).Draw(t, "name")
		s := New(Config{Name: name, Batch: rapid.IntRange(1, 4).Draw(t, "batch")}, 1<<20)
		var in []*Entry
		now := lane.Time(0)
		done := func(e *Entry) {
			if f, ok := s.(Feedback); ok {
				f.Done(e, 0, now)
			}
			i := slices.Index(in, e)
			if i < 0 {
				t.Fatalf("an entry that is not there")
			}
			in = slices.Delete(in, i, i+1)
		}
		for range rapid.IntRange(0, 120).Draw(t, "steps") {
			now++
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0, 1:
				e := at(aio.Op(rapid.IntRange(0, 4).Draw(t, "op")), rapid.Int64Range(0, 20).Draw(t, "off"), now)
				s.Add(e)
				in = append(in, e)
			case 2:
				if len(in) > 0 {
					e := rapid.SampledFrom(in).Draw(t, "victim")
					s.Remove(e)
					in = slices.Delete(in, slices.Index(in, e), slices.Index(in, e)+1)
				}
			case 3:
				if e := s.Next(now); e != nil {
					done(e)
				} else if len(in) > 0 {
					t.Fatalf("%d entries wait, and none is given", len(in))
				}
			}
		}
		for len(in) > 0 {
			e := s.Next(now)
			if e == nil {
				t.Fatalf("%d entries wait, and none is given", len(in))
			}
			done(e)
		}
		if s.Next(now) != nil {
			t.Fatalf("one too many")
		}
	})
}
