package figures

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// in makes a module's root the working directory: its docs/performance.md has the
// lines of two programs.
func in(t *testing.T, program string) (root string) {
	t.Helper()
	root = t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module m\n",
		"docs/performance.md": "before\n<!-- figures: go run ./bench/other -table -->\nits own\n<!-- end of figures -->\nbetween\n" +
			"<!-- figures: go run ./" + program + " -table -->\nold\n<!-- end of figures -->\nafter\n",
		program + "/keep": "",
	} {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	t.Chdir(root)
	return root
}

func constant(xs ...float64) func() (*Reading, error) {
	return func() (*Reading, error) { return &Reading{Ratios: xs, Detail: "detail"}, nil }
}

func program(rows ...Row) *Program {
	return &Program{Name: "bench/some", Total: time.Minute, Last: time.Minute, Rows: func(string, bool) []Row { return rows }}
}

func TestResultsBecomeTheProgramsTable(t *testing.T) {
	root := in(t, "bench/some")
	grid := &Grid{Title: "What was done.", Header: []string{"way", "took"}, Lines: [][]string{{"a", "1 ms"}, {"longer", "2 ms"}}}
	p := program(
		Row{Name: "good", Unit: "of this", Bar: AtMost(0.5, 0.1), Run: constant(0.2, 0.3, 0.4)},
		Row{Name: "bad", Unit: "of that", Bar: AtLeast(2, 0), Run: func() (*Reading, error) {
			return &Reading{Ratios: []float64{1}, Grid: grid}, nil
		}},
		Row{Name: "elsewhere", Unit: "x", Bar: AtMost(1, 0), Run: func() (*Reading, error) { return nil, Skip("not today") }},
	)
	var out, err bytes.Buffer
	require.Equal(t, 1, p.Main([]string{"-check", "-v"}, &out, &err), err.String())
	require.Contains(t, out.String(), "good 0.3 [0.22 0.38] n=3 must <= 0.5 aim <= 0.1\n  detail\n")
	require.Contains(t, out.String(), "bad 1 [1 1] n=1 must >= 2 aim - MISSED\n  What was done.\n  way     took\n  a       1 ms\n  longer  2 ms\n")
	require.Contains(t, out.String(), "elsewhere skipped: not today\n1 of 2 rows miss")

	var got []Result
	text, e := os.ReadFile(filepath.Join(root, "bench/some/results.json"))
	require.NoError(t, e)
	require.NoError(t, json.Unmarshal(text, &got))
	require.Len(t, got, 2)
	require.Equal(t, grid, got[1].Grid)

	require.Zero(t, p.Main([]string{"-table"}, &out, &err), err.String())
	doc, e := os.ReadFile(filepath.Join(root, "docs/performance.md"))
	require.NoError(t, e)
	require.True(t, strings.HasPrefix(string(doc), "before\n<!-- figures: go run ./bench/other -table -->\nits own\n<!-- end of figures -->\nbetween\n"))
	require.True(t, strings.HasSuffix(string(doc), "\n<!-- end of figures -->\nafter\n"))
	require.NotContains(t, string(doc), "old")
	for _, line := range []string{
		"| `good` | 0.3 | 0.22 to 0.38 | 3 | <= 0.5 | <= 0.1 | of this |",
		"| `bad` | 1 **missed** | 1 to 1 | 1 | >= 2 | - | of that |",
		"| `elsewhere` | not run | | | <= 1 | - | x |",
		"What was done.\n\n| way | took |\n|---|---|\n| a | 1 ms |\n| longer | 2 ms |",
	} {
		require.Contains(t, string(doc), line+"\n")
	}
}

func TestFailedRowsAreErrorsAfterTheOthers(t *testing.T) {
	in(t, "bench/some")
	ran, cleaned := false, 0
	p := program(
		Row{Name: "a", Run: func() (*Reading, error) { return nil, errors.New("broken") }},
		Row{Name: "b", Run: func() (*Reading, error) { ran = true; return &Reading{Ratios: []float64{1}}, nil }},
	)
	p.Cleanup = func() error { cleaned++; return nil }
	var out, err bytes.Buffer
	require.Equal(t, 2, p.Main(nil, &out, &err))
	require.True(t, ran)
	require.Equal(t, 1, cleaned)
	require.Contains(t, err.String(), "bench/some: a: broken")
	_, e := os.Stat("bench/some/results.json")
	require.ErrorIs(t, e, os.ErrNotExist)
}

func TestRowsAreChosenAndListed(t *testing.T) {
	in(t, "bench/some")
	p := program(Row{Name: "one", Run: constant(1)}, Row{Name: "two", Run: constant(2)})
	var out, err bytes.Buffer
	require.Zero(t, p.Main([]string{"-list"}, &out, &err))
	require.Equal(t, "one\ntwo\n", out.String())
	out.Reset()
	require.Zero(t, p.Main([]string{"-run", "^tw", "-o", "some.json"}, &out, &err))
	require.NotContains(t, out.String(), "one")
	got, e := readResults("some.json")
	require.NoError(t, e)
	require.Len(t, got, 1)
	for _, args := range [][]string{{"-run", "three"}, {"-run", "("}, {"word"}, {"-none"}} {
		require.Equal(t, 2, p.Main(args, &out, &err), args)
	}
	require.Equal(t, 2, p.Main([]string{"-table"}, &out, &err), "without results")
}

func TestTableRefusesWhatDoesNotBelongTogether(t *testing.T) {
	rows := []Row{{Name: "a"}, {Name: "b"}}
	_, err := table([]Result{{Name: "a"}, {Name: "b", Run: About{Commit: "x"}}}, rows)
	require.ErrorContains(t, err, "different runs")
	_, err = table([]Result{{Name: "c"}}, rows)
	require.ErrorContains(t, err, "no more")
	_, err = table(nil, rows)
	require.ErrorContains(t, err, "no results")
	_, err = replaceBetween([]byte("begin\nand no end"), "begin", "text")
	require.Error(t, err)
	_, err = replaceBetween([]byte("nothing"), "begin", "text")
	require.Error(t, err)
}

func TestSpread(t *testing.T) {
	median, low, high := Spread([]float64{10, 0, 5})
	require.Equal(t, []float64{5, 1, 9}, []float64{median, low, high})
	median, _, _ = Spread(nil)
	require.NotEqual(t, median, median, "of none there is no median")
	require.True(t, (&Result{Ratio: median, Must: 1, Better: "lower"}).missed(), "and so it is missed")
}
