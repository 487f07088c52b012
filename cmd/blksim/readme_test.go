package main

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var updateReadme = flag.Bool("update-readme", false, "put what its first command prints into README.md")

// README's first command prints what stands below it. After a change of the model
// or of the table: go test ./cmd/blksim -run Readme -update-readme
func TestReadmeShowsWhatItsFirstCommandPrints(t *testing.T) {
	if testing.Short() {
		t.Skip("short: README's first command is run without -short")
	}
	const readme = "README.md"
	t.Chdir("../..")
	text, err := os.ReadFile(readme)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(text), "```sh\ngo run ./cmd/blksim ")
	require.True(t, ok, "no command in %s", readme)
	command, rest, ok := strings.Cut(rest, "\n```\n")
	require.True(t, ok)
	prose, rest, ok := strings.Cut(rest, "\n```\n")
	require.True(t, ok, "nothing below the command in %s", readme)
	shown, after, ok := strings.Cut(rest, "```\n")
	require.True(t, ok)

	code, out, errs := blksim(strings.Fields(command)...)
	require.Zero(t, code, errs)
	if *updateReadme {
		whole := before + "```sh\ngo run ./cmd/blksim " + command + "\n```\n" + prose + "\n```\n" + out + "```\n" + after
		require.NoError(t, os.WriteFile(readme, []byte(whole), 0o644))
		return
	}
	require.Equal(t, out, shown)
}
