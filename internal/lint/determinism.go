package lint

import (
	"fmt"
	"go/ast"
	"slices"
)

// deterministic are the folders whose code must do the same in every run of one
// seed. Their tests may do as they like.
var deterministic = []string{
	"aio", "blk", "driver", "device/nvme", "sim", "internal/wheel", "internal/hist", "internal/blockmodel",
}

// deterministicFiles calls f for every file that the determinism rules are for.
func (t *tree) deterministicFiles(visit func(f *file)) {
	for _, d := range t.dirs {
		if !within(d.path, deterministic...) {
			continue
		}
		for _, f := range d.files {
			if !f.test {
				visit(f)
			}
		}
	}
}

type reporter = func(file string, line int, text string)

func checkGoroutines(t *tree, report reporter) {
	t.deterministicFiles(func(f *file) {
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if g, ok := n.(*ast.GoStmt); ok {
				report(f.path, t.line(g), "goroutines run in any order: Post the function to a lane")
			}
			return true
		})
	})
}

func checkSelect(t *tree, report reporter) {
	t.deterministicFiles(func(f *file) {
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectStmt)
			if !ok {
				return true
			}
			communications := 0
			for _, clause := range s.Body.List {
				if clause.(*ast.CommClause).Comm != nil {
					communications++
				}
			}
			if communications > 1 {
				report(f.path, t.line(s), "select takes any of several ready channels: let each sender Post to the lane instead, or wait for one channel")
			}
			return true
		})
	})
}

// banned are names that the deterministic packages must not use, by package,
// each with what to write instead.
var banned = map[string]map[string]string{
	"time": names("it reads or waits for the machine's clock: use Lane.Now and Lane.NewTimer",
		"Now", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick", "Since", "Until"),
	"context": names("it waits for the machine's clock: let the caller pass a context, or use Lane.NewTimer",
		"WithTimeout", "WithTimeoutCause", "WithDeadline", "WithDeadlineCause"),
}

func names(instead string, all ...string) map[string]string {
	m := map[string]string{}
	for _, n := range all {
		m[n] = instead
	}
	return m
}

func checkClock(t *tree, report reporter) {
	t.selectors(report, func(pkg, name string) string {
		if instead := banned[pkg][name]; instead != "" {
			return fmt.Sprintf("%s.%s: %s", baseName(pkg), name, instead)
		}
		return ""
	}, "time", "context")
}

// seeded are the names of the rand packages that do not draw from the global
// generator.
var seeded = []string{
	"New", "NewSource", "NewPCG", "NewChaCha8", "NewZipf",
	"Rand", "Source", "Source64", "PCG", "ChaCha8", "Zipf",
}

const takeStream = "take a stream from sim.World.Rand, or an interface { Uint64() uint64 } from the caller"

func checkRandom(t *tree, report reporter) {
	t.selectors(report, func(pkg, name string) string {
		if slices.Contains(seeded, name) {
			return ""
		}
		return fmt.Sprintf("%s.%s draws from a generator that nobody seeds: %s", baseName(pkg), name, takeStream)
	}, "math/rand", "math/rand/v2")
	t.deterministicFiles(func(f *file) {
		for _, s := range f.imports {
			switch s.path {
			case "crypto/rand", "hash/maphash":
				report(f.path, s.line, fmt.Sprintf("%s differs from run to run: %s", s.path, takeStream))
			}
		}
	})
}

// selectors reports uses of names of the given packages, where verdict returns a
// text, and their import with a dot, which would hide such uses.
func (t *tree) selectors(report reporter, verdict func(pkg, name string) string, packages ...string) {
	t.deterministicFiles(func(f *file) {
		for _, s := range f.imports {
			if s.name == "." && slices.Contains(packages, s.path) {
				report(f.path, s.line, fmt.Sprintf("an import of %s with a dot hides what is used of it: import it by its name", s.path))
			}
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			pkg, name, ok := f.qualified(n)
			if ok && slices.Contains(packages, pkg) {
				if text := verdict(pkg, name); text != "" {
					report(f.path, t.line(n), text)
				}
			}
			return true
		})
	})
}

// qualified takes a pkg.Name apart. A variable that has the name of an imported
// package is taken for the package; it should have another name anyway.
func (f *file) qualified(n ast.Node) (pkg, name string, ok bool) {
	s, isSelector := n.(*ast.SelectorExpr)
	if !isSelector {
		return "", "", false
	}
	x, isIdent := s.X.(*ast.Ident)
	if !isIdent {
		return "", "", false
	}
	pkg = f.called(x.Name)
	return pkg, s.Sel.Name, pkg != ""
}

// isMapsIterator says whether a call is of maps.Keys, maps.Values or maps.All.
func (f *file) isMapsIterator(call *ast.CallExpr) bool {
	fun := call.Fun
	if generic, ok := fun.(*ast.IndexExpr); ok {
		fun = generic.X
	}
	pkg, name, ok := f.qualified(fun)
	return ok && pkg == "maps" && (name == "Keys" || name == "Values" || name == "All")
}

// sorts says whether a call is of one of slices' functions that collect and sort.
func (f *file) sorts(call *ast.CallExpr) bool {
	pkg, name, ok := f.qualified(call.Fun)
	return ok && pkg == "slices" && (name == "Sorted" || name == "SortedFunc" || name == "SortedStableFunc")
}
