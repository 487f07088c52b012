package aio

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio/lane"
)

// stress is real lanes that submit, complete for each other, and are cancelled by
// everybody.
type stress struct {
	t      *testing.T
	c      *Context
	lanes  []lane.Lane
	total  uint64
	next   atomic.Uint64 // data of the next I/O
	bufs   [][]byte
	recent [256]atomic.Uint64 // IDs for the cancellers
	runs   []atomic.Int32     // of each I/O's callback
	seen   []atomic.Int32     // events of each I/O
	events atomic.Uint64
	asked  atomic.Int64 // events that say so

	stopped [3]atomic.Uint64 // of each lane: 1 + data of the I/O that found no room
	done    chan struct{}
}

// pump submits on lane li, first the I/O data, until all are submitted. If there is
// no room it stops; the next event has it run again.
func (s *stress) pump(li int, data uint64) {
	for ; data < s.total; data = s.next.Add(1) - 1 {
		id, err := s.c.Submit(s.lanes[li], s, IO{Op: OpWrite, Len: 8, Buf: s.bufs[data], Data: data, Off: int64(data)})
		if err == ErrFull {
			s.stopped[li].Store(data + 1)
			if s.c.InFlight() == 0 { // there may be no next event
				s.resume(li)
			}
			return
		}
		if err != nil {
			s.t.Error(err)
			return
		}
		s.recent[data%256].Store(uint64(id))
	}
}

func (s *stress) resume(li int) {
	if data := s.stopped[li].Swap(0); data != 0 {
		s.lanes[li].Post(func() { s.pump(li, data-1) })
	}
}

// Start is the target: four kinds of it.
func (s *stress) Start(l lane.Lane, k Kiocb) {
	data := uint64(k.Off())
	other := s.lanes[(l.Index()+1+int(data/4)%(len(s.lanes)-1))%len(s.lanes)]
	finish := func(l lane.Lane, st Status) {
		binary.LittleEndian.PutUint64(k.Buf(), data) // visible to who reaps: S15
		if k.Complete(l, st, 8) == Stale {
			s.t.Errorf("%v: stale", k.ID())
		}
	}
	switch data % 4 {
	case 0: // at once
		finish(l, OK)
	case 1: // by another lane
		other.Post(func() { finish(other, OK) })
	case 2: // by a device of another lane, which does not see the cancelled
		other.Post(func() {
			if k.TryStart() {
				finish(other, OK)
			} else {
				finish(other, Cancelled)
			}
		})
	case 3: // with a callback that completes, against another lane that does
		other.Post(func() { k.Complete(other, OK, 8) })
		k.SetCancelFunc(func(k Kiocb) {
			if s.runs[data].Add(1) != 1 {
				s.t.Errorf("%v: callback called twice", k.ID())
			}
			k.Complete(nil, Cancelled, 0)
		})
	}
}

func (s *stress) event(ev *Event) {
	if s.seen[ev.Data].Add(1) != 1 {
		s.t.Errorf("a second event: %+v", *ev)
	}
	if ev.CancelAsked {
		s.asked.Add(1)
	}
	switch ev.Data % 4 {
	case 2:
		if ev.CancelAsked && !ev.Started && ev.Status != Cancelled || !ev.CancelAsked && !ev.Started {
			s.t.Errorf("S6: %+v", *ev)
		}
		fallthrough
	case 0, 1:
		if got := binary.LittleEndian.Uint64(s.bufs[ev.Data]); got != ev.Data {
			s.t.Errorf("event of %d, and the buffer says %d", ev.Data, got)
		}
	case 3:
		if s.runs[ev.Data].Load() != 0 && !ev.CancelAsked {
			s.t.Errorf("S2: a callback without a cancel: %+v", *ev)
		}
	}
	if s.events.Add(1) == s.total {
		close(s.done)
	}
	for li := range s.lanes {
		s.resume(li)
	}
}

func TestStressEveryIOHasOneEvent(t *testing.T) {
	for _, handler := range []bool{false, true} {
		t.Run(map[bool]string{false: "Events", true: "OnEvents"}[handler], func(t *testing.T) {
			testStress(t, handler)
		})
	}
}

func testStress(t *testing.T, handler bool) {
	const lanes, cancellers = 3, 3
	s := &stress{t: t, total: 50_000, done: make(chan struct{})}
	if testing.Short() {
		s.total = 5_000
	}
	s.runs, s.seen = make([]atomic.Int32, s.total), make([]atomic.Int32, s.total)
	for range s.total {
		s.bufs = append(s.bufs, make([]byte, 8))
	}
	group := lane.NewReal(lanes)
	defer group.Close()
	for i := range lanes {
		s.lanes = append(s.lanes, group.Lane(i))
	}
	// Few places, so that slots are used again at once and lanes steal tags.
	o := Options{Capacity: 40, Lanes: s.lanes}
	if handler {
		o.OnEvents = func(_ lane.Lane, evs []Event) {
			for i := range evs {
				s.event(&evs[i])
			}
		}
	}
	var err error
	s.c, err = New(o)
	require.NoError(t, err)

	var wg sync.WaitGroup
	var accepted atomic.Int64
	for i := range cancellers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(i)))
			for {
				select {
				case <-s.done:
					return
				default:
				}
				for range 16 {
					lately := s.next.Load() - r.Uint64N(24)
					if s.c.Cancel(ID(s.recent[lately%256].Load())) == Accepted {
						accepted.Add(1)
					}
				}
				time.Sleep(time.Duration(r.IntN(20)) * time.Microsecond)
			}
		})
	}
	if !handler {
		wg.Go(func() {
			evs := make([]Event, 16)
			ctx := soon(t)
			for s.events.Load() < s.total {
				n, err := s.c.Events(ctx, 1, evs)
				if err != nil {
					t.Error(err)
					return
				}
				for i := range evs[:n] {
					s.event(&evs[i])
				}
			}
		})
	}
	for i := range lanes {
		s.lanes[i].Post(func() { s.pump(i, s.next.Add(1)-1) })
	}
	select {
	case <-s.done:
	case <-time.After(60 * time.Second):
		t.Fatalf("%d events of %d", s.events.Load(), s.total)
	}
	wg.Wait()
	require.NoError(t, s.c.Close(soon(t)))
	group.Close()
	s.c.atRest(t)
	require.LessOrEqual(t, s.asked.Load(), accepted.Load())
	t.Logf("%d I/Os, %d cancelled, %+v", s.total, s.asked.Load(), s.c.Stats())
}
