package null_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/driver"
	"blksim/driver/null"
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

func openQueue(t testing.TB) driver.Queue {
	t.Helper()
	d, err := null.New(null.Options{})
	require.NoError(t, err)
	q, err := d.OpenQueue(nil, 0, 1)
	require.NoError(t, err)
	return q
}

func TestZeroOptionsAreAUsableDevice(t *testing.T) {
	d, err := null.New(null.Options{})
	require.NoError(t, err)
	l := d.Limits()
	require.Positive(t, l.Capacity)
	require.Positive(t, l.QueueDepth)
	require.Positive(t, l.Queues)
	require.Equal(t, 512, l.BlockSize)
	require.NoError(t, d.Close())
}

func TestOptionsShowInLimits(t *testing.T) {
	d, err := null.New(null.Options{Capacity: 1 << 20, BlockSize: 4096, Queues: 3, QueueDepth: 7})
	require.NoError(t, err)
	l := d.Limits()
	require.EqualValues(t, 1<<20, l.Capacity)
	require.Equal(t, []int{4096, 3, 7}, []int{l.BlockSize, l.Queues, l.QueueDepth})
}

func TestBadOptionsAreRefusedWithTheValue(t *testing.T) {
	for _, c := range []struct {
		o    null.Options
		want string
	}{
		{null.Options{BlockSize: 100}, "block size 100"},
		{null.Options{BlockSize: 768}, "block size 768"},
		{null.Options{Capacity: 1000}, "capacity 1000"},
		{null.Options{Capacity: -512}, "capacity -512"},
		{null.Options{Queues: -1}, "-1 queues"},
		{null.Options{QueueDepth: -2}, "depth -2"},
	} {
		_, err := null.New(c.o)
		require.ErrorContains(t, err, c.want)
	}
}

func TestEveryRequestCompletesOnceAndNoDataIsTouched(t *testing.T) {
	o := new(owner)
	q := openQueue(t)
	buf := []byte{1, 2, 3, 4}
	for op := range aio.Op(aio.NumOps) {
		*o = owner{}
		r := driver.NewRequest(o, 0)
		r.Op, r.Len, r.Bufs = op, int64(len(buf)), [][]byte{buf}
		require.Equal(t, aio.OK, q.Submit(r))
		require.Equal(t, owner{1, aio.OK, 4}, *o)
	}
	require.Equal(t, []byte{1, 2, 3, 4}, buf)
}

func TestSubmitAllocatesNothing(t *testing.T) {
	q := openQueue(t)
	r := driver.NewRequest(new(owner), 0)
	require.Zero(t, testing.AllocsPerRun(100, func() { q.Submit(r) }))
}

func BenchmarkSubmit(b *testing.B) {
	q := openQueue(b)
	r := driver.NewRequest(new(owner), 0)
	b.ReportAllocs()
	for b.Loop() {
		q.Submit(r)
	}
}
