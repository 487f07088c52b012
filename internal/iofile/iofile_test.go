package iofile

import (
	"bytes"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/internal/record"
	"blksim/internal/replay"
)

// TestEveryIOIsARowWithItsStages over several batches and row groups. An independent
// reader does the same in cmd/blksim, where it is installed.
func TestEveryIOIsARowWithItsStages(t *testing.T) {
	if testing.Short() {
		t.Skip("takes many I/Os")
	}
	var b bytes.Buffer
	w := NewWriter(&b)
	const n = groupRows + 5000
	batch := &record.Batch{Job: 3}
	for i := range lane.Time(n) {
		io := replay.IO{Due: i, Submitted: i + 1, Dispatched: i + 2, Returned: i + 3, Ended: i + 4, Asked: replay.NoTime, Off: int64(i) * 4096, Len: 4096, N: 4096, Lane: 2}
		if i%3 == 0 {
			io.Op, io.Status, io.N = aio.OpWrite, aio.Cancelled, 0
			io.Dispatched, io.Returned, io.Asked = replay.NoTime, replay.NoTime, i+2
		} else if i%3 == 1 {
			io.Kernel = replay.KernelTimes{Queued: i + 5, Issued: i + 6, Completed: i + 7}
		}
		if batch.IOs = append(batch.IOs, io); len(batch.IOs) == 512 {
			require.NoError(t, w.Write(batch))
			batch.IOs = batch.IOs[:0]
		}
	}
	require.NoError(t, w.Write(batch))
	require.NoError(t, w.Close())

	rows, err := parquet.Read[row](bytes.NewReader(b.Bytes()), int64(b.Len()))
	require.NoError(t, err)
	require.Len(t, rows, n)
	for i, r := range rows {
		at := int64(i)
		require.Equal(t, [6]int64{at, at + 1, at + 4, at * 4096, 3, 2}, [6]int64{r.Due, r.Submitted, r.Ended, r.Offset, int64(r.Job), int64(r.Lane)})
		if i%3 == 0 {
			require.Nil(t, r.Dispatched)
			require.Nil(t, r.Returned)
			require.Equal(t, at+2, *r.Cancelled)
			require.Equal(t, [3]string{"write", "cancelled", "skipped"}, [3]string{r.Op, r.Status, r.Outcome})
			continue
		}
		require.Equal(t, [2]int64{at + 2, at + 3}, [2]int64{*r.Dispatched, *r.Returned})
		require.Nil(t, r.Cancelled)
		if i%3 == 1 {
			require.Equal(t, [3]int64{at + 5, at + 6, at + 7}, [3]int64{*r.KQueued, *r.KIssued, *r.KCompleted})
		} else {
			require.True(t, r.KQueued == nil && r.KIssued == nil && r.KCompleted == nil)
		}
		require.Equal(t, [3]string{"read", "ok", "completed"}, [3]string{r.Op, r.Status, r.Outcome})
	}
}
