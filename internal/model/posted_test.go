package model

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// show runs one configuration of the protocol of 2013, which must fail, and
// prints how.
func show(t *testing.T, p *Posted) {
	r, err := Check[oldWorld](p, 1<<16)
	require.NoError(t, err)
	require.NotNil(t, r.Finding, "(%s) is not found in %d states", p.Defect, r.States)
	trace := r.Finding.String()
	require.Contains(t, trace, p.must)
	t.Logf("(%s) %s\n%s", p.Defect, p.What, trace)
}

// Each defect of the protocol as it was posted that a model can show, happening.
func TestPosted(t *testing.T) {
	var letters []string
	for _, p := range PostedDefects(false) {
		letters = append(letters, p.Defect)
		t.Run(p.Defect+" "+p.What, func(t *testing.T) { show(t, p) })
	}
	require.Equal(t, strings.Split("a d e f g h i k l", " "), letters)
}

// The repair in one line mends (a), and nothing else.
func TestPostedAndRepairedInOneLine(t *testing.T) {
	for _, p := range PostedDefects(true) {
		t.Run(p.Defect+" "+p.What, func(t *testing.T) {
			if p.Defect != "a" {
				show(t, p)
				return
			}
			r, err := Check[oldWorld](p, 1<<16)
			require.NoError(t, err)
			require.Nil(t, r.Finding, "(a) is what the line repairs")
			t.Logf("repaired: %v", r)
		})
	}
}

// What no model of the protocol shows is tested on the code.
func TestPostedDefectsOfNoProtocol(t *testing.T) {
	code, err := os.ReadFile("../../aio/defects_test.go")
	require.NoError(t, err)
	for _, d := range []struct{ letter, what string }{
		{"b", "lookup reads one past the last id: an index, and not a schedule"},
		{"c", "a failed page allocation leaks the tag: one thread does it"},
		{"j", "a miss answers success, and a match always the same: what the answers mean"},
		{"m", "the slot is freed after the context's last reference: memory that outlives its owner"},
	} {
		name := regexp.MustCompile(`func (TestDefect` + strings.ToUpper(d.letter) + `_\w+)\(t \*testing\.T\)`).FindSubmatch(code)
		require.NotNil(t, name, "no test of defect (%s) in aio/defects_test.go", d.letter)
		t.Logf("(%s) %s: aio.%s", d.letter, d.what, name[1])
	}
}
