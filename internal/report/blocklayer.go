package report

// block writes what the block layer did besides handing requests on, if anything.
func (t *rows) block() {
	lines := []struct {
		label string
		n     func(b *Block) int64
	}{
		{"merged into another request", func(b *Block) int64 { return b.Merged }},
		{"split off, left over or sent again", func(b *Block) int64 { return b.Again }},
		{"flushes added around writes", func(b *Block) int64 { return b.FlushesAdded }},
		{"put off by the driver", func(b *Block) int64 { return b.Busy }},
		{"not answered in time", func(b *Block) int64 { return b.Timeouts }},
		{"interrupts lost", func(b *Block) int64 { return b.LostInterrupts }},
		{"requeued", func(b *Block) int64 { return b.Retried }},
		{"given up", func(b *Block) int64 { return b.GivenUp }},
		{"device resets", func(b *Block) int64 { return b.Resets }},
	}
	some := false
	for _, r := range t.runs {
		for _, l := range lines {
			some = some || l.n(&r.Block) != 0
		}
	}
	if !some {
		return
	}
	t.heading("block layer")
	for _, l := range lines {
		t.number(l.label, false, func(r *Run) int64 { return l.n(&r.Block) })
	}
}
