package traces

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// mutations is how many damaged copies of each sample are read, each by one of the
// ways in turn, in two batch sizes, and with and without the fast way through lines:
// more than 10,000 files in all (a tenth of that under -short), 40,000 readings.
const mutations = 500

// Whatever is in a file, reading it does not panic or hang, accounts for every
// record, and does not depend on the size of the batches.
func TestDamagedTracesAreAccountedFor(t *testing.T) {
	require.GreaterOrEqual(t, mutations*(len(samples)+1), 10_000)
	for i, s := range append(samples, csvSample()) {
		t.Run(s.name, func(t *testing.T) {
			n := mutations
			if testing.Short() {
				n /= 10
			}
			rng := rand.New(rand.NewPCG(uint64(i), 42))
			ways := waysToRead(s.format)
			for k := range n {
				data := mutate(rng, []byte(s.data))
				checkAnyInput(t, data, ways[k%len(ways)])
				requireFastAsSlow(t, data, ways[k%len(ways)])
			}
		})
	}
}

// And so it is if the damage is in the compression.
func TestDamagedCompressedTracesAreAccountedFor(t *testing.T) {
	n := 300
	if testing.Short() {
		n /= 10
	}
	data := bigTrace(300)
	for name, packed := range map[string][]byte{"gzip": gzipped(t, data), "zstd": zstded(t, data)} {
		rng := rand.New(rand.NewPCG(uint64(len(name)), uint64(name[0])))
		ways := waysToRead("msr")
		for k := range n {
			checkAnyInput(t, mutate(rng, packed), ways[k%len(ways)])
		}
	}
}

// mutate damages a copy of data in one to four places.
func mutate(rng *rand.Rand, data []byte) []byte {
	b := bytes.Clone(data)
	for range 1 + rng.IntN(4) {
		if len(b) == 0 {
			break
		}
		i := rng.IntN(len(b))
		j := min(len(b), i+1+rng.IntN(40))
		switch rng.IntN(7) {
		case 0: // cut off
			b = b[:i]
		case 1: // flip a bit
			b[i] ^= 1 << rng.IntN(8)
		case 2: // another byte of the same file
			b[i] = b[rng.IntN(len(b))]
		case 3: // double a part
			b = append(b[:j:j], b[i:]...)
		case 4: // lose a part
			b = append(b[:i:i], b[j:]...)
		case 5: // insert bytes that matter somewhere
			const odd = "0123456789,.;-+ \t\r\n\x00#%=[(\xff"
			b = append(b[:i:i], append([]byte{odd[rng.IntN(len(odd))]}, b[i:]...)...)
		case 6: // more digits
			b = append(b[:i:i], append([]byte("99999999999999999999")[:1+rng.IntN(20)], b[i:]...)...)
		}
	}
	return b
}

// waysToRead are options under which all input must be accounted for.
func waysToRead(format string) []Options {
	if format == "csv" {
		const columns = "time=ts:us,offset=lba:512,size=bytes,op=type,volume=dev,latency=rt:ms,process=comm,pid=pid"
		return []Options{
			{Columns: columns},
			{Columns: columns, OnError: Skip, Order: AsIs},
			{Columns: "time=1,offset=2,size=3,op=4", OnError: Skip},
		}
	}
	return []Options{
		{},
		{Format: format, OnError: Skip, Order: AsIs},
		{Format: format, OnError: Skip, Order: Sort, WindowRecords: 3},
		{Format: format, OnError: Skip, DedupStacked: true, SpreadSeconds: true},
		{Format: format, OnError: Skip, Order: Reject, MaxErrors: 2},
	}
}

// checkAnyInput reads data and checks what must hold for all input; drain checks
// the rest.
func checkAnyInput(t *testing.T, data []byte, o Options) {
	t.Helper()
	out, err := readBoth(t, data, o)
	if err != nil {
		require.NotEmpty(t, err.Error())
		return
	}
	if o.OnError == Stop && out.err == nil {
		require.Zero(t, out.stats.Rejected)
	}
	if o.MaxErrors > 0 && !formatNamed(out.format).named { // which lose blocks of records
		require.LessOrEqual(t, out.stats.Rejected, o.MaxErrors+1)
	}
}
