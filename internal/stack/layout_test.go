package stack_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	volume "blksim/blk/stack"
	"blksim/internal/stack"
)

func TestLayoutsAndHedgesReadWhatTheyWrite(t *testing.T) {
	for text, want := range map[string]stack.Layout{
		"": {}, "linear:1": {Kind: "linear", Disks: 1}, "mirror:3": {Kind: "mirror", Disks: 3},
		"stripe:16:64KiB": {Kind: "stripe", Disks: 16, Chunk: 64 << 10},
	} {
		got, err := stack.ParseLayout(text)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Equal(t, text, got.String())
	}
	l, err := stack.ParseLayout("stripe:2")
	require.NoError(t, err)
	require.Equal(t, "stripe:2:512KiB", l.String())
	for text, want := range map[string]volume.Hedge{
		"": {}, "500us": {Delay: 500 * time.Microsecond}, "2ms:12.5%": {Delay: 2 * time.Millisecond, Budget: 125},
		"p95": {Delay: 10 * time.Millisecond, Quantile: 950}, "p99.9:100%": {Delay: 10 * time.Millisecond, Quantile: 999, Budget: 1000},
	} {
		got, err := stack.ParseHedge(text)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Equal(t, text, stack.FormatHedge(got))
	}
}

func TestLayoutsAndHedgesThatMakeNoSenseSayWhy(t *testing.T) {
	for text, says := range map[string]string{
		"raid5:3": "no such layout", "mirror": "no number", "mirror:1": "2 to 16 disks, not \"1\"", "linear:17": "1 to 16", "linear:0": "1 to 16",
		"linear:x": `"x"`, "linear:2:4k": `"4k" too many`, "stripe:2:0": `chunk "0"`, "stripe:2:x": `chunk "x"`, "stripe:2:4k:1": "too many",
	} {
		_, err := stack.ParseLayout(text)
		require.ErrorContains(t, err, says, text)
		require.ErrorContains(t, err, "want linear:N", text)
	}
	for text, says := range map[string]string{
		"p100": "p0.1 to p99.9", "p0": "p0.1", "p99.95": "steps of 0.1", "pNaN": "p0.1", "5": "no delay", "0s": "no delay", "-1ms": "no delay",
		"1ms:5": "a budget is", "1ms:": "a budget is", "1ms:0%": "a budget is", "p95:101%": "a budget is",
	} {
		_, err := stack.ParseHedge(text)
		require.ErrorContains(t, err, says, text)
		require.ErrorContains(t, err, "want DELAY", text)
	}
}

func FuzzLayoutAndHedge(f *testing.F) {
	for _, s := range []string{"stripe:3:64KiB", "mirror:2", "linear:4", "none", "p99.5:2%", "500us:10%", "p95"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if l, err := stack.ParseLayout(text); err == nil {
			again, err := stack.ParseLayout(l.String())
			require.NoError(t, err)
			require.Equal(t, l, again)
		}
		if h, err := stack.ParseHedge(text); err == nil {
			require.True(t, h == volume.Hedge{} || h.Validate() == nil, "%+v", h)
			again, err := stack.ParseHedge(stack.FormatHedge(h))
			require.NoError(t, err)
			require.Equal(t, h, again)
		}
	})
}
