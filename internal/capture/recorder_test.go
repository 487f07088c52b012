package capture

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/internal/ebpf"
	"blksim/traces"
)

// script is a source that gives batches of events, with what has settled once each has
// been read. Between two of them there is nothing to read, once.
type script struct {
	batches [][]ebpf.Event
	settled []int64
	at      int
	now     int64 // what has settled
}

func (s *script) Read(evs []ebpf.Event, _ time.Duration) (int, error) {
	if s.at == len(s.batches) {
		return 0, io.EOF
	}
	if len(s.batches[s.at]) == 0 {
		s.now = s.settled[min(s.at, len(s.settled)-1)]
		s.at++
		return 0, nil
	}
	n := copy(evs, s.batches[s.at])
	s.batches[s.at] = s.batches[s.at][n:]
	return n, nil
}

func (s *script) Settled() (int64, error) { return s.now, nil }

// collected is a writer that keeps what it gets.
type collected struct {
	recs  []traces.Record
	names traces.Names
	err   error
}

func (c *collected) Write(recs []traces.Record, names traces.Names) error {
	c.recs, c.names = append(c.recs, recs...), names
	return c.err
}

func (c *collected) Close() error { return nil }

// all runs a recorder to the end of its source.
func all(r *Recorder, s Source) error {
	for {
		if err := r.Step(s, 0); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

var disk = ebpf.Device{Name: "sda", Dev: ebpf.MakeDev(8, 0), End: 1 << 30}

func bio(queue, complete int64) ebpf.Event {
	return ebpf.Event{Kind: ebpf.Bio, Dev: disk.Dev, Queue: queue, Issue: queue + 10, Complete: complete, Sector: queue, Bytes: 4096}
}

func TestRecordsComeInTheOrderOfQueueing(t *testing.T) {
	// The first I/O takes longest, so its event comes last.
	s := &script{
		batches: [][]ebpf.Event{{bio(2000, 2100), bio(3000, 3100)}, {bio(4000, 4100)}, {bio(1000, 4200)}},
		settled: []int64{1000, 1000, 5000},
	}
	w := &collected{}
	r := New(w, []ebpf.Device{disk})
	for range 3 {
		require.NoError(t, r.Step(s, 0))
	}
	require.Empty(t, w.recs, "an older one is underway")
	require.EqualValues(t, 3, r.Seen())
	require.NoError(t, all(r, s))
	var times []int64
	for _, rec := range w.recs {
		times = append(times, rec.Time)
	}
	require.Equal(t, []int64{0, 1000, 2000, 3000}, times)
	require.EqualValues(t, 3200, w.recs[0].Completed)
	require.EqualValues(t, 10, w.recs[0].Issued)
	require.EqualValues(t, 4, r.Totals().Records)
	require.EqualValues(t, 3000, r.Totals().Span)
	require.Zero(t, r.Totals().Late)
}

func TestAnyOrderOfCompletionIsPutRight(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var evs []ebpf.Event
	for i := range int64(20000) {
		evs = append(evs, bio(1000+i*100, 1000+i*100+50+rng.Int64N(50000)))
	}
	slices.SortFunc(evs, func(a, b ebpf.Event) int { return int(a.Complete - b.Complete) })
	s := &script{}
	for len(evs) > 0 {
		n := min(len(evs), 1+rng.IntN(700))
		s.batches = append(s.batches, evs[:n:n])
		evs = evs[n:]
		settled := int64(1 << 60)
		for _, e := range evs {
			settled = min(settled, e.Queue)
		}
		s.settled = append(s.settled, settled)
	}
	w := &collected{}
	r := New(w, []ebpf.Device{disk})
	require.NoError(t, all(r, s))
	require.Equal(t, 20000, len(w.recs))
	for i, rec := range w.recs {
		require.EqualValues(t, i*100, rec.Time)
	}
}

func TestWhatIsHeldIsBounded(t *testing.T) {
	// One I/O never completes: all others wait for it, until there are too many.
	s := &script{settled: []int64{1}}
	for b := range int64(50) {
		var evs []ebpf.Event
		for i := range int64(1024) {
			evs = append(evs, bio(1000+b*1024+i, 2000+b*1024+i))
		}
		s.batches = append(s.batches, evs)
	}
	s.batches = append(s.batches, []ebpf.Event{bio(500, 1<<40)})
	w := &collected{}
	r := New(w, []ebpf.Device{disk})
	r.most = 10000
	most := 0
	for {
		err := r.Step(s, 0)
		most = max(most, len(r.held))
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
	}
	require.LessOrEqual(t, most, 2*r.most+len(r.evs))
	require.Equal(t, 50*1024, len(w.recs)) // and not require.Len, which would print them
	require.Len(t, r.Late(), 1)
	require.EqualValues(t, 1, r.Totals().Late)
	require.EqualValues(t, 50*1024+1, r.Totals().Records)
}

func TestEventsBecomeRecords(t *testing.T) {
	part := ebpf.Device{Name: "sdb1", Dev: ebpf.MakeDev(8, 16), First: 2048, End: 4096}
	e := ebpf.Event{
		Kind: ebpf.Bio, Dev: part.Dev, Queue: 100, Complete: 100, Sector: 2056, Bytes: 512, App: 7, AppKind: ebpf.AIO, PID: 9,
		Status: 5, Flags: traces.FUA, Op: traces.Write, Comm: [16]byte{'f', 'i', 'o'},
	}
	flush, other, request, elsewhere := e, e, e, e
	flush.Op, flush.Bytes, flush.Sector, flush.Queue = traces.Flush, 0, 0, 101
	other.Op = ebpf.OtherOp
	request.Kind = ebpf.Request
	elsewhere.Dev, elsewhere.Queue, elsewhere.PID, elsewhere.AppKind = ebpf.MakeDev(7, 1), 102, 10, ebpf.NoApp
	s := &script{batches: [][]ebpf.Event{{e, flush, other, request, elsewhere}}, settled: []int64{1000}}
	w := &collected{}
	r := New(w, []ebpf.Device{disk, part})
	require.NoError(t, all(r, s))
	require.Equal(t, traces.Record{
		Offset: 8 * 512, Length: 512, CancelAfter: -1, Completed: 1, App: 7, Volume: 1, Process: 1, Status: 5, Flags: traces.FUA, Op: traces.Write,
	}, w.recs[0])
	require.Equal(t, traces.Flush, w.recs[1].Op)
	require.Zero(t, w.recs[1].Offset)
	require.EqualValues(t, 1, w.recs[1].Time)
	require.EqualValues(t, 2, w.recs[2].Volume)
	require.EqualValues(t, 2056*512, w.recs[2].Offset)
	require.Equal(t, []string{"sda", "sdb1", "7:1"}, w.names.Volumes)
	require.Equal(t, []traces.Process{{}, {PID: 9, Name: "fio"}, {PID: 10, Name: "fio"}}, w.names.Processes)
	totals := r.Totals()
	require.EqualValues(t, 3, totals.Records)
	require.EqualValues(t, 1, totals.OtherOps)
	require.EqualValues(t, 2, totals.Tagged)
	require.EqualValues(t, 3, totals.Failed)
	require.EqualValues(t, 1024, totals.Bytes[traces.Write])
}

func TestLateRecordsComeToTheirPlaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace.blkt")
	for _, memory := range []int64{0, LeastMemory} {
		s, err := NewSpool(path, memory)
		if err != nil {
			t.Skip(err)
		}
		defer s.Discard()
		names := traces.Names{Volumes: []string{"sda"}, Processes: []traces.Process{{}, {PID: 1, Name: "dd"}}}
		rec := func(at int64) traces.Record {
			return traces.Record{Time: at, Length: 512, CancelAfter: -1, Process: 1}
		}
		require.NoError(t, s.Write([]traces.Record{rec(0), rec(10), rec(30)}, names))
		w := &collected{}
		require.NoError(t, s.Copy(w, []traces.Record{rec(5), rec(30), rec(40)}))
		var times []int64
		for _, r := range w.recs {
			times = append(times, r.Time)
		}
		require.Equal(t, []int64{0, 5, 10, 30, 30, 40}, times)
		require.Equal(t, names.Processes, w.names.Processes)
		s.Discard()
	}
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestSpoolInMemorySaysWhenItIsLow(t *testing.T) {
	s, err := NewSpool("x", LeastMemory)
	if err != nil {
		t.Skip(err)
	}
	defer s.Discard()
	require.False(t, s.Low())
	s.room = 100
	require.True(t, s.Low())
	_, err = spoolFile{s}.Write(make([]byte, 101))
	require.ErrorIs(t, err, errFull)
}

// An I/O whose end was not seen is in the trace, without one.
func TestUnendedIOIsARecord(t *testing.T) {
	e := bio(100, 0)
	s := &script{batches: [][]ebpf.Event{{e, bio(200, 300)}}, settled: []int64{1000}}
	w := &collected{}
	r := New(w, []ebpf.Device{disk})
	require.NoError(t, all(r, s))
	require.Len(t, w.recs, 2)
	require.Zero(t, w.recs[0].Completed)
	require.Zero(t, w.recs[0].Issued)
	require.EqualValues(t, 1, r.Totals().Unended)
	sum := Summary{Counts: ebpf.Counts{Started: 2, Done: 1, Stale: 1}, Totals: r.Totals()}
	require.NoError(t, sum.Check())
}

func TestErrorsOfTheWriterEndTheRecording(t *testing.T) {
	w := &collected{err: errors.New("no space")}
	s := &script{batches: [][]ebpf.Event{{bio(1, 2)}}, settled: []int64{1000}}
	require.ErrorContains(t, all(New(w, []ebpf.Device{disk}), s), "no space")
}

func TestAccountThatDoesNotAddUpIsAnError(t *testing.T) {
	good := Summary{Counts: ebpf.Counts{Started: 10, Done: 7, Lost: 1, Stale: 1, Underway: 1}, Totals: Totals{Records: 6, OtherOps: 1}}
	require.NoError(t, good.Check())
	lost := good
	lost.Counts.Lost = 0
	require.ErrorContains(t, lost.Check(), "10 bios started")
	short := good
	short.Totals.Records = 5
	require.ErrorContains(t, short.Check(), "7 I/Os done, but 5 records")
}

func TestAccountIsTold(t *testing.T) {
	sum := Summary{
		Devices: []ebpf.Device{disk}, Attached: "tp_btf", Kernel: "6.1", Length: time.Second, Compared: true, StatCompleted: 12, StatSeen: 10,
		Counts: ebpf.Counts{Started: 10, Done: 7, Lost: 1, NoRoom: 1, Underway: 1, Splits: 2, Requests: 9},
		Totals: Totals{Records: 7, Ops: [traces.NumOps]int64{3, 4}, Bytes: [traces.NumOps]int64{1536, 4096}, Late: 1},
	}
	var text bytes.Buffer
	require.NoError(t, sum.WriteText(&text, "a.blkt", "Ctrl-C"))
	for _, want := range []string{
		"a.blkt: 7 I/Os in 1.000 s (Ctrl-C), tp_btf", "read                 3  1.5 KiB", "started 10 = done 7 + lost 2 + never delivered 1",
		"12 completions, 10 seen, 2 missed", "9 requests of them: 0 merges, 2 splits", "1 took longer than 524288 others",
	} {
		require.Contains(t, text.String(), want)
	}
	require.Contains(t, sum.Note(), "10 I/Os started = 7 done + 2 lost + 1 never delivered; the disks counted 12")
}
