package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/internal/inventory"
	"blksim/internal/loopdev"
)

func TestListTellsWhichDisksAreUsableAndWhyNot(t *testing.T) {
	l := loopdev.LoopFor(t, 64<<20, loopdev.Options{})
	m := loopdev.MountFor(t, l.Path(), "ext4")
	code, out, errs := blksim("list", "--output-format=json")
	require.Zero(t, code, errs)
	var list inventory.List
	require.NoError(t, json.Unmarshal([]byte(out), &list))
	require.Equal(t, inventory.Schema, list.Schema)
	found := false
	for _, d := range list.Disks {
		if d.Path == l.Path() {
			found = true
			require.True(t, d.Read)
			require.Equal(t, inventory.WriteNo, d.Write)
			require.Equal(t, []string{"mounted on " + m.Dir() + " (ext4)"}, d.Why)
		}
	}
	require.True(t, found)
	code, out, errs = blksim("list")
	require.Zero(t, code, errs)
	require.Contains(t, out, l.Path())
	require.Contains(t, out, "    mounted on "+m.Dir()+" (ext4)\n")
	code, _, _ = blksim("list", "extra")
	require.NotZero(t, code)
}
