// Package scaffold writes a module for a new block driver: a working driver to
// change (driver/example's, so it is compiled and tested here), its conformance
// test, a fuzz target, a sample fault plan, and a README. The module finds blksim by a replace line.
//
// Nothing that exists is ever overwritten: the folder must not be there. What is
// half written when a write fails is taken away again.
package scaffold

import (
	"embed"
	"errors"
	"fmt"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"text/template"

	"blksim/driver/example"
)

// Options say what to write.
type Options struct {
	Dir      string // folder to make; its last part is the name of the driver
	Callback bool   // with the cancel callback
	Source   string // folder of blksim's source; "": FindSource
}

var nameRule = regexp.MustCompile(`^[a-z][a-z0-9]*$`)

// Validate says what is wrong with o.
func (o Options) Validate() error {
	name := filepath.Base(o.Dir)
	if !nameRule.MatchString(name) || token.IsKeyword(name) || name == "driver" || name == "blksim" {
		return fmt.Errorf("driver name %q: want a Go package name, such as mydisk: lower-case letters and digits, no keyword", name)
	}
	return nil
}

//go:embed templates/*
var templates embed.FS

// Write writes the module and returns the names of its files.
func Write(o Options) (files []string, err error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Source == "" {
		if o.Source, err = FindSource(); err != nil {
			return nil, err
		}
	}
	src, err := checkSource(o.Source)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	if rel, err := filepath.Rel(src, dir); err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return nil, fmt.Errorf("%s is inside the source of blksim, %s: a driver is a module of its own, next to it: blksim new driver ../%s", o.Dir, src, filepath.Base(dir))
	}
	if err := os.Mkdir(dir, 0o777); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("%s exists: nothing was written", o.Dir)
		}
		return nil, err
	}
	texts, err := render(o, src)
	for _, t := range texts {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, t.name), []byte(t.text), 0o666)
			files = append(files, t.name)
		}
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return files, nil
}

type text struct{ name, text string }

// render makes all files.
func render(o Options, src string) (all []text, err error) {
	name := filepath.Base(o.Dir)
	own := []string{"disk.go"}
	if o.Callback {
		own = append(own, "cancel.go")
	}
	for _, f := range own {
		code, err := fs.ReadFile(example.Source(), f)
		if err != nil {
			return nil, err
		}
		_, rest, _ := strings.Cut(string(code), "package example\n")
		doc := ""
		if f == "disk.go" {
			doc = "// Package " + name + " is a block driver for blksim.\n"
		}
		all = append(all, text{f, doc + "package " + name + "\n" + rest})
	}
	goVersion, err := goLine(src)
	if err != nil {
		return nil, err
	}
	t, err := template.ParseFS(templates, "templates/*")
	if err != nil {
		return nil, err
	}
	data := struct {
		Name, Source, Go string
		Callback         bool
	}{name, quoted(filepath.ToSlash(src)), goVersion, o.Callback}
	for _, f := range []string{"go.mod", "disk_test.go", "faults.plan", "README.md"} {
		var s strings.Builder
		if err := t.ExecuteTemplate(&s, f+".tmpl", data); err != nil {
			return nil, err
		}
		all = append(all, text{f, s.String()})
	}
	return all, nil
}

// quoted is a path as go.mod takes it.
func quoted(path string) string {
	if strings.ContainsAny(path, " \t\"'`()[]{},;") {
		return "\"" + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(path) + "\""
	}
	return path
}

var goRule = regexp.MustCompile(`(?m)^go (\S+)$`)

// goLine is the Go version of blksim's go.mod: a module that uses it needs that.
func goLine(src string) (string, error) {
	mod, err := os.ReadFile(filepath.Join(src, "go.mod"))
	if err != nil {
		return "", err
	}
	m := goRule.FindSubmatch(mod)
	if m == nil {
		return "", fmt.Errorf("%s: no go line", filepath.Join(src, "go.mod"))
	}
	return string(m[1]), nil
}

// checkSource makes sure that dir is blksim's source, and its path absolute.
func checkSource(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return "", fmt.Errorf("source of blksim: %w", err)
	}
	if !strings.HasPrefix(string(mod), "module blksim\n") {
		return "", fmt.Errorf("%s is not the source of blksim: its go.mod names another module", dir)
	}
	return dir, nil
}

// FindSource looks for blksim's source: in the working folder and those above it,
// and where this program was built from.
func FindSource() (string, error) {
	if dir, err := os.Getwd(); err == nil {
		for {
			if src, err := checkSource(dir); err == nil {
				return src, nil
			}
			up := filepath.Dir(dir)
			if up == dir {
				break
			}
			dir = up
		}
	}
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		if src, err := checkSource(filepath.Join(filepath.Dir(file), "..", "..")); err == nil {
			return src, nil
		}
	}
	return "", errors.New("the source of blksim is neither here nor where this program was built: say where with --blksim PATH")
}
