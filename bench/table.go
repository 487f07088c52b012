package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// The table stands between these two lines.
const (
	tableBegin = "<!-- figures: go run ./bench -table -->"
	tableEnd   = "<!-- end of figures -->"
)

// rewriteTable puts the results into a document.
func rewriteTable(results, doc string, all []row) error {
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
	replaced, err := replaceBetween(old, text)
	if err != nil {
		return fmt.Errorf("%s: %w", doc, err)
	}
	return replaceFile(doc, replaced)
}

// replaceBetween puts text between the lines of markers, which stay.
func replaceBetween(doc []byte, text string) ([]byte, error) {
	before, rest, ok := bytes.Cut(doc, []byte(tableBegin+"\n"))
	if !ok {
		return nil, fmt.Errorf("no line %q", tableBegin)
	}
	_, after, ok := bytes.Cut(rest, []byte(tableEnd+"\n"))
	if !ok {
		return nil, fmt.Errorf("no line %q after the other one", tableEnd)
	}
	return bytes.Join([][]byte{before, []byte(tableBegin + "\n" + text + tableEnd + "\n"), after}, nil), nil
}

// table is the results as a table, with the rows that were not run. All must be
// of one run.
func table(got []result, all []row) (string, error) {
	if len(got) == 0 {
		return "", fmt.Errorf("no results")
	}
	byName := map[string]*result{}
	for i := range got {
		if got[i].Run != got[0].Run {
			return "", fmt.Errorf("%s and %s are of different runs", got[0].Name, got[i].Name)
		}
		byName[got[i].Name] = &got[i]
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Measured %s.\n\n", got[0].Run)
	b.WriteString("| row | ratio | 10 % to 90 % | n | must | aim | of |\n|---|---|---|---|---|---|---|\n")
	for _, r := range all {
		res := byName[r.name]
		if res == nil {
			fmt.Fprintf(&b, "| `%s` | not run | | | %s | %s | %s |\n", r.name, r.bar.limit(r.bar.must), r.bar.limit(r.bar.aim), r.unit)
			continue
		}
		delete(byName, r.name)
		bar, verdict := res.bar(), ""
		if res.missed() {
			verdict = " **missed**"
		}
		fmt.Fprintf(&b, "| `%s` | %s%s | %s to %s | %d | %s | %s | %s |\n", r.name, number(res.Ratio), verdict,
			number(res.Low), number(res.High), res.N, bar.limit(res.Must), bar.limit(res.Aim), res.Unit)
	}
	if len(byName) > 0 {
		return "", fmt.Errorf("%d results are of rows that there are no more; run it again", len(byName))
	}
	return b.String(), nil
}
