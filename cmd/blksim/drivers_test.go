package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckDriverPrintsAVerdictForEachRule(t *testing.T) {
	code, out, errs := blksim("check-driver", "example,callback=off", "--seeds=5")
	require.Zero(t, code, errs)
	require.Regexp(t, `(?m)^complete-once +pass +5  a request is completed exactly once`, out)
	require.Regexp(t, `(?m)^cancel-twice +not claimed +0  `, out)
	require.Contains(t, out, "0 fail")
}

func TestCheckDriverShowsTheWayOfTheRequestThatBrokeARule(t *testing.T) {
	code, out, errs := blksim("check-driver", "broken:cancel-twice", "--rule=cancel-twice", "--seeds=40")
	require.Equal(t, exitDevice, code)
	require.Contains(t, errs, "breaks the contract: cancel-twice")
	require.Regexp(t, `(?m)^cancel-twice +FAIL`, out)
	require.Regexp(t, `q0 tag \d+\.\d+ submit .*\n(.*\n)*.* cancel\n(.*\n)*.* complete: cancelled n=0\n(.*\n)*.* complete: cancelled n=0`, out)
	require.Contains(t, out, "or: blksim check-driver broken:cancel-twice --rule cancel-twice --seed ")
}

func TestDriverCommandsRefuseWhatTheyDoNotKnow(t *testing.T) {
	for want, args := range map[string][]string{
		`did you mean "nvme"`:         {"check-driver", "nvmf"},
		`no rule "x"`:                 {"check-driver", "null", "--rule=x"},
		"want the name of a driver":   {"check-driver"},
		"no option --sed":             {"check-driver", "null", "--sed=1"},
		"want blksim new driver NAME": {"new", "disk"},
		"want a Go package name":      {"new", "driver", "My-Driver"},
		`no broken driver for rule`:   {"check-driver", "broken:nothing"},
	} {
		code, _, errs := blksim(args...)
		require.Equal(t, exitUsage, code, args)
		require.Contains(t, errs, want)
	}
}

func TestNewDriverSaysWhatItWroteAndWhatIsNext(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mydisk")
	code, out, errs := blksim("new", "driver", dir, "--callback")
	require.Zero(t, code, errs)
	require.Contains(t, out, "disk.go, cancel.go, go.mod, disk_test.go")
	require.Contains(t, out, "next: cd "+dir+" && go test")
	code, _, errs = blksim("new", "driver", dir)
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "exists: nothing was written")
}

func TestDriversListsThem(t *testing.T) {
	code, out, _ := blksim("drivers")
	require.Zero(t, code)
	for _, name := range []string{"null", "ram", "nvme", "nvme,callback=off", "delay", "fault", "trace"} {
		require.Regexp(t, `(?m)^`+name+` `, out)
	}
}
