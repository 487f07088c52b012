package lint

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/types"
	"io"
	"io/fs"
	"path"
	"strings"
)

// systems are the builds whose files are checked for maps; a file that belongs
// to none of them escapes.
var systems = []build.Context{
	{GOOS: "linux", GOARCH: "amd64", Compiler: "gc"},
	{GOOS: "linux", GOARCH: "amd64", Compiler: "gc", BuildTags: []string{"interleave"}},
	{GOOS: "darwin", GOARCH: "arm64", Compiler: "gc"},
	{GOOS: "windows", GOARCH: "amd64", Compiler: "gc"},
}

const sortFirst = "the order of a map differs from run to run: go through slices.Sorted(maps.Keys(m)), or keep a slice beside the map (to empty it, use clear)"

func checkMapOrder(t *tree, report reporter) {
	for i := range systems {
		c := newChecker(t, &systems[i])
		for _, d := range t.dirs {
			if within(d.path, deterministic...) {
				c.check(d)
			}
		}
		t.deterministicFiles(func(f *file) {
			ast.Inspect(f.syntax, func(n ast.Node) bool {
				if r, ok := n.(*ast.RangeStmt); ok && r.Key != nil && isMap(c.info.TypeOf(r.X)) {
					report(f.path, t.line(r), sortFirst)
				}
				pkg, name, ok := f.qualified(n)
				if ok && pkg == "sync" && name == "Map" {
					report(f.path, t.line(n), "sync.Map has no order and no owner: let one lane own a plain map, and go through it sorted")
				}
				return true
			})
		})
	}
	t.deterministicFiles(func(f *file) {
		sorted := map[*ast.CallExpr]bool{}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if f.sorts(call) && len(call.Args) > 0 {
				if arg, ok := call.Args[0].(*ast.CallExpr); ok {
					sorted[arg] = true
				}
			}
			if f.isMapsIterator(call) && !sorted[call] {
				report(f.path, t.line(call), sortFirst)
			}
			return true
		})
	})
}

// isMap says whether values of the type are maps, or can be: a type parameter
// counts as what its constraint allows.
func isMap(typ types.Type) bool {
	if typ == nil {
		return false
	}
	switch u := typ.Underlying().(type) {
	case *types.Map:
		return true
	case *types.Interface:
		for i := range u.NumEmbeddeds() {
			switch e := u.EmbeddedType(i).(type) {
			case *types.Union:
				for term := range e.Terms() {
					if isMap(term.Type()) {
						return true
					}
				}
			default:
				if isMap(e) {
					return true
				}
			}
		}
	}
	return false
}

// checker finds out types, for one system. It imports the module's packages
// from the tree, and an empty stand-in for every other one; the errors that
// come of it are nobody's concern.
type checker struct {
	tree   *tree
	system build.Context
	info   *types.Info
	done   map[string]*types.Package // by folder
}

func newChecker(t *tree, system *build.Context) *checker {
	c := &checker{tree: t, system: *system, done: map[string]*types.Package{}}
	c.info = &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	c.system.OpenFile = func(p string) (io.ReadCloser, error) { return t.root.Open(p) }
	c.system.JoinPath = path.Join
	c.system.ReleaseTags = build.Default.ReleaseTags
	return c
}

func (c *checker) check(d *dir) *types.Package {
	if p := c.done[d.path]; p != nil {
		return p
	}
	importPath := path.Join(c.tree.module, d.path)
	c.done[d.path] = types.NewPackage(importPath, path.Base(importPath)) // for a cycle
	var files []*ast.File
	for _, f := range d.files {
		if match, err := c.system.MatchFile(d.path, f.name); err == nil && match && !f.test {
			files = append(files, f.syntax)
		}
	}
	conf := types.Config{Importer: c, Error: func(error) {}, GoVersion: "go1.26", FakeImportC: true}
	p, _ := conf.Check(importPath, c.tree.fset, files, c.info)
	c.done[d.path] = p
	return p
}

// Import implements types.Importer.
func (c *checker) Import(full string) (*types.Package, error) {
	if full == "unsafe" {
		return types.Unsafe, nil
	}
	if rest, ok := strings.CutPrefix(full, c.tree.module+"/"); ok {
		for _, d := range c.tree.dirs {
			if d.path == rest {
				return c.check(d), nil
			}
		}
		return nil, fmt.Errorf("lint: %s: %w", full, fs.ErrNotExist)
	}
	p := types.NewPackage(full, baseName(full))
	p.MarkComplete()
	return p, nil
}
