package main

import (
	"time"

	"blksim/blk"
	"blksim/blk/sched"
	"blksim/internal/option"
)

// blockSettings are the values of the block layer's options.
type blockSettings struct {
	scheduler   string
	noMerges    bool
	lazyCancel  bool
	maxTransfer int64
	boundary    int64
	timeout     time.Duration
	discard     string
}

func defaultBlock() blockSettings {
	return blockSettings{scheduler: sched.None, discard: "refuse"}
}

func (s *settings) blockOptions() option.Group {
	b := &s.block
	return option.Group{Title: "Block layer", Rows: []option.Row{
		{Name: "scheduler", Value: option.Enum(&b.scheduler, sched.Names()...), Usage: "order of what waits: none (as it came), mq-deadline (sorted, with an expiry), kyber (tokens by latency target)"},
		{Name: "nomerges", Value: option.Bool(&b.noMerges), Usage: "send adjacent requests that wait one by one, not as one"},
		{Name: "max-transfer", Value: option.Size(&b.maxTransfer), Usage: "split reads and writes longer than this (0: the driver's limit)"},
		{Name: "boundary", Value: option.Size(&b.boundary), Usage: "split reads and writes that cross a multiple of this (0: the driver's)"},
		{Name: "discards", Value: option.Enum(&b.discard, "refuse", "ignore", "zero"), Usage: "discards where the device has none: refuse, ignore, or write zeroes"},
		{Name: "io-timeout", Value: option.Duration(&b.timeout), Usage: "poll for, abort, and last reset the device for a request that it has not answered for so long (0: wait for ever)"},
		{Name: "lazy-cancel", Value: option.Bool(&b.lazyCancel), Usage: "leave cancelled requests in the queue until their turn comes"},
	}}
}

// options turns the settings into the block layer's.
func (b *blockSettings) options() blk.Options {
	return blk.Options{
		Scheduler: sched.Config{Name: b.scheduler}, NoMerges: b.noMerges, LazyCancel: b.lazyCancel,
		MaxTransfer: b.maxTransfer, Boundary: b.boundary, Timeout: b.timeout,
		Discard:    map[string]blk.DiscardPolicy{"ignore": blk.DiscardIgnore, "zero": blk.DiscardZero}[b.discard],
		Histograms: true,
	}
}
