package replay_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"blksim/internal/replay"
	"blksim/traces"
)

func TestRedirectsAreReadAsTheyAreWritten(t *testing.T) {
	for text, want := range map[string]replay.Redirect{
		"none": {}, "wrap": {Kind: replay.RedirectWrap}, "scale": {Kind: replay.RedirectScale},
		"scale:2TiB": {Kind: replay.RedirectScale, From: 2 << 40}, "offset:1MiB": {Kind: replay.RedirectOffset, Shift: 1 << 20},
		"offset:-4KiB": {Kind: replay.RedirectOffset, Shift: -4096},
	} {
		got, err := replay.ParseRedirect(text)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Equal(t, text, got.String())
	}
	for _, text := range []string{"modulo", "wrap:1", "scale:", "scale:0", "scale:x", "offset", "offset:", "offset:--1", "offset:1q", "none:1"} {
		_, err := replay.ParseRedirect(text)
		require.ErrorContains(t, err, "want none, wrap, scale", text)
	}
}

// redirected replays reads of a block at those offsets on a disk of 1 MiB with blocks
// of 4 KiB, and says how they were counted.
func redirected(t *testing.T, to replay.Redirect, offsets ...int64) *replay.Result {
	t.Helper()
	var recs []traces.Record
	for i, off := range offsets {
		recs = append(recs, traces.Record{Offset: off, Length: 4096, CancelAfter: -1, Line: int64(i + 1)})
	}
	res, err := run(t, replay.Config{Redirect: to, SkipBad: true}, &serial{}, &slice{recs: recs})
	require.NoError(t, err)
	return res
}

func TestOffsetsAreScaledInProportion(t *testing.T) {
	to := replay.Redirect{Kind: replay.RedirectScale, From: 1 << 40}
	res := redirected(t, to, 0, 1<<39, 1<<40-4096)
	require.EqualValues(t, 3, res.Replayed)
	require.EqualValues(t, 3, res.Moved)
	require.EqualValues(t, 1, res.Expanded, "a scaled offset is not on a block by itself")
	// What lies beyond the size that was said is still an error.
	res = redirected(t, to, 1<<40, 1<<41)
	require.EqualValues(t, 2, res.Skipped["beyond the end of the device"])
}

func TestOffsetsAreMoved(t *testing.T) {
	res := redirected(t, replay.Redirect{Kind: replay.RedirectOffset, Shift: -1 << 40}, 1<<40, 1<<40+8192, 1<<40-4096, 2<<40)
	require.EqualValues(t, 2, res.Replayed)
	require.EqualValues(t, 1, res.Skipped["moved to before the begin of the device"])
	require.EqualValues(t, 1, res.Skipped["beyond the end of the device"])
}

// TestNoRedirectLeavesTheDisk: whatever the offsets and the way, what is run lies on
// the disk, and every record is accounted for.
func TestNoRedirectLeavesTheDisk(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		to := replay.Redirect{Kind: replay.RedirectKind(rapid.IntRange(0, 3).Draw(rt, "kind"))}
		to.Shift = rapid.Int64Range(-1<<61, 1<<61).Draw(rt, "shift")
		to.From = rapid.Int64Range(1, 1<<62).Draw(rt, "from")
		offsets := rapid.SliceOfN(rapid.Int64Range(0, 1<<62), 1, 20).Draw(rt, "offsets")
		res := redirected(t, to, offsets...)
		n := res.Replayed
		for _, k := range res.Skipped {
			n += k
		}
		require.EqualValues(t, len(offsets), n)
		require.Equal(t, res.Replayed, res.Completed, "the disk takes what it gets")
		if to.Kind == replay.RedirectWrap {
			require.EqualValues(t, 0, res.Skipped["moved to before the begin of the device"])
		}
	})
}

func TestASurveySaysWhatATraceWouldDo(t *testing.T) {
	recs := []traces.Record{
		{Offset: 1 << 30, Length: 4096, Op: traces.Read}, {Offset: 8192, Length: 4096, Op: traces.Write},
		{Op: traces.Flush}, {Offset: 4096, Length: 512, Op: traces.Discard}, {Offset: 65536, Length: 512, Op: traces.WriteZeroes},
	}
	require.Equal(t, replay.Survey{Records: 5, End: 1<<30 + 4096, Writes: 3, WriteBytes: 5120, WriteFrom: 4096, WriteEnd: 66048}, replay.Look(&slice{recs: recs}))
}
