package lint

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
)

const (
	maxFileLines = 600
	maxDocLines  = 80
)

func checkPackageDoc(t *tree, report reporter) {
	for _, d := range t.dirs {
		i := slices.IndexFunc(d.files, func(f *file) bool { return !f.test })
		if i < 0 {
			continue // a folder of tests
		}
		command := d.files[i].syntax.Name.Name == "main"
		// A package of one file explains itself there.
		written := 0
		for _, f := range d.files {
			if !f.test {
				written++
			}
		}
		explained := written == 1 && d.files[i].syntax.Doc != nil
		for _, f := range d.files {
			if f.name == "doc.go" || command && f.name == "main.go" {
				explained = explained || f.syntax.Doc != nil
			}
			if f.name == "doc.go" && f.lines >= maxDocLines {
				report(f.path, 0, fmt.Sprintf("%d lines: say it in under %d, and move essays to the type that they are about", f.lines, maxDocLines))
			}
		}
		switch {
		case explained:
		case command:
			report(d.path, 0, "no comment above the package clause of main.go or doc.go: say what the command is for")
		default:
			report(d.path, 0, "no doc.go with a package comment: say what the package owns, what runs where, and what cannot fail")
		}
	}
}

func checkFileLength(t *tree, report reporter) {
	for _, f := range t.written() {
		if !f.test && f.lines > maxFileLines {
			report(f.path, 0, fmt.Sprintf("%d lines, more than %d: one capability a file", f.lines, maxFileLines))
		}
	}
}

var subjectless = []string{
	"util", "utils", "common", "types", "helper", "helpers", "misc", "shared", "base", "lib", "core",
}

func checkPackageName(t *tree, report reporter) {
	for _, f := range t.written() {
		if name := strings.TrimSuffix(f.syntax.Name.Name, "_test"); slices.Contains(subjectless, name) {
			report(f.path, t.line(f.syntax.Name), fmt.Sprintf("a package called %s has no subject: put things where they belong", name))
		}
	}
}

var marker = regexp.MustCompile(`\b(TODO|FIXME|XXX|HACK)\b`)

func checkMarkers(t *tree, report reporter) {
	for _, f := range t.written() {
		for _, group := range f.syntax.Comments {
			for _, c := range group.List {
				for i, text := range strings.Split(c.Text, "\n") {
					if m := marker.FindString(text); m != "" {
						report(f.path, t.line(c)+i, m+" in a comment: finish it, or say as a fact what the code does not do and why")
					}
				}
			}
		}
	}
}

func checkGlobals(t *tree, report reporter) {
	for _, f := range t.written() {
		if f.test {
			continue
		}
		for _, decl := range f.syntax.Decls {
			g, ok := decl.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, spec := range g.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					if name.IsExported() && !isSentinelName(name.Name) {
						report(f.path, t.line(name), fmt.Sprintf("anybody can change %s at any time: make it a constant, a function, or a field of a configuration", name.Name))
					}
				}
			}
		}
	}
}

func isSentinelName(name string) bool {
	rest, ok := strings.CutPrefix(name, "Err")
	return ok && (rest == "" || ast.IsExported(rest))
}

// written are the files that somebody wrote, and no program did.
func (t *tree) written() (files []*file) {
	for _, d := range t.dirs {
		for _, f := range d.files {
			if !f.generated {
				files = append(files, f)
			}
		}
	}
	return files
}
