package figures

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// A program's table stands between two lines: tableBegin and tableEnd.
const tableEnd = "<!-- end of figures -->"

func (p *Program) tableBegin() string {
	return fmt.Sprintf("<!-- figures: go run ./%s -table -->", p.Name)
}

// rewriteTable puts the results into a document.
func (p *Program) rewriteTable(results, doc string, all []Row) error {
	got, err := readResults(results)
	if err != nil {
		return err
	}
	old, err := os.ReadFile(doc)
	if err != nil {
		return err
	}
	text, err := table(got, all)
	if err != nil {
		return fmt.Errorf("%s: %w", results, err)
	}
	replaced, err := replaceBetween(old, p.tableBegin(), text)
	if err != nil {
		return fmt.Errorf("%s: %w", doc, err)
	}
	return replaceFile(doc, replaced)
}

// replaceBetween puts text between the lines of markers, which stay.
func replaceBetween(doc []byte, begin, text string) ([]byte, error) {
	before, rest, ok := bytes.Cut(doc, []byte(begin+"\n"))
	if !ok {
		return nil, fmt.Errorf("no line %q", begin)
	}
	_, after, ok := bytes.Cut(rest, []byte(tableEnd+"\n"))
	if !ok {
		return nil, fmt.Errorf("no line %q after the other one", tableEnd)
	}
	return bytes.Join([][]byte{before, []byte(begin + "\n" + text + tableEnd + "\n"), after}, nil), nil
}

// table is the results as a table, with the rows that were not run, and their grids
// below it. All must be of one run.
func table(got []Result, all []Row) (string, error) {
	if len(got) == 0 {
		return "", fmt.Errorf("no results")
	}
	byName := map[string]*Result{}
	for i := range got {
		if got[i].Run != got[0].Run {
			return "", fmt.Errorf("%s and %s are of different runs", got[0].Name, got[i].Name)
		}
		byName[got[i].Name] = &got[i]
	}
	var b strings.Builder
	var grids []*Grid
	fmt.Fprintf(&b, "Measured %s.\n\n", got[0].Run)
	b.WriteString("| row | ratio | 10 % to 90 % | n | must | aim | of |\n|---|---|---|---|---|---|---|\n")
	for _, r := range all {
		res := byName[r.Name]
		if res == nil {
			fmt.Fprintf(&b, "| `%s` | not run | | | %s | %s | %s |\n", r.Name, r.Bar.limit(r.Bar.Must), r.Bar.limit(r.Bar.Aim), r.Unit)
			continue
		}
		delete(byName, r.Name)
		bar, verdict := res.bar(), ""
		if res.missed() {
			verdict = " **missed**"
		}
		fmt.Fprintf(&b, "| `%s` | %s%s | %s to %s | %d | %s | %s | %s |\n", r.Name, Number(res.Ratio), verdict,
			Number(res.Low), Number(res.High), res.N, bar.limit(res.Must), bar.limit(res.Aim), res.Unit)
		if res.Grid != nil {
			grids = append(grids, res.Grid)
		}
	}
	if len(byName) > 0 {
		return "", fmt.Errorf("%d results are of rows that there are no more; run it again", len(byName))
	}
	for _, g := range grids {
		b.WriteString("\n" + g.markdown())
	}
	return b.String(), nil
}
