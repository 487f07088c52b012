package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAViewOfDisksIsRefusedForWhatItCannotBe(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"snoop", "--pid=0"}, `pid "0"`},
		{[]string{"snoop", "--comm=[x"}, "want a shell pattern"},
		{[]string{"snoop", "--op=seek"}, "seek"},
		{[]string{"snoop", "--min-latency=fast"}, "fast"},
		{[]string{"snoop", "sda"}, "sda"},
		{[]string{"top", "--interval=1us"}, "want 1ms or more"},
		{[]string{"top", "--sort=name"}, "iops, bandwidth, time"},
		{[]string{"biolatency", "--per-device"}, "want the devices by --device"},
		{[]string{"biolatency", "--comm=x"}, "no option --comm"},
		{[]string{"biolatency", "--count=99999999999999999999"}, "whole number"},
	} {
		code, out, errs := blksim(c.args...)
		require.NotZero(t, code)
		require.NotEqual(t, exitDevice, code, "%v: %s", c.args, errs)
		require.Contains(t, errs, c.says, "%v", c.args)
		require.Empty(t, out)
	}
}
