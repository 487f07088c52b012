package report

import (
	volume "blksim/blk/stack"
)

// Volume is the account of what makes one volume of several disks.
type Volume struct {
	Rejected int64 `json:"rejected"`
	IOs      int64 `json:"ios"`      // that were cut
	Children int64 `json:"children"` // requests that the disks got for them
	Waited   int64 `json:"waited"`   // for room for a child
	Kept     int64 `json:"kept"`     // cancelled, but all or none, and begun

	ReadRetries int64 `json:"read_retries"`
	LegsLost    int64 `json:"legs_lost"`

	HedgesIssued    int64 `json:"hedges_issued"`
	HedgesWon       int64 `json:"hedges_won"`
	HedgesDenied    int64 `json:"hedges_denied"` // over the budget
	LosersCancelled int64 `json:"losers_cancelled_in_time"`
	LosersLate      int64 `json:"losers_too_late"`
}

func volumeCounts(v *volume.Stats) *Volume {
	return &Volume{Rejected: v.Rejected, IOs: v.IOs, Children: v.Children, Waited: v.Waited, Kept: v.Kept,
		ReadRetries: v.ReadRetries, LegsLost: v.LegsLost,
		HedgesIssued: v.HedgesIssued, HedgesWon: v.HedgesWon, HedgesDenied: v.HedgesDenied,
		LosersCancelled: v.LosersCancelled, LosersLate: v.LosersLate}
}

// stacked is the volume's account, all zeroes where there is one disk.
func (r *Run) stacked() Volume {
	if r.Volume == nil {
		return Volume{}
	}
	return *r.Volume
}

// forDisks is how many requests the disks got: the user's, or what a volume made
// of them.
func (r *Run) forDisks() int64 {
	v := r.stacked()
	return r.Accounting.Requests.Submitted - v.IOs - v.Rejected + v.Children
}

// volume writes what the volume did.
func (t *rows) volume() {
	some := false
	for _, r := range t.runs {
		some = some || r.Volume != nil
	}
	if !some {
		return
	}
	t.heading("volume")
	for _, l := range []struct {
		label  string
		always bool
		n      func(v Volume) int64
	}{
		{"requests to the disks", true, func(v Volume) int64 { return v.Children }},
		{"waited for room", false, func(v Volume) int64 { return v.Waited }},
		{"cancels too late: all or none", false, func(v Volume) int64 { return v.Kept }},
		{"reads asked of another leg", false, func(v Volume) int64 { return v.ReadRetries }},
		{"LEGS LOST", false, func(v Volume) int64 { return v.LegsLost }},
		{"hedged reads", t.runs[0].Setup.Hedge != "", func(v Volume) int64 { return v.HedgesIssued }},
		{"  answered first", false, func(v Volume) int64 { return v.HedgesWon }},
		{"  loser cancelled in time", false, func(v Volume) int64 { return v.LosersCancelled }},
		{"  loser done all the same", false, func(v Volume) int64 { return v.LosersLate }},
		{"  not sent: over the budget", false, func(v Volume) int64 { return v.HedgesDenied }},
	} {
		t.number(l.label, l.always, func(r *Run) int64 { return l.n(r.stacked()) })
	}
}
