package threshold_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/internal/hist"
	"blksim/internal/report"
	"blksim/internal/threshold"
)

func TestMaxSlipIsOfTheShareThatWasLater(t *testing.T) {
	h := &hist.Histogram{}
	h.Add(int64(5 * time.Millisecond))
	paced := func(late int64) *report.Run {
		return &report.Run{Name: "r", SlipNs: report.Sum(h), Pacing: &report.Pacing{Requests: 1000, LateAfterNs: int64(time.Millisecond), Late: late}}
	}
	for _, c := range []struct {
		demand string
		run    *report.Run
		says   string // "": it is met
	}{
		{"1ms", paced(0), ""},
		{"1ms", paced(1), "submitted 1 of 1000 requests later than that (0.1 %), the latest by 5ms"},
		{"1ms:0.1%", paced(1), ""},
		{"1ms:0.1%", paced(2), "2 of 1000"},
		{"1ms:100%", paced(1000), ""},
		{"2ms", paced(0), "counted what was later than 1ms"},
		{"1ms", &report.Run{Name: "r"}, "no requests that were due"},
		{"1ms", &report.Run{Name: "r", Pacing: &report.Pacing{LateAfterNs: 1e6}}, "no requests that were due"},
		{"", &report.Run{}, ""},
	} {
		s, err := threshold.ParseSlip(c.demand)
		require.NoError(t, err)
		require.Equal(t, c.demand, s.String())
		if err = s.Check(c.run); c.says == "" {
			require.NoError(t, err, c.demand)
			continue
		}
		require.ErrorContains(t, err, c.says, c.demand)
	}
}

func TestWhatIsNoSlipIsRefused(t *testing.T) {
	for _, text := range []string{"0", "-1ms", "1", "x", "1ms:", "1ms:5", "1ms:-1%", "1ms:101%", "1ms:NaN%", ":1%"} {
		_, err := threshold.ParseSlip(text)
		require.ErrorContains(t, err, "max-slip", text)
	}
}
