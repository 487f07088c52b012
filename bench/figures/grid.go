package figures

import (
	"fmt"
	"strings"
)

// Grid is a table of its own below the rows': several things measured in several
// ways, in words that are final.
type Grid struct {
	Title  string     `json:"title"` // a sentence: what was done
	Header []string   `json:"header"`
	Lines  [][]string `json:"lines"` // each as long as Header
}

// markdown is the grid as it stands in a document.
func (g *Grid) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", g.Title)
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(g.Header)
	b.WriteString(strings.Repeat("|---", len(g.Header)) + "|\n")
	for _, cells := range g.Lines {
		line(cells)
	}
	return b.String()
}

// text is the grid in columns, for a terminal.
func (g *Grid) text() string {
	width := make([]int, len(g.Header))
	for _, cells := range append([][]string{g.Header}, g.Lines...) {
		for i, c := range cells {
			width[i] = max(width[i], len([]rune(c)))
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "  %s\n", g.Title)
	for _, cells := range append([][]string{g.Header}, g.Lines...) {
		var line strings.Builder
		for i, c := range cells {
			fmt.Fprintf(&line, "  %-*s", width[i], c)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}
