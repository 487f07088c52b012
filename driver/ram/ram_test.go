package ram_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/driver"
	"blksim/driver/ram"
)

// owner takes requests back and counts what it sees.
type owner struct {
	completions int
	status      aio.Status
	n           int64
}

func (o *owner) CompleteRequest(_ *driver.Request, st aio.Status, n int64) {
	o.completions++
	o.status, o.n = st, n
}

func openQueue(t testing.TB, d driver.Driver) driver.Queue {
	t.Helper()
	q, err := d.OpenQueue(nil, 0, d.Limits().QueueDepth)
	require.NoError(t, err)
	return q
}

func TestLimitsCoverWholeBlocksOnly(t *testing.T) {
	l := ram.New(make([]byte, 4096+100)).Limits()
	require.EqualValues(t, 4096, l.Capacity)
	require.Zero(t, l.Capacity%int64(l.BlockSize))
	for op := range aio.Op(aio.NumOps) {
		require.True(t, l.Ops.Has(op), op)
	}
	require.NoError(t, ram.New(nil).Close())
}

func TestEveryAcceptedRequestCompletesOnceInFullInsideSubmit(t *testing.T) {
	o := new(owner)
	q := openQueue(t, ram.New(make([]byte, 8192)))
	for op := range aio.Op(aio.NumOps) {
		o.completions = 0
		r := driver.NewRequest(o, 0)
		r.Op = op
		if op != aio.OpFlush {
			r.Len = 1024
		}
		if op.HasData() {
			r.Bufs = [][]byte{make([]byte, 512), make([]byte, 512)}
		}
		require.Equal(t, aio.OK, q.Submit(r), op)
		require.Equal(t, 1, o.completions, op)
		require.Equal(t, aio.OK, o.status, op)
		require.Equal(t, r.Len, o.n, op)
	}
}

func TestRefusedRequestIsLeftAlone(t *testing.T) {
	o := new(owner)
	data := make([]byte, 4096)
	q := openQueue(t, ram.New(data))
	for _, extent := range [][2]int64{{4096, 512}, {3584, 1024}, {-512, 512}, {512, -512}, {1 << 62, 1 << 62}} {
		r := driver.NewRequest(o, 0)
		r.Op, r.Off, r.Len = aio.OpWrite, extent[0], extent[1]
		require.Equal(t, aio.OutOfRange, q.Submit(r), extent)
	}
	require.Zero(t, o.completions)
	require.Equal(t, make([]byte, 4096), data)
}

func TestReadsReturnWhatWasWrittenLast(t *testing.T) {
	const blocks = 64
	o := new(owner)
	q := openQueue(t, ram.New(make([]byte, blocks*512)))
	r := driver.NewRequest(o, 0)
	model := make([]byte, blocks*512)
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		first := rnd.IntN(blocks)
		n := 1 + rnd.IntN(blocks-first)
		extent := model[first*512 : (first+n)*512]
		r.Op = aio.Op(rnd.IntN(aio.NumOps))
		r.Off, r.Len, r.Bufs = int64(first)*512, int64(n)*512, nil
		buf := make([]byte, n*512)
		if r.Op.HasData() {
			cut := rnd.IntN(n) * 512
			r.Bufs = [][]byte{buf[:cut], buf[cut:]}
		}
		switch r.Op {
		case aio.OpWrite:
			for i := range buf {
				buf[i] = byte(rnd.Uint32())
			}
			copy(extent, buf)
		case aio.OpDiscard, aio.OpWriteZeroes:
			clear(extent)
		case aio.OpFlush:
			r.Off, r.Len = 0, 0
		}
		require.Equal(t, aio.OK, q.Submit(r))
		if r.Op == aio.OpRead {
			require.Equal(t, extent, buf)
		}
	}
}

func TestSubmitAllocatesNothing(t *testing.T) {
	q := openQueue(t, ram.New(make([]byte, 8192)))
	r := driver.NewRequest(new(owner), 0)
	r.Op, r.Len, r.Bufs = aio.OpWrite, 4096, [][]byte{make([]byte, 4096)}
	require.Zero(t, testing.AllocsPerRun(100, func() { q.Submit(r) }))
}

func BenchmarkRead4K(b *testing.B) {
	q := openQueue(b, ram.New(make([]byte, 8192)))
	r := driver.NewRequest(new(owner), 0)
	r.Op, r.Len, r.Bufs = aio.OpRead, 4096, [][]byte{make([]byte, 4096)}
	b.ReportAllocs()
	for b.Loop() {
		q.Submit(r)
	}
}
