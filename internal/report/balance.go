package report

import "slices"

// Balance checks that everything adds up, and that there are no faults. A run
// over a device that does not count is checked against the block layer alone.
func (r *Run) Balance() {
	rec, q := &r.Accounting.Records, &r.Accounting.Requests
	bad := r.Faults
	check := func(ok bool, what string) {
		if !ok {
			bad = append(bad, "does not add up: "+what)
		}
	}
	in := rec.Replayed + rec.Rejected + rec.NotRun
	for _, n := range rec.Skipped {
		in += n
	}
	check(rec.In == in, "records in = replayed + skipped + rejected + not run")
	check(rec.NotRun == 0 || r.Partial && rec.NotRun > 0, "all records were run")
	check(rec.Replayed == q.Submitted, "records replayed = requests submitted")
	// Those without an event are found twice: by subtraction, and in the list of what was
	// in flight when the run was given up, which for that has an error of its own.
	listed := int64(len(r.Stuck))
	check(q.Stuck == listed || q.Stuck > listed && listed == mostStuck, "requests submitted = completed + cancelled + failed + stuck")
	if v := r.Volume; v == nil {
		check(r.Block.Skipped == q.Cancelled.Skipped, "skipped by the block layer = skipped in the events")
	} else if q.Stuck == 0 {
		// A skipped I/O of a volume has a child or more of which all were skipped.
		check(r.Block.Skipped >= q.Cancelled.Skipped, "skipped by the block layers >= skipped in the events, over a volume")
		check(v.HedgesWon <= v.HedgesIssued, "hedged reads that won <= hedged reads")
		check(v.LosersCancelled+v.LosersLate <= v.HedgesIssued, "reads that lost <= hedged reads")
	}
	if r.Device.Counted && q.Stuck == 0 {
		b := &r.Block
		// A reset takes what the device has not fetched yet out of its queues.
		same, words := r.Device.Commands == b.Dispatched, "commands in the device = requests dispatched"
		if b.Resets > 0 {
			same, words = r.Device.Commands <= b.Dispatched, "commands in the device <= requests dispatched, with a reset"
		}
		check(same, words)
		check(b.Reached == r.forDisks()-b.Skipped-b.Rejected-b.Needless-b.Refused,
			"reached the device = submitted - skipped at dispatch - needless flushes - refused")
		check(b.Dispatched == b.Reached-b.Merged+b.Again+b.FlushesAdded,
			"requests dispatched = requests that reached it - merged + split off and sent again + flushes added")
		if a := r.Device.Aborts; a != nil {
			check(a.Completed07 == a.Aborted+a.Cancelled, "commands completed as aborted = aborts answered so + cancels counted")
			check(a.Aborted+a.Cancelled == b.Aborted, "aborted in the device = given back as aborted")
		}
	}
	r.Accounting.Device.Commands = r.Device.Commands
	r.Accounting.Balanced = len(bad) == 0
	r.Faults = slices.Concat([]string{}, bad)
	r.Odd = slices.Concat([]string{}, r.Odd)
}
