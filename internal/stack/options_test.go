package stack

import (
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/driver/nvme"
)

func TestOptionsOfDriverNVMe(t *testing.T) {
	for _, c := range []struct {
		in, canonical string
		want          nvmeOptions
	}{
		{"", "", nvmeOptions{true, nvme.ByAbort}},
		{"callback=on", "", nvmeOptions{true, nvme.ByAbort}},
		{"callback=off", ",callback=off", nvmeOptions{false, nvme.ByAbort}},
		{"callback=off,cancel=abort", ",callback=off", nvmeOptions{false, nvme.ByAbort}},
		{"cancel=abort", "", nvmeOptions{true, nvme.ByAbort}},
		{"cancel=cancel", ",cancel=cancel", nvmeOptions{true, nvme.ByCancel}},
		{"cancel=auto,callback=on", ",cancel=auto", nvmeOptions{true, nvme.ByAuto}},
	} {
		got, canonical, err := parseNVMe(c.in)
		require.NoError(t, err, c.in)
		require.Equal(t, c.want, got, c.in)
		require.Equal(t, c.canonical, canonical, c.in)
	}
	for in, want := range map[string]string{
		"cancel=maybe":             `option "cancel=maybe"`,
		"callback":                 `option "callback"`,
		"callback=off,cancel=auto": "cancel=auto has no use",
	} {
		_, _, err := parseNVMe(in)
		require.ErrorContains(t, err, want)
	}
}
