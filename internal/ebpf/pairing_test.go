package ebpf

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/traces"
)

// rqFormat is the format of block_rq_complete, as Linux 6.18 has it.
const rqFormat = `name: block_rq_complete
ID: 900
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;

	field:dev_t dev;	offset:8;	size:4;	signed:0;
	field:sector_t sector;	offset:16;	size:8;	signed:0;
	field:unsigned int nr_sector;	offset:24;	size:4;	signed:0;
	field:int error;	offset:28;	size:4;	signed:1;
	field:unsigned short ioprio;	offset:32;	size:2;	signed:0;
	field:char rwbs[10];	offset:34;	size:10;	signed:0;
	field:__data_loc char[] cmd;	offset:44;	size:4;	signed:0;

print fmt: "%d,%d"
`

func TestFormatsAreParsed(t *testing.T) {
	f, err := parseFormat(rqFormat)
	require.NoError(t, err)
	require.Equal(t, eventFormat{id: 900, dev: field{8, 4}, sector: field{16, 8}, count: field{24, 4}, error: field{28, 4}, rwbs: field{34, 10}}, f)
	for text, want := range map[string]string{
		"":                         "without its number",
		"ID: x":                    "line 1",
		"ID: 3":                    "without dev",
		"ID: 3\n field:dev_t dev;": "line 2",
		"ID: 3\n field:dev_t dev; offset:x; size:4;": "line 2",
		"ID: 3\nfield:dev_t dev; offset:8; size:4;\nfield:u64 sector; offset:16; size:8;\nfield:int nr_sector; offset:80; size:4;\nfield:char rwbs[8]; offset:84; size:8;": "beyond 88 bytes",
	} {
		_, err := parseFormat(text)
		require.ErrorContains(t, err, want, text)
	}
}

func TestRWBSIsRead(t *testing.T) {
	for text, c := range map[string]struct {
		bytes int64
		op    traces.Op
		flags traces.Flags
	}{
		"R":      {512, traces.Read, 0},
		"RA":     {512, traces.Read, traces.Readahead},
		"WS":     {512, traces.Write, traces.Sync},
		"FWFSM":  {512, traces.Write, traces.Preflush | traces.FUA | traces.Sync | traces.Meta},
		"FWS":    {0, traces.Flush, traces.Preflush | traces.Sync},
		"FF":     {0, traces.Flush, traces.Preflush},
		"D":      {512, traces.Discard, 0},
		"DE":     {512, traces.Discard, 0},
		"N":      {512, OtherOp, 0},
		"":       {512, OtherOp, 0},
		"W\x00S": {512, traces.Write, 0},
	} {
		op, flags := rwbsOf([]byte(text), c.bytes)
		require.Equal(t, c.op, op, "%q", text)
		require.Equal(t, c.flags, flags, "%q", text)
	}
}

func TestClassicRecordsAreDecoded(t *testing.T) {
	f, err := parseFormat(rqFormat)
	require.NoError(t, err)
	var formats [actions]eventFormat
	formats[actComplete] = f
	le := binary.LittleEndian
	b := make([]byte, rawBytes)
	le.PutUint64(b, 77)
	le.PutUint64(b[8:], 5<<32|6)
	le.PutUint32(b[16:], uint32(actComplete))
	copy(b[24:], "dd")
	ev := b[rawHeader:]
	le.PutUint32(ev[8:], uint32(MakeDev(7, 3)))
	le.PutUint64(ev[16:], 1000)
	le.PutUint32(ev[24:], 8)
	le.PutUint32(ev[28:], ^uint32(4)) // -5
	copy(ev[34:], "RS")
	e, err := decodeRaw(b, &formats)
	require.NoError(t, err)
	require.Equal(t, stageEvent{
		time: 77, action: actComplete, dev: MakeDev(7, 3), sector: 1000, bytes: 4096, op: traces.Read, flags: traces.Sync, status: -5,
		pid: 5, tid: 6, comm: [16]byte{'d', 'd'},
	}, e)
	_, err = decodeRaw(b[1:], &formats)
	require.Error(t, err)
	for _, a := range []uint32{0, 6} {
		le.PutUint32(b[16:], a)
		_, err = decodeRaw(b, &formats)
		require.Error(t, err)
	}
}

// FuzzClassicRecord decodes any bytes, by any format.
func FuzzClassicRecord(f *testing.F) {
	f.Add(rqFormat, make([]byte, rawBytes))
	f.Fuzz(func(t *testing.T, text string, b []byte) {
		format, err := parseFormat(text)
		if err != nil {
			return
		}
		var formats [actions]eventFormat
		for i := range formats {
			formats[i] = format
		}
		p := newPairing()
		if e, err := decodeRaw(b, &formats); err == nil {
			p.take(e)
			p.oldest()
		}
	})
}

func at(time int64, a action, op traces.Op, sector, bytes int64) stageEvent {
	return stageEvent{time: time, action: a, dev: 1, op: op, sector: sector, bytes: bytes}
}

// ended are the events of a kind, in words.
func ended(p *pairing, k Kind) (out []string) {
	for _, e := range p.out {
		if e.Kind == k {
			out = append(out, fmt.Sprintf("%v %d+%d Q%d D%d C%d of %d", e.Op, e.Sector, e.Bytes, e.Queue, e.Issue, e.Complete, e.Bios))
		}
	}
	return out
}

