package disk

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"blksim/aio/lane"
)

// Engines has the engines of a group of lanes: one for each lane that does I/O, made
// when a file is first opened there, and one arena for all. Its methods are for
// callers outside all lanes; but Arena may be called from anywhere.
type Engines struct {
	o     EngineOptions
	arena *Arena

	mu sync.Mutex
	// mu guards what follows. A lane never takes it.
	lanes []*seat
	past  Counts // of engines that are closed
}

// seat is a lane with its engine.
type seat struct {
	lane   lane.Lane
	engine *Engine
	files  int // that it has open
}

// NewEngines makes no engine yet.
func NewEngines(o EngineOptions) (*Engines, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Kind == "" {
		o.Kind = Auto
	}
	if o.Arena == 0 {
		o.Arena = defaultArena
	}
	a, err := newArena(o.Arena)
	if err != nil {
		return nil, err
	}
	return &Engines{o: o, arena: a}, nil
}

// Arena is the memory that all the engines know.
func (s *Engines) Arena() *Arena { return s.arena }

// Open makes a file known to the engine of a lane, which runs in real time
// ([lane.Attacher]). Auto chooses the engine by the lane's first file. It is an error
// if the lane has an engine of other Engines.
func (s *Engines) Open(l lane.Lane, f *File) (*Engine, *Handle, error) {
	attacher, ok := l.(lane.Attacher)
	if !ok {
		return nil, nil, fmt.Errorf("disk: %s: a real disk needs lanes in real time: %w", f.info.Path, ErrNotSupported)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.seat(l)
	if at.files == 0 {
		if err := take(l); err != nil {
			s.leave(at)
			return nil, nil, err
		}
	}
	var h *Handle
	err := onLane(l, func() (err error) {
		if at.engine == nil {
			if at.engine, err = s.start(attacher, f); err != nil {
				return err
			}
		}
		h, err = at.engine.Register(f)
		return err
	})
	if err != nil {
		if at.files == 0 {
			err = errors.Join(err, s.end(at))
		}
		return nil, nil, err
	}
	at.files++
	return at.engine, h, nil
}

// Release ends what Open began. No I/O of the file is with the engine; if there is,
// the error wraps ErrInKernel.
func (s *Engines) Release(l lane.Lane, h *Handle) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.seat(l)
	err := onLane(l, func() error {
		at.engine.Unregister(h)
		return nil
	})
	if at.files--; at.files == 0 {
		err = errors.Join(err, s.end(at))
	}
	return err
}

// Close gives the arena's memory back. All files are released.
func (s *Engines) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.lanes) > 0 {
		return fmt.Errorf("disk: close of engines: %d lanes still have files open", len(s.lanes))
	}
	if s.arena.kept.Load() {
		return nil
	}
	return s.arena.close()
}

// Counts is what the engines have done, those that are closed included.
func (s *Engines) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := s.past
	for _, at := range s.lanes {
		sum.Add(at.engine.Counts())
	}
	return sum
}

// seat finds a lane's, or makes one.
func (s *Engines) seat(l lane.Lane) *seat {
	for _, at := range s.lanes {
		if at.lane == l {
			return at
		}
	}
	at := &seat{lane: l}
	s.lanes = append(s.lanes, at)
	return at
}

// end closes a lane's engine, if it has one.
func (s *Engines) end(at *seat) (err error) {
	if e := at.engine; e != nil {
		err = onLane(at.lane, func() error {
			err := e.Close() // on the thread that the ring belongs to
			at.lane.(lane.Attacher).Attach(nil)
			return err
		})
		if errors.Is(err, ErrInKernel) {
			s.arena.kept.Store(true)
		}
		s.past.Add(e.Counts())
	}
	give(at.lane)
	s.leave(at)
	return err
}

// leave takes a lane out of the list.
func (s *Engines) leave(at *seat) {
	s.lanes = slices.DeleteFunc(s.lanes, func(other *seat) bool { return other == at })
}

// taken are the lanes that have an engine, of whatever Engines: a lane waits in one
// thing, and another engine would have the first one's I/Os never come back.
var taken struct {
	mu    sync.Mutex // leaf
	lanes map[lane.Lane]bool
}

func take(l lane.Lane) error {
	taken.mu.Lock()
	defer taken.mu.Unlock()
	if taken.lanes[l] {
		return fmt.Errorf("disk: lane %d has an engine already: disks on the same lane want the same Engines", l.Index())
	}
	if taken.lanes == nil {
		taken.lanes = map[lane.Lane]bool{}
	}
	taken.lanes[l] = true
	return nil
}

func give(l lane.Lane) {
	taken.mu.Lock()
	defer taken.mu.Unlock()
	delete(taken.lanes, l)
}

// onLane runs f on a lane, which is running, and waits for it.
func onLane(l lane.Lane, f func() error) error {
	done := make(chan error, 1)
	l.Post(func() { done <- f() })
	return <-done
}

// start makes an engine for the lane that it is called on.
func (s *Engines) start(at lane.Attacher, f *File) (*Engine, error) {
	kinds, why := candidates(s.o.Kind, &f.info)
	var failed error
	for _, kind := range kinds {
		e := &Engine{kind: kind, why: why, poll: s.o.Poll}
		e.polled = kind == IOURing && s.o.Poll > 0 && f.info.Poll && f.info.Direct
		if failed != nil {
			e.why = "what is left: " + strings.ReplaceAll(failed.Error(), "\n", "; ")
		}
		at.Attach(e) // locks the thread, which the ring belongs to
		err := e.start(s.arena)
		if err == nil {
			return e, nil
		}
		at.Attach(nil)
		failed = errors.Join(failed, err)
	}
	return nil, failed
}

// candidates are the engines to try, the best first, and why it is the best.
func candidates(kind EngineKind, i *Info) (kinds []EngineKind, why string) {
	switch {
	case kind != Auto:
		return []EngineKind{kind}, "as asked"
	case !i.Direct: // io_submit would wait for what is not in the page cache
		return []EngineKind{IOURing, Sync}, "best through the page cache"
	case !i.NoWait:
		return []EngineKind{LibAIO, IOURing, Sync}, "io_uring would hand each I/O to a thread: the disk has no NOWAIT"
	}
	return []EngineKind{IOURing, LibAIO, Sync}, "best for this disk"
}

// start makes what an engine has of the kernel.
func (e *Engine) start(a *Arena) (err error) {
	if e.bell, err = newBell(); err != nil {
		return err
	}
	switch e.kind {
	case IOURing:
		var b *ringBackend
		if b, err = newRing(e, a); err == nil {
			e.back = b
		}
	case LibAIO:
		var b *aioBackend
		if b, err = newAIO(e); err == nil {
			e.back = b
		}
	}
	if err != nil {
		return errors.Join(err, e.bell.close())
	}
	return nil
}

// abandoned are engines with I/Os that the kernel never gave back: their memory must
// not be used for anything else.
var abandoned struct {
	mu      sync.Mutex
	engines []*Engine
}

func leave(e *Engine) {
	abandoned.mu.Lock()
	defer abandoned.mu.Unlock()
	abandoned.engines = append(abandoned.engines, e)
}
