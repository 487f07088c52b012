package example_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/driver/example"
)

// code is Go source without its comments, blank lines and indentation.
func code(text string) (lines []string) {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "//")
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

func source(t *testing.T, name string) string {
	t.Helper()
	text, err := fs.ReadFile(example.Source(), name)
	require.NoError(t, err)
	return string(text)
}

// TestTheDocumentationOfPackageDriverShowsThisDriver keeps the driver that the
// documentation shows from drifting away from the one that is compiled and tested.
func TestTheDocumentationOfPackageDriverShowsThisDriver(t *testing.T) {
	text, err := os.ReadFile("../doc.go")
	require.NoError(t, err)
	f, err := parser.ParseFile(token.NewFileSet(), "doc.go", text, parser.ParseComments)
	require.NoError(t, err)
	var shown strings.Builder
	for line := range strings.Lines(f.Doc.Text()) {
		if strings.HasPrefix(line, "\t") {
			shown.WriteString(line)
		}
	}
	_, disk, _ := strings.Cut(source(t, "disk.go"), ")\n") // after the imports
	_, cancel, _ := strings.Cut(source(t, "cancel.go"), ")\n")
	require.Equal(t, append(code(disk), code(cancel)...), code(shown.String()))
}

func TestTheDriverIsShort(t *testing.T) {
	require.Less(t, len(code(source(t, "disk.go"))), 60)
	require.Equal(t, 1, strings.Count(source(t, "cancel.go"), "func "), "the flavours differ by one method")
}