func TestMergedAndSplitBiosArePaired(t *testing.T) {
	const r, w = traces.Read, traces.Write
	p := newPairing()
	for _, e := range []stageEvent{
		at(1, actQueue, w, 0, 4096), at(2, actQueue, w, 8, 4096), // become one request
		at(3, actQueue, r, 100, 8192), // goes in two
		at(4, actIssue, w, 0, 8192), at(5, actIssue, r, 100, 4096), at(6, actIssue, r, 108, 4096),
		at(7, actComplete, r, 108, 4096), at(8, actComplete, w, 0, 8192), at(9, actComplete, r, 100, 4096),
		at(10, actQueue, traces.Flush, 0, 0), at(11, actComplete, traces.Flush, 0, 0), at(12, actComplete, traces.Flush, 0, 0),
	} {
		p.take(e)
	}
	require.Equal(t, []string{
		"write 0+4096 Q1 D4 C8 of 1", "write 8+4096 Q2 D4 C8 of 1", "read 100+8192 Q3 D5 C9 of 2", "flush 0+0 Q10 D0 C11 of 1",
	}, ended(p, Bio))
	require.Equal(t, []string{"read 108+4096 Q3 D6 C7 of 1", "write 0+8192 Q1 D4 C8 of 2", "read 100+4096 Q3 D5 C9 of 1"}, ended(p, Request))
	require.Zero(t, p.underway)
	require.EqualValues(t, 1, p.counted.Splits)
	require.EqualValues(t, 1, p.counted.BackMerges)
	require.Zero(t, p.unmatched)
	require.Empty(t, p.issued)
	require.Empty(t, p.queued)
	require.Empty(t, p.requests)
}

func TestWhatIsOddIsCounted(t *testing.T) {
	const r = traces.Read
	p := newPairing()
	p.take(at(1, actComplete, r, 0, 4096)) // its start was before
	require.EqualValues(t, 1, p.unmatched)
	require.EqualValues(t, 1, p.counted.RequestsUnmatched)
	p.take(at(2, actQueue, r, 50, 4096))
	bad := at(3, actBioComplete, r, 50, 4096) // ends without having been issued
	bad.status = -11
	p.take(bad)
	require.EqualValues(t, 1, p.counted.Unissued)
	require.EqualValues(t, 11, p.out[len(p.out)-1].Status)
	// A requeued request is issued again, and its bios were issued once.
	p.take(at(10, actQueue, r, 60, 4096))
	p.take(at(11, actIssue, r, 60, 4096))
	p.take(at(12, actRequeue, r, 60, 4096))
	p.take(at(13, actIssue, r, 60, 4096))
	p.take(at(14, actComplete, r, 60, 4096))
	last := p.out[len(p.out)-1]
	require.Equal(t, Request, last.Kind)
	require.EqualValues(t, 13, last.Issue)
	require.EqualValues(t, 1, last.Requeues)
	require.Zero(t, p.underway)
	// A request completes in two parts.
	p.take(at(20, actQueue, r, 70, 8192))
	p.take(at(21, actIssue, r, 70, 8192))
	p.take(at(22, actComplete, r, 70, 4096))
	require.Equal(t, 1, p.underway)
	p.take(at(23, actComplete, r, 78, 4096))
	require.Zero(t, p.underway)
	require.EqualValues(t, 1, p.counted.RequestsUnmatched)
	// One whose end was lost does not stand in the way of later ones on its place.
	p.take(at(30, actQueue, r, 90, 4096))
	p.take(at(31+staleAfter, actQueue, r, 90, 4096))
	p.take(at(32+staleAfter, actIssue, r, 90, 4096))
	p.take(at(33+staleAfter, actComplete, r, 90, 4096))
	require.EqualValues(t, 1, p.counted.Stale)
	require.Zero(t, p.underway)
	require.EqualValues(t, 31+staleAfter, p.out[len(p.out)-2].Queue)
}

// TestAnyMixIsPairedOnce queues bios without overlap, merges neighbours, splits, and
// completes in any order: each bio ends once, with the times of its own requests.
func TestAnyMixIsPairedOnce(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 0))
		p := newPairing()
		type extent struct{ from, to int64 }
		var requests []extent
		now, sector, queued := int64(0), int64(0), 0
		for range 50 {
			from := sector
			for range 1 + rng.IntN(4) {
				n := 8 * (1 + rng.Int64N(8))
				now++
				p.take(at(now, actQueue, traces.Write, sector, n*512))
				queued++
				sector += n
			}
			for from < sector {
				n := min(8*(1+rng.Int64N(16)), sector-from)
				requests = append(requests, extent{from, from + n})
				from += n
			}
			sector += 8 * rng.Int64N(3)
		}
		for _, a := range []action{actIssue, actComplete} {
			rng.Shuffle(len(requests), func(i, j int) { requests[i], requests[j] = requests[j], requests[i] })
			if a == actIssue { // a bio's pieces are issued in their order, and complete in any
				slices.SortFunc(requests, func(a, b extent) int { return int(a.from - b.from) })
			}
			for _, r := range requests {
				now++
				p.take(at(now, a, traces.Write, r.from, (r.to-r.from)*512))
			}
		}
		require.Len(t, ended(p, Bio), queued, "seed %d", seed)
		require.Len(t, ended(p, Request), len(requests))
		require.Zero(t, p.underway)
		require.Zero(t, p.unmatched)
		for _, e := range p.out {
			require.Less(t, e.Queue, e.Issue)
			require.Less(t, e.Issue, e.Complete)
		}
	}
}
