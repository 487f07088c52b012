package threshold_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/internal/hist"
	"blksim/internal/report"
	"blksim/internal/threshold"
)

// run has reads of 1 to 100 us, one each.
func run(scale int64) *report.Run {
	h := &hist.Histogram{}
	for i := range int64(100) {
		h.Add((i + 1) * 1000 * scale)
	}
	r := &report.Run{Name: "r", IOPS: 1000, Bandwidth: 4096000, Ops: map[string]report.OpRun{"read": {LatencyNs: report.Sum(h), QueueNs: report.Sum(h)}}}
	r.Ops["all"] = r.Ops["read"]
	r.Accounting.Requests = report.Requests{Submitted: 200, Completed: 190, Cancelled: report.Cancelled{Skipped: 3, Aborted: 7}}
	return r
}

func TestDemandsOnARun(t *testing.T) {
	for s, ok := range map[string]bool{
		"p(99)<100us": true, "p(99)<90us": false, "p(99.9)<=101us": true, "p(50)>49us": true, "read.p(50)<60us": true,
		"write.p(50)<60us": false, "max<=100us": true, "max<100us": false, "min>=1us": true, "mean<51us": true, "queue.p(10)<1us": false,
		"all.queue.p(10)<11us": true, "iops>=1000": true, "iops>1000": false, "bandwidth>3M": true, "bandwidth>4MiB/s": false,
		"failed<1": true, "cancelled<5%": false, "cancelled<=5%": true, "cancelled<=9": false, "completed>190": false, "late<1": true,
		" p(99) < 2ms": true,
	} {
		d, err := threshold.Parse(s, false)
		require.NoError(t, err, s)
		err = d.Check(run(1))
		require.Equal(t, ok, err == nil, "%s: %v", s, err)
		if !ok {
			require.ErrorContains(t, err, `run "r"`)
		}
	}
}

func TestDemandsOnAChange(t *testing.T) {
	for s, ok := range map[string]bool{"p(99)<+5%": false, "p(99)<101%": true, "p(50)>90%": true, "iops>-3%": true, "iops<0%": false, "failed<=0%": true} {
		d, err := threshold.Parse(s, true)
		require.NoError(t, err, s)
		err = d.CheckChange(run(1), run(2))
		require.Equal(t, ok, err == nil, "%s: %v", s, err)
	}
}

func TestWhatIsNoDemandIsRefused(t *testing.T) {
	for s, says := range map[string]string{"p99<2ms": "want METRIC<LIMIT", "p(99)=2ms": "want METRIC", "p(0)<2ms": "percentile", "p(101)<2ms": "percentile",
		"p(99)<2": "duration", "p(99)<5%": "percent of what", "iops>5ms": "threshold", "foo<3": `metric "foo"`, "read.iops>3": "of the whole run",
		"": "want METRIC", "max": "want METRIC", "min>-5us": "duration"} {
		_, err := threshold.Parse(s, false)
		require.ErrorContains(t, err, says, s)
	}
	_, err := threshold.Parse("p(99)<2ms", true)
	require.ErrorContains(t, err, "want a change in percent")
}

func FuzzParse(f *testing.F) {
	f.Add("read.queue.p(99.9)<=2ms", false)
	f.Add("iops>-3%", true)
	f.Fuzz(func(t *testing.T, s string, change bool) {
		if d, err := threshold.Parse(s, change); err == nil {
			_ = d.Check(run(1))
			_ = d.CheckChange(run(1), run(3))
		}
	})
}
