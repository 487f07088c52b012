// Package stack makes one volume of several disks: linear, stripe (RAID 0) and
// mirror (RAID 1), each an aio.Target over [blksim/blk.Disk]s.
//
// A [Volume] cuts an I/O into children, submits them to its disks by a context of
// its own, and completes the I/O when they have ended. The I/O belongs to the lane
// that submitted it, and so do its children's results, wherever the disks' queues
// are.
//
// # Cancellation
//
// It travels to the children only where that is safe:
//
//   - A write, discard or write-zeroes of several disks is all or none. The first
//     child to be dispatched decides for all, by one compare-and-swap on the I/O's
//     own cancel word (aio.Kiocb.StartPart): if a cancel came before, no child
//     reaches its device; if not, all are done, and the event says that the cancel
//     was too late. No leg of a mirror ever has a write that another was spared.
//   - A read is cancelled child by child. What has been read up to the first gap is
//     the result, as with a split I/O (package blk).
//
// All or none is about cancellation. A crash, or the failure of one disk, may leave
// a striped write done in part, as on every RAID without a journal.
//
// # Failures of a mirror
//
// A leg that fails a write while another does it is out of the mirror from then
// on: its data is old. A read that fails goes to the other legs.
//
// # Hedged reads
//
// With [Hedge] a read of a mirror that has not answered after a while is also sent
// to a second leg; the first answer counts, and the other read is cancelled (Dean
// and Barroso, The Tail at Scale, 2013). Both go to buffers of the volume's own,
// since the loser may write to its buffer when the I/O is long complete.
package stack
