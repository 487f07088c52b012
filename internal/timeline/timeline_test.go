package timeline_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/internal/record"
	"blksim/internal/replay"
	"blksim/internal/timeline"
)

// fields decodes one protobuf message, without knowing what it is.
func fields(t *testing.T, b []byte) map[int][]any {
	t.Helper()
	out := map[int][]any{}
	for len(b) > 0 {
		key, n := binary.Uvarint(b)
		require.Positive(t, n)
		b = b[n:]
		v, n := binary.Uvarint(b)
		require.Positive(t, n)
		b = b[n:]
		switch key & 7 {
		case 0:
			out[int(key>>3)] = append(out[int(key>>3)], v)
		case 2:
			require.LessOrEqual(t, v, uint64(len(b)))
			out[int(key>>3)] = append(out[int(key>>3)], b[:v])
			b = b[v:]
		default:
			t.Fatalf("wire type %d", key&7)
		}
	}
	return out
}

type event struct {
	at      uint64
	kind    uint64
	name    string
	counter uint64
}

// decode reads a trace: the names of its tracks, and the events of each by name.
func decode(t *testing.T, trace []byte) map[string][]event {
	t.Helper()
	names, parents, out := map[uint64]string{}, map[uint64]uint64{}, map[string][]event{}
	for _, p := range fields(t, trace)[1] {
		packet := fields(t, p.([]byte))
		if d := packet[60]; d != nil {
			track := fields(t, d[0].([]byte))
			uuid := track[1][0].(uint64)
			if track[2] != nil {
				names[uuid] = string(track[2][0].([]byte))
			}
			if track[5] != nil {
				parents[uuid] = track[5][0].(uint64)
				require.Contains(t, names, uuid)
			} else {
				process := fields(t, track[3][0].([]byte))
				require.Equal(t, "test", string(process[6][0].([]byte)))
			}
			continue
		}
		require.Equal(t, []any{uint64(1)}, packet[10])
		e := fields(t, packet[11][0].([]byte))
		uuid := e[11][0].(uint64)
		require.Contains(t, parents, uuid, "described before it is used")
		ev := event{at: packet[8][0].(uint64), kind: e[9][0].(uint64)}
		if e[23] != nil {
			ev.name = string(e[23][0].([]byte))
		}
		if e[30] != nil {
			ev.counter = e[30][0].(uint64)
		}
		track := names[parents[uuid]] + "/" + names[uuid]
		out[track] = append(out[track], ev)
	}
	return out
}

// collect writes I/Os and reads the trace back.
func collect(t *testing.T, window string, ios []replay.IO) (map[string][]event, *timeline.Collector) {
	t.Helper()
	w, err := timeline.ParseWindow(window)
	require.NoError(t, err)
	c := timeline.NewCollector(w)
	for len(ios) > 0 {
		n := min(len(ios), 500)
		require.NoError(t, c.Write(&record.Batch{IOs: ios[:n]}))
		ios = ios[n:]
	}
	require.NoError(t, c.Close())
	var b bytes.Buffer
	require.NoError(t, c.WriteTrace(&b, "test"))
	return decode(t, b.Bytes()), c
}

func read(due, submitted, dispatched, returned, ended lane.Time) replay.IO {
	return replay.IO{Due: due, Submitted: submitted, Dispatched: dispatched, Returned: returned, Ended: ended, Asked: replay.NoTime, Len: 4096}
}

func TestSlotsNestAndCountersAddUp(t *testing.T) {
	skipped := read(3, 3, replay.NoTime, replay.NoTime, 9)
	skipped.Status, skipped.Asked = aio.Cancelled, 8
	late := read(4, 5, 6, 20, 21)
	late.Asked, late.Op = 7, aio.OpWrite
	aborted := read(30, 30, 31, 40, 41)
	aborted.Status, aborted.Asked = aio.Cancelled, 33
	other := read(1, 1, 2, 3, 4)
	other.Lane = 1
	tracks, _ := collect(t, "all", []replay.IO{read(0, 0, 1, 10, 10), skipped, late, aborted, other})

	var names []string
	for track, events := range tracks {
		depth, last := 0, uint64(0)
		for _, e := range events {
			require.GreaterOrEqual(t, e.at, last, track)
			last = e.at
			switch e.kind {
			case 1:
				depth++
				names = append(names, e.name)
			case 2:
				depth--
				require.GreaterOrEqual(t, depth, 0, track)
			}
		}
		require.Zero(t, depth, track)
	}
	for _, want := range []string{"read 4KiB", "read 4KiB, skipped", "write 4KiB, too-late", "read 4KiB, aborted", "queue", "device", "complete"} {
		require.Contains(t, names, want)
	}
	require.Contains(t, tracks, "queue 0/slot 2", "three at once")
	require.NotContains(t, tracks, "queue 0/slot 3")
	require.Contains(t, tracks, "queue 1/slot 0")
	require.Equal(t, []event{{1, 4, "", 1}, {6, 4, "", 2}, {10, 4, "", 1}, {20, 4, "", 0}, {31, 4, "", 1}, {40, 4, "", 0}}, tracks["queue 0/with the device (SQ to CQ)"])
	require.Equal(t, []event{{9, 4, "", 1}}, tracks["queue 0/skipped so far"])
	for track, events := range tracks {
		if track == "queue 0/waiting in the software queue" {
			require.Zero(t, events[len(events)-1].counter)
		}
	}
}

// TestTheWindowAroundTheSlowestIsWhole although it is known only at the end, and
// the run is longer than what is kept.
func TestTheWindowAroundTheSlowestIsWhole(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 250,000 I/Os")
	}
	var ios []replay.IO
	for i := range lane.Time(timeline.MaxIOs + 50_000) {
		at := i * 100
		io := read(at, at, at+1, at+50, at+50)
		if i == 30_000 {
			io.Ended += 1_000_000
		}
		ios = append(ios, io)
	}
	tracks, c := collect(t, "around:slowest:100us", ios)
	require.Zero(t, c.Dropped)
	begins := 0
	for _, events := range tracks {
		for _, e := range events {
			if e.name == "read 4KiB" {
				begins++
			}
		}
	}
	// 1.2 ms of an I/O each 100 ns, but for the edges.
	require.InDelta(t, 12_000, begins, 10)
}

func TestAWindowBeyondTheRoomSaysSo(t *testing.T) {
	ios := make([]replay.IO, timeline.MaxIOs+7)
	for i := range ios {
		ios[i] = read(1, 1, 2, 3, 4)
	}
	w, err := timeline.ParseWindow("0s:1s")
	require.NoError(t, err)
	c := timeline.NewCollector(w)
	require.NoError(t, c.Write(&record.Batch{IOs: ios}))
	require.EqualValues(t, 7, c.Dropped)
	require.NoError(t, c.Write(&record.Batch{IOs: []replay.IO{read(2e9, 2e9, 2e9, 2e9, 2e9)}}))
	require.EqualValues(t, 7, c.Dropped, "not of the window")
}

func TestWindowsReadWhatTheyWrite(t *testing.T) {
	for _, s := range []string{"all", "1s:1.5s", "around:slowest:2ms"} {
		w, err := timeline.ParseWindow(s)
		require.NoError(t, err)
		require.Equal(t, s, w.String())
	}
	for _, s := range []string{"1s", "2s:1s", "around:fastest", "around:slowestx", "around:slowest:x", "a:b"} {
		_, err := timeline.ParseWindow(s)
		require.ErrorContains(t, err, "want all, FROM:TO", s)
	}
}
