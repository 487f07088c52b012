package lint

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

func checkImports(t *tree, report reporter) {
	for _, d := range t.dirs {
		l := layerOf(d.path)
		if l == nil {
			report(d.path, 0, "no layer for this folder: say in internal/lint/layers.go what it may import")
			continue
		}
		for _, f := range d.files {
			for _, s := range f.imports {
				if text := t.judge(f, l, s.path); text != "" {
					report(f.path, s.line, text)
				}
			}
		}
	}
}

// judge says what is wrong with an import, or nothing.
func (t *tree) judge(f *file, l *layer, full string) string {
	own, isOwn := strings.CutPrefix(full, t.module+"/")
	switch {
	case isOwn && within(own, "cmd") && !within(f.dir.path, "cmd"):
		return fmt.Sprintf("%s is wiring for a command: move what you need of it to a package", own)
	case f.test:
		return ""
	case isTestOnly(full):
		return fmt.Sprintf("%s is for _test.go files: a kit returns an error instead", full)
	case !isOwn && isStandard(full):
		return ""
	}
	where := full
	if isOwn {
		where = own
	}
	for _, may := range l.may {
		if may == anyOwn && isOwn && !within(own, "cmd") || may == anyOutside && !isOwn || covers(may, where) {
			return ""
		}
	}
	return fmt.Sprintf("%s must not import %s, only %s: move the code to a layer that may (ARCHITECTURE.md), or take what you need as an interface that you declare",
		f.dir.path, where, strings.Join(append([]string{"the standard library"}, l.may...), ", "))
}

// layerOf is the layer of a folder, or nil.
func layerOf(folder string) (best *layer) {
	for i := range layers {
		l := &layers[i]
		if l.folder == folder {
			return l
		}
		below, isTree := strings.CutSuffix(l.folder, "/...")
		if isTree && folder != below && within(folder, below) && (best == nil || len(l.folder) > len(best.folder)) {
			best = l
		}
	}
	return best
}

// covers says whether an entry of a layer covers a package.
func covers(may, pkg string) bool {
	if below, ok := strings.CutSuffix(may, "/..."); ok {
		return within(pkg, below)
	}
	return may == pkg
}

func isStandard(full string) bool {
	first, _, _ := strings.Cut(full, "/")
	return !strings.Contains(first, ".")
}

func isTestOnly(full string) bool {
	return within(full, "github.com/stretchr/testify", "pgregory.net/rapid")
}

// systemOnly are packages that work, or compile, on one system only.
var systemOnly = []struct{ pkg, system string }{
	{"golang.org/x/sys/unix", "linux"},
	{"github.com/ncw/directio", "linux"},
	{"github.com/cilium/ebpf", "linux"},
	{"golang.org/x/sys/windows", "windows"},
}

func checkPlatform(t *tree, report reporter) {
	for _, f := range t.written() {
		for _, s := range f.imports {
			for _, only := range systemOnly {
				if within(s.path, only.pkg) && !isFor(f.name, only.system) {
					report(f.path, s.line, fmt.Sprintf("%s in a file for all systems: put what needs it in a file *_%s.go, and its counterpart in *_other.go", s.path, only.system))
				}
			}
		}
	}
}

// isFor says whether a file's name restricts it to a system: x_linux.go,
// x_linux_amd64.go, x_linux_test.go.
func isFor(name, system string) bool {
	parts := strings.Split(strings.TrimSuffix(strings.TrimSuffix(name, path.Ext(name)), "_test"), "_")
	return slices.Contains(parts[max(1, len(parts)-2):], system)
}
