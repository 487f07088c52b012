package lint

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// tree is the Go source of a module.
type tree struct {
	root   fs.FS
	module string
	fset   *token.FileSet
	dirs   []*dir // sorted by path
}

// dir is the Go files of one folder, of all systems and tags.
type dir struct {
	path  string // "." for the root
	files []*file
}

type file struct {
	path, name string
	dir        *dir
	syntax     *ast.File
	lines      int
	test       bool
	generated  bool
	imports    []importSpec
}

type importSpec struct {
	path string
	name string // by which the file calls it: "", "_" and "." included
	line int
}

// load parses all Go files below the root, except those of folders that the go
// command leaves out too.
func load(root fs.FS) (*tree, error) {
	t := &tree{root: root, fset: token.NewFileSet()}
	mod, err := fs.ReadFile(root, "go.mod")
	if err != nil {
		return nil, fmt.Errorf("lint: %w", err)
	}
	for line := range strings.Lines(string(mod)) {
		if name, ok := strings.CutPrefix(line, "module "); ok {
			t.module = strings.TrimSpace(name)
		}
	}
	byDir := map[string]*dir{}
	err = fs.WalkDir(root, ".", func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			n := e.Name()
			if p != "." && (n == "testdata" || n == "vendor" || n[0] == '.' || n[0] == '_') {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		f, err := t.parse(p)
		if err != nil {
			return err
		}
		where := path.Dir(p)
		d := byDir[where]
		if d == nil {
			d = &dir{path: where}
			byDir[where] = d
			t.dirs = append(t.dirs, d)
		}
		f.dir = d
		d.files = append(d.files, f)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("lint: %w", err)
	}
	slices.SortFunc(t.dirs, func(a, b *dir) int { return strings.Compare(a.path, b.path) })
	return t, nil
}

func (t *tree) parse(p string) (*file, error) {
	src, err := fs.ReadFile(t.root, p)
	if err != nil {
		return nil, err
	}
	syntax, err := parser.ParseFile(t.fset, p, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	f := &file{
		path: p, name: path.Base(p), syntax: syntax,
		lines:     bytes.Count(src, []byte("\n")),
		test:      strings.HasSuffix(p, "_test.go"),
		generated: ast.IsGenerated(syntax),
	}
	for _, s := range syntax.Imports {
		full, _ := strconv.Unquote(s.Path.Value) // the parser has seen to it
		spec := importSpec{path: full, line: t.line(s), name: baseName(full)}
		if s.Name != nil {
			spec.name = s.Name.Name
		}
		f.imports = append(f.imports, spec)
	}
	return f, nil
}

func (t *tree) line(n ast.Node) int { return t.fset.Position(n.Pos()).Line }

// baseName is the name that a package most likely has: the last element of its
// path that is no version.
func baseName(full string) string {
	base := path.Base(full)
	if len(base) > 1 && base[0] == 'v' && strings.Trim(base[1:], "0123456789") == "" {
		base = path.Base(path.Dir(full))
	}
	return base
}

// called returns the path of the package that name stands for in the file.
func (f *file) called(name string) string {
	for _, s := range f.imports {
		if s.name == name {
			return s.path
		}
	}
	return ""
}

// within says whether p is one of the folders or below it.
func within(p string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(f string) bool {
		return p == f || strings.HasPrefix(p, f+"/")
	})
}
