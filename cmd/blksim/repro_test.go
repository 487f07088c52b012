package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReproRunsASeedTheSameWayAgain(t *testing.T) {
	code, first, errs := blksim("repro", "7", "--history")
	require.Zero(t, code, errs)
	require.Regexp(t, `(?m)^ +[0-9a-zµ.]+  submit I/O 0\.1 write of blocks 0\+`, first)
	require.Regexp(t, `(?m)^ +[0-9a-zµ.]+ +driver 0: q0 tag \d+\.1 submit write off=0 `, first)
	require.Regexp(t, `(?m)^seed 7: driver=`, first)
	_, second, _ := blksim("repro", "7", "--history")
	require.Equal(t, first, second)
	_, changed, _ := blksim("repro", "7", "--set", "depth=1,queues=1", "--set=ios=9")
	require.Contains(t, changed, " depth=1 ")
	require.Contains(t, changed, " ios=9 ")
}

func TestReproRunsManySeeds(t *testing.T) {
	code, out, errs := blksim("repro", "1", "--seeds=5")
	require.Zero(t, code, errs)
	require.Regexp(t, `(?s)seed 1:.*seed 5:`, out)
}

func TestReproRefusesWhatIsNoSeedOrOption(t *testing.T) {
	for want, args := range map[string][]string{
		`seed "x": want a number`:  {"repro", "x"},
		"want a seed":              {"repro"},
		`no option "dept"`:         {"repro", "1", "--set=dept=3"},
		"depth=1000: want 1 to 32": {"repro", "1", "--set=depth=1000"},
	} {
		code, _, errs := blksim(args...)
		require.Equal(t, exitUsage, code)
		require.Contains(t, errs, want)
	}
}
