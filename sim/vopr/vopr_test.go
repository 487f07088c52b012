package vopr_test

import (
	"flag"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/sim/vopr"
)

var (
	count = flag.Uint64("vopr.n", 0, "run this many seeds (0: ten thousand, or as many as fit into -vopr.for)")
	first = flag.Uint64("vopr.first", 1, "the first seed")
	lasts = flag.Duration("vopr.for", 4*time.Second, "how long to run seeds, where -vopr.n is not given; 3s at most with -short")
)

// TestSeeds runs ten thousand seeds, or as many as fit into the time, and prints
// how many: make vopr N=100000 runs more.
func TestSeeds(t *testing.T) {
	limit := *lasts
	if testing.Short() {
		limit = min(limit, 3*time.Second)
	}
	began := time.Now()
	var sum vopr.Report
	seeds := uint64(0)
	for seed := *first; ; seed++ {
		if *count > 0 && seeds == *count || *count == 0 && (seeds == 10_000 || time.Since(began) > limit) {
			break
		}
		rep, err := vopr.Run(vopr.Draw(seed))
		require.NoError(t, err)
		seeds++
		sum.Submitted += rep.Submitted
		sum.Skipped += rep.Skipped
		for st, n := range rep.Ended {
			sum.Ended[st] += n
		}
		for i, n := range rep.Answers {
			sum.Answers[i] += n
		}
	}
	t.Logf("%d seeds in %v: %d I/Os, %d ok, %d cancelled (%d of them skipped), %d others; cancels accepted %d, too late %d, not found %d",
		seeds, time.Since(began).Round(time.Millisecond), sum.Submitted, sum.Ended[aio.OK], sum.Ended[aio.Cancelled], sum.Skipped,
		sum.Submitted-sum.Ended[aio.OK]-sum.Ended[aio.Cancelled], sum.Answers[0], sum.Answers[1], sum.Answers[2])
	require.Positive(t, sum.Ended[aio.Cancelled]-sum.Skipped, "nothing was cancelled in a device")
	require.Positive(t, sum.Skipped)
	require.Greater(t, sum.Ended[aio.OK], sum.Submitted/4)
}

func TestASeedRunsTheSameWayEveryTime(t *testing.T) {
	digests := map[uint64]bool{}
	for seed := uint64(1); seed <= 60; seed++ {
		o := vopr.Draw(seed)
		a, err := vopr.Run(o)
		require.NoError(t, err)
		b, err := vopr.Run(o)
		require.NoError(t, err)
		require.Equal(t, a, b, "seed %d", seed)
		o.History = true
		c, err := vopr.Run(o)
		require.NoError(t, err)
		require.NotEmpty(t, c.History)
		require.Equal(t, a.Digest, c.Digest, "seed %d: keeping the history changes it", seed)
		digests[a.Digest] = true
	}
	require.Len(t, digests, 60)
}

// TestDrawsDiffer: every knob is turned, and every one is also left alone.
func TestDrawsDiffer(t *testing.T) {
	const seeds = 400
	for k := range vopr.NumKnobs {
		if k == vopr.Silent {
			continue
		}
		values := map[int64]int{}
		for seed := range uint64(seeds) {
			values[vopr.Draw(seed).Set[k]]++
		}
		require.GreaterOrEqual(t, len(values), 2, "knob %d", k)
	}
}

func TestOptionsAsText(t *testing.T) {
	o := vopr.Draw(5)
	require.Empty(t, o.String())
	require.NoError(t, o.Parse("driver=nvme+cancel=cancel,depth=3"))
	require.EqualValues(t, 3, o.Set[vopr.Depth])
	again := vopr.Draw(5)
	require.NoError(t, again.Parse(o.String()))
	require.Equal(t, o, again)
	for text, want := range map[string]string{
		"dept=3": `no option "dept": want one of driver, callback`, "depth=99": "depth=99: want 1 to 32",
		"depth=x": "depth=x: want 1 to 32", "driver=tape": "driver=tape: want one of ram example", "depth": "want 1 to 32",
	} {
		require.ErrorContains(t, o.Parse(text), want)
	}
}
