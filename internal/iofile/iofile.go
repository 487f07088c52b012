// Package iofile writes every I/O of a run as a Parquet file, a row each, in the
// order in which they reached the file: that of their ends on each lane. Times are
// nanoseconds from the start of the run; a stage that an I/O did not reach is null.
package iofile

import (
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"blksim/aio/lane"
	"blksim/internal/record"
	"blksim/internal/replay"
)

// row is the schema; docs/results.md describes it.
type row struct {
	Job         int32  `parquet:"job"` // clone of a load, from 0; 0 for a replay
	Lane        int32  `parquet:"lane"`
	Op          string `parquet:"op,dict"`
	Offset      int64  `parquet:"offset,delta"`
	Bytes       int64  `parquet:"bytes,dict"`
	Transferred int64  `parquet:"transferred,dict"`
	Due         int64  `parquet:"due_ns,delta"`
	Submitted   int64  `parquet:"submitted_ns,delta"`
	Dispatched  *int64 `parquet:"dispatched_ns,optional"`
	Returned    *int64 `parquet:"returned_ns,optional"`
	Ended       int64  `parquet:"ended_ns,delta"`
	Cancelled   *int64 `parquet:"cancel_accepted_ns,optional"`
	KQueued     *int64 `parquet:"kernel_queued_ns,optional"`
	KIssued     *int64 `parquet:"kernel_issued_ns,optional"`
	KCompleted  *int64 `parquet:"kernel_completed_ns,optional"`
	Status      string `parquet:"status,dict"`
	Outcome     string `parquet:"outcome,dict"`
}

// groupRows are the rows of a row group: what is in memory at once.
const groupRows = 64 << 10

// Writer is a record.Sink.
type Writer struct {
	out    *parquet.GenericWriter[row]
	rows   []row
	times  []int64 // that rows point to
	inPart int
}

var _ record.Sink = (*Writer)(nil)

// NewWriter writes to w; the file is whole after Close.
func NewWriter(w io.Writer) *Writer {
	return &Writer{out: parquet.NewGenericWriter[row](w, parquet.Compression(&zstd.Codec{}), parquet.CreatedBy("blksim", "1", ""))}
}

// Write is as record.Sink's.
func (w *Writer) Write(b *record.Batch) error {
	w.rows, w.times = w.rows[:0], w.times[:0]
	if need := 6 * len(b.IOs); cap(w.times) < need {
		w.times = make([]int64, 0, need) // rows point into it: it must not move
	}
	for i := range b.IOs {
		io := &b.IOs[i]
		w.rows = append(w.rows, row{Job: int32(b.Job), Lane: int32(io.Lane), Op: io.Op.String(), Offset: io.Off, Bytes: io.Len,
			Transferred: io.N, Due: int64(io.Due), Submitted: int64(io.Submitted), Dispatched: w.time(io.Dispatched),
			Returned: w.time(io.Returned), Ended: int64(io.Ended), Cancelled: w.time(io.Asked),
			KQueued: w.kernel(io.Kernel.Queued), KIssued: w.kernel(io.Kernel.Issued), KCompleted: w.kernel(io.Kernel.Completed), Status: io.Status.String(), Outcome: io.Outcome()})
	}
	if _, err := w.out.Write(w.rows); err != nil {
		return err
	}
	if w.inPart += len(w.rows); w.inPart >= groupRows {
		w.inPart = 0
		return w.out.Flush()
	}
	return nil
}

func (w *Writer) time(t lane.Time) *int64 {
	if t == replay.NoTime {
		return nil
	}
	w.times = append(w.times, int64(t))
	return &w.times[len(w.times)-1]
}

// kernel is a time that is not known where it is zero.
func (w *Writer) kernel(t lane.Time) *int64 {
	if t == 0 {
		return nil
	}
	return w.time(t)
}

// Close is as record.Sink's.
func (w *Writer) Close() error { return w.out.Close() }
