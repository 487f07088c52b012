package delay_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/driver/delay"
	"blksim/sim"
)

func TestDistributionsHaveTheirMeanAndTheirBounds(t *testing.T) {
	const us = time.Microsecond
	for _, c := range []struct {
		text           string
		low, high      time.Duration
		mean, accuracy time.Duration
	}{
		{"fixed:100us", 100 * us, 100 * us, 100 * us, 0},
		{"fixed:0s", 0, 0, 0, 0},
		{"uniform:10us-30us", 10 * us, 30 * us, 20 * us, us},
		{"uniform:10us-10us", 10 * us, 10 * us, 10 * us, 0},
		{"exp:50us", 0, math.MaxInt64, 50 * us, us},
		{"9*fixed:10us 1*fixed:1010us", 10 * us, 1010 * us, 110 * us, 10 * us},
	} {
		d, err := delay.Parse(c.text)
		require.NoError(t, err)
		r := sim.NewRand(1, c.text)
		var sum time.Duration
		const n = 20_000
		for range n {
			x := d.Draw(r)
			require.GreaterOrEqual(t, x, c.low, c.text)
			require.LessOrEqual(t, x, c.high, c.text)
			sum += x
		}
		require.InDelta(t, c.mean, sum/n, float64(c.accuracy), c.text)
	}
}

func TestADistributionThatIsNoneSaysWhichPartAndWhatWasExpected(t *testing.T) {
	for _, c := range [][2]string{
		{"", "want a distribution"},
		{"100us", "want fixed:D, uniform:LOW-HIGH or exp:MEAN"},
		{"fixed", `duration ""`},
		{"fixed:-1us", `duration "-1us": want 0s to 1h0m0s`},
		{"exp:2h", `duration "2h"`},
		{"uniform:5us", `duration ""`},
		{"uniform:5us-1us", "1µs is less than 5µs"},
		{"0*fixed:1us", "want a weight"},
		{"x*fixed:1us", "want a weight"},
		{"1*fixed:1us exp:2us", `"exp:2us": want a weight`},
		{"1*other:1us", `"other:1us"`},
	} {
		_, err := delay.Parse(c[0])
		require.ErrorContains(t, err, c[1], c[0])
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"fixed:100us", "uniform:1ms-2ms", "exp:3us", "99*exp:80us 1*fixed:10ms", "1*", "*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := delay.Parse(s)
		if err != nil {
			return
		}
		again, err := delay.Parse(d.String())
		require.NoError(t, err, "what String says, Parse reads")
		require.Equal(t, d, again)
		require.GreaterOrEqual(t, d.Draw(sim.NewRand(1, "")), time.Duration(0))
	})
}
