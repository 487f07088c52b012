package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/internal/profile"
)

func TestProfileListsShowsAndChecks(t *testing.T) {
	code, list, errs := blksim("profile", "list")
	require.Zero(t, code, errs)
	for _, name := range profile.Names() {
		require.Contains(t, list, name)
		code, text, errs := blksim("profile", "show", name)
		require.Zero(t, code, errs)
		copied := file(t, name+".toml", text)
		code, out, errs := blksim("profile", "check", copied)
		require.Zero(t, code, errs)
		require.Contains(t, out, copied+": good: ")
	}
	code, keys, _ := blksim("profile", "show", "--keys")
	require.Zero(t, code)
	require.Contains(t, keys, "media.program")

	bad := file(t, "bad.toml", "description = \"x\"\n[media]\nkind = \"flush\"\n")
	code, out, errs := blksim("profile", "check", bad, "null")
	require.Equal(t, exitInput, code)
	require.Contains(t, errs, "bad.toml:3: media.kind")
	require.Contains(t, out, "null: good", "the others are checked all the same")
	for _, args := range [][]string{{"profile", "show"}, {"profile", "check"}, {"profile", "lst"}, {"profile", "show", "--keys", "null"}} {
		code, _, _ := blksim(args...)
		require.Equal(t, exitUsage, code, args)
	}
}
