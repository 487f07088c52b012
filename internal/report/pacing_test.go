package report

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMergedPacingAddsUp(t *testing.T) {
	a := &Pacing{Requests: 100, LateAfterNs: 1000, Late: 1, DriftPPM: 8}
	b := &Pacing{Requests: 300, LateAfterNs: 1000, Late: 5, DriftPPM: 4}
	merge := func(all ...*Pacing) *Pacing {
		var runs []*Run
		for _, p := range all {
			runs = append(runs, &Run{Pacing: p})
		}
		return mergePacing(runs)
	}
	require.Equal(t, &Pacing{Requests: 400, LateAfterNs: 1000, Late: 6, DriftPPM: 5}, merge(a, b))
	require.Equal(t, a, merge(nil, a, nil))
	require.Nil(t, merge(nil, nil))
	require.Nil(t, merge(a, &Pacing{Requests: 1, LateAfterNs: 2000}, b), "they have counted differently")
	require.Equal(t, 0.015, merge(a, b).LateShare())
	require.Zero(t, (&Pacing{}).LateShare())
}

func TestDriftIsInPercent(t *testing.T) {
	for ppm, want := range map[float64]string{0: "0.0000 %", 0.4: "0.0000 %", -0.4: "0.0000 %", 1: "+0.0001 %", -120: "-0.0120 %", 10_000: "+1.0000 %"} {
		require.Equal(t, want, drift(ppm), ppm)
	}
}
