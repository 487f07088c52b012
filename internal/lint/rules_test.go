package lint

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// sample is a file that breaks one rule at one place, or none.
type sample struct {
	rule, file, src string
	says            string            // part of the finding's text
	with            map[string]string // other files
}

var packageClause = regexp.MustCompile(`(?m)^package (\w+)`)

// moduleOf is a module of the sample's files, all of whose packages have a
// doc.go.
func (s sample) moduleOf() fstest.MapFS {
	m := fstest.MapFS{"go.mod": {Data: []byte("module blksim\n\ngo 1.26\n")}}
	add := func(file, src string) {
		m[file] = &fstest.MapFile{Data: []byte(src)}
		folder := file[:strings.LastIndex(file, "/")+1]
		if _, ok := m[folder+"doc.go"]; !ok && s.rule != "package-doc" {
			name := strings.TrimSuffix(packageClause.FindStringSubmatch(src)[1], "_test")
			m[folder+"doc.go"] = &fstest.MapFile{Data: []byte("// Package " + name + " is a sample.\npackage " + name + "\n")}
		}
	}
	for file, src := range s.with {
		add(file, src)
	}
	add(s.file, s.src)
	return m
}

// In the samples a line with "here" in a comment is where the finding must be;
// without one it must be about the file or folder.
var broken = []sample{
	{rule: "goroutine", file: "blk/a.go", says: "Post", src: "package blk\nfunc f() {\n\tgo f() // here\n}"},
	{rule: "goroutine", file: "driver/nvme/a.go", says: "Post", src: "package nvme\nvar f = func() {\n\tgo func() {}() // here\n}"},
	{rule: "goroutine", file: "aio/lane/other.go", says: "Post", src: "package lane\nfunc f() {\n\tgo f() // here\n}"},

	{rule: "clock", file: "aio/a.go", says: "Lane.Now", src: "package aio\nimport \"time\"\nvar t = time.Now() // here"},
	{rule: "clock", file: "sim/a.go", says: "Lane.NewTimer", src: "package sim\nimport wall \"time\"\nfunc f() {\n\twall.Sleep(1) // here\n}"},
	{rule: "clock", file: "device/nvme/a.go", says: "AfterFunc", src: "package nvme\nimport \"time\"\nvar f = time.AfterFunc // here"},
	{rule: "clock", file: "blk/a.go", says: "with a dot", src: "package blk\nimport . \"time\" // here\nvar t = Now()"},
	{rule: "clock", file: "blk/a.go", says: "WithTimeout", src: "package blk\nimport \"context\"\nvar f = context.WithTimeout // here"},

	{rule: "random", file: "sim/a.go", says: "sim.World.Rand", src: "package sim\nimport \"math/rand/v2\"\nvar n = rand.IntN(3) // here"},
	{rule: "random", file: "driver/fault/a.go", says: "nobody seeds", src: "package fault\nimport \"math/rand\"\nvar n = rand.Int63() // here"},
	{rule: "random", file: "sim/a.go", says: "with a dot", src: "package sim\nimport . \"math/rand\" // here\nvar n = Int()"},
	{rule: "random", file: "device/nvme/a.go", says: "differs from run to run", src: "package nvme\nimport \"crypto/rand\" // here\nvar r = rand.Reader"},
	{rule: "random", file: "blk/a.go", says: "differs from run to run", src: "package blk\nimport \"hash/maphash\" // here\nvar h maphash.Hash"},

	{rule: "select", file: "aio/a.go", says: "one channel", src: "package aio\nfunc f(a, b chan int) {\n\tselect { // here\n\tcase <-a:\n\tcase b <- 1:\n\t}\n}"},

	{rule: "map-order", file: "blk/a.go", says: "slices.Sorted", src: "package blk\nfunc f(m map[int]int) {\n\tfor range m {\n\t}\n\tfor k := range m { // here\n\t\t_ = k\n\t}\n}"},
	{rule: "map-order", file: "blk/a.go", says: "slices.Sorted", src: "package blk\nimport \"sync\"\ntype q struct {\n\tmu sync.Mutex\n\twait map[string]*q\n}\nfunc (q *q) f() {\n\tfor _, w := range q.wait { // here\n\t\tw.f()\n\t}\n}"},
	{rule: "map-order", file: "sim/a.go", says: "slices.Sorted", src: "package sim\nfunc f() {\n\tm := make(map[int]bool)\n\tn := m\n\tfor k := range n { // here\n\t\t_ = k\n\t}\n}"},
	{rule: "map-order", file: "sim/a.go", says: "slices.Sorted", src: "package sim\nfunc f() {\n\tfor k := range (map[int]bool{1: true}) { // here\n\t\t_ = k\n\t}\n}"},
	{rule: "map-order", file: "aio/a.go", says: "slices.Sorted", src: "package aio\nfunc f[M ~map[int]int | ~map[int]int](m M) {\n\tfor k := range m { // here\n\t\t_ = k\n\t}\n}"},
	{
		rule: "map-order", file: "driver/nvme/a.go", says: "slices.Sorted", // a named type of another package
		src:  "package nvme\nimport \"blksim/driver\"\nfunc f(d *driver.D) {\n\tfor k := range d.Set() { // here\n\t\t_ = k\n\t}\n}",
		with: map[string]string{"driver/a.go": "package driver\ntype D struct{}\ntype Set map[int]bool\nfunc (*D) Set() Set { return nil }"},
	},
	{rule: "map-order", file: "blk/a_windows.go", says: "slices.Sorted", src: "package blk\nfunc f(m map[int]int) {\n\tfor k := range m { // here\n\t\t_ = k\n\t}\n}"},
	{rule: "map-order", file: "blk/a.go", says: "slices.Sorted", src: "//go:build interleave\n\npackage blk\nfunc f(m map[int]int) {\n\tfor k := range m { // here\n\t\t_ = k\n\t}\n}"},
	{rule: "map-order", file: "blk/a.go", says: "slices.Sorted", src: "package blk\nimport \"maps\"\nfunc f(m map[int]int) {\n\tfor k := range maps.Keys(m) { // here\n\t\t_ = k\n\t}\n}"},
	{rule: "map-order", file: "blk/a.go", says: "slices.Sorted", src: "package blk\nimport (\"maps\"; \"slices\")\nfunc f(m map[int]int) []int {\n\treturn slices.Collect(maps.Values(m)) // here\n}"},
	{rule: "map-order", file: "blk/a.go", says: "sync.Map", src: "package blk\nimport \"sync\"\nvar m sync.Map // here"},

	{rule: "import", file: "aio/a.go", says: "aio must not import blk", src: "package aio\nimport _ \"blksim/blk\" // here"},
	{rule: "import", file: "blk/a.go", says: "blk must not import device/nvme", src: "package blk\nimport _ \"blksim/device/nvme\" // here"},
	{rule: "import", file: "driver/a.go", says: "driver must not import blk", src: "package driver\nimport _ \"blksim/blk\" // here"},
	{rule: "import", file: "driver/a.go", says: "must not import driver/null", src: "package driver\nimport _ \"blksim/driver/null\" // here"},
	{rule: "import", file: "driver/ram/a.go", says: "must not import device/nvme", src: "package ram\nimport _ \"blksim/device/nvme\" // here"},
	{rule: "import", file: "driver/nvme/a.go", says: "must not import device/disk", src: "package nvme\nimport _ \"blksim/device/disk\" // here"},
	{rule: "import", file: "device/nvme/a.go", says: "must not import sim", src: "package nvme\nimport _ \"blksim/sim\" // here"},
	{rule: "import", file: "device/disk/a.go", says: "must not import aio,", src: "package disk\nimport _ \"blksim/aio\" // here"},
	{rule: "import", file: "sim/a.go", says: "must not import aio,", src: "package sim\nimport _ \"blksim/aio\" // here"},
	{rule: "import", file: "aio/lane/a.go", says: "must not import aio,", src: "package lane\nimport _ \"blksim/aio\" // here"},
	{rule: "import", file: "traces/a.go", says: "must not import aio/lane", src: "package traces\nimport _ \"blksim/aio/lane\" // here"},
	{rule: "import", file: "traces/a.go", says: "must not import github.com/spf13/cobra", src: "package traces\nimport _ \"github.com/spf13/cobra\" // here"},
	{rule: "import", file: "aio/a.go", says: "must not import golang.org/x/sync", src: "package aio\nimport _ \"golang.org/x/sync/errgroup\" // here"},
	{rule: "import", file: "internal/replay/a.go", says: "wiring for a command", src: "package replay\nimport _ \"blksim/cmd/blksim\" // here"},
	{rule: "import", file: "internal/replay/a_test.go", says: "wiring for a command", src: "package replay\nimport _ \"blksim/cmd/blksim\" // here"},
	{rule: "import", file: "cmd/blksim/main.go", says: "for _test.go files", src: "package main\nimport _ \"github.com/stretchr/testify/require\" // here"},
	{rule: "import", file: "driver/drivertest/a.go", says: "for _test.go files", src: "package drivertest\nimport _ \"pgregory.net/rapid\" // here"},
	{rule: "import", file: "novelty/a.go", says: "no layer for this folder", src: "package novelty"},

	{rule: "platform", file: "device/disk/a.go", says: "*_linux.go", src: "package disk\nimport _ \"github.com/ncw/directio\" // here"},
	{rule: "platform", file: "device/disk/linux.go", says: "*_linux.go", src: "package disk\nimport _ \"golang.org/x/sys/unix\" // here"},
	{rule: "platform", file: "internal/bpf/a_darwin.go", says: "*_linux.go", src: "package bpf\nimport _ \"github.com/cilium/ebpf/link\" // here"},
	{rule: "platform", file: "device/disk/a_linux.go", says: "*_windows.go", src: "package disk\nimport _ \"golang.org/x/sys/windows\" // here"},

	{rule: "package-doc", file: "blk/a.go", says: "no doc.go", src: "// Package blk has its comment in the wrong file.\npackage blk", with: map[string]string{"blk/b.go": "package blk"}},
	{rule: "package-doc", file: "blk/doc.go", says: "no doc.go with a package comment", src: "package blk"},
	{rule: "package-doc", file: "cmd/blksim/a.go", says: "main.go", src: "// Blksim is a command.\npackage main", with: map[string]string{"cmd/blksim/b.go": "package main"}},
	{rule: "package-doc", file: "blk/doc.go", says: "81 lines", src: "// Package blk is a sample.\npackage blk\n" + strings.Repeat("\n", 79)},

	{rule: "file-length", file: "blk/a.go", says: "601 lines", src: "package blk\n" + strings.Repeat("\n", 600)},

	{rule: "package-name", file: "internal/stuff/a_test.go", says: "has no subject", src: "package util // here", with: map[string]string{"internal/stuff/doc.go": "// Package stuff is fine.\npackage stuff"}},

	{rule: "marker", file: "blk/a.go", says: "finish it", src: "package blk\n\n// TO" + "DO(me): here"},
	{rule: "marker", file: "blk/a_test.go", says: "finish it", src: "package blk\n\n/* this is a\n HA" + "CK here */"},

	{rule: "global", file: "blk/a.go", says: "Depth", src: "package blk\nvar Depth = 3 // here"},
	{rule: "global", file: "internal/replay/a.go", says: "Errata", src: "package replay\nvar (\n\tErrX, x error\n\tErrata int // here\n)"},
}

var clean = []sample{
	{file: "blk/a_test.go", src: "package blk\nimport (\"time\"; \"blksim/sim\"; \"github.com/stretchr/testify/require\")\nvar Now = time.Now\nfunc f(m map[int]int) { go f(m); for k := range m { _ = k }; _ = sim.X; _ = require.Equal }"},
	{file: "aio/a.go", src: "package aio\nimport (\"context\"; \"time\")\nconst d = 3 * time.Second\nfunc f(ctx context.Context, c chan int) time.Duration {\n\tselect {\n\tcase <-c:\n\tdefault:\n\t}\n\treturn d\n}"},
	{file: "sim/a.go", src: "package sim\nimport \"math/rand/v2\"\nvar r = rand.New(rand.NewPCG(1, 2))\nvar n = r.IntN(3)"},
	{file: "blk/a.go", src: "package blk\nimport (\"maps\"; \"slices\"; \"sync\")\ntype T struct { m map[int]int; s []map[int]int; mu sync.Mutex }\nfunc f(t *T) {\n\tfor _, k := range slices.Sorted(maps.Keys(t.m)) {\n\t\tdelete(t.m, k)\n\t}\n\tfor i := range t.s {\n\t\tclear(t.s[i])\n\t}\n\tfor range t.m {\n\t}\n\tfor i, c := range \"text\" {\n\t\t_, _ = i, c\n\t}\n}"},
	{file: "traces/a.go", src: "package traces\nimport (\"time\"; \"github.com/klauspost/compress/zstd\")\nvar _ = zstd.NewReader\nvar now = time.Now()\nfunc f() { go f() }"},
	{file: "driver/drivertest/broken/a.go", src: "package broken\nimport (_ \"blksim/blk\"; _ \"blksim/aio\"; _ \"blksim/driver/ram\"; _ \"blksim/driver/drivertest\"; _ \"blksim/sim\")"},
	{file: "sim/vopr/a.go", src: "package vopr\nimport (_ \"blksim/blk\"; _ \"blksim/driver/nvme\"; _ \"blksim/internal/explore\")"},
	{file: "cmd/blksim/main.go", src: "// Blksim is a command.\npackage main\nimport (_ \"blksim/blk\"; _ \"github.com/spf13/cobra\"; _ \"blksim/cmd/blksim/flags\")"},
	{file: "device/disk/a_linux_amd64.go", src: "package disk\nimport (_ \"github.com/ncw/directio\"; _ \"golang.org/x/sys/unix\"; _ \"golang.org/x/sys/cpu\"; _ \"blksim/internal/bpf\")"},
	{file: "device/disk/a_linux_test.go", src: "package disk\nimport _ \"golang.org/x/sys/unix\""},
	{file: "internal/bpf/bpf_x86_bpfel.go", src: "// Code generated by bpf2go; DO NOT EDIT.\npackage bpf\nimport _ \"github.com/cilium/ebpf\"\n// TO" + "DO of the generator\nvar Sink int" + strings.Repeat("\n", 700)},
	{file: "blk/a.go", src: "package blk\nimport \"errors\"\nvar (\n\tErrBusy = errors.New(\"busy\")\n\tErr = errors.New(\"e\")\n\tlocal int\n)\nvar _ int = 0\nconst Depth = 3 // MASTODON, TODOS"},
	{file: "blk/a.go", src: "package blk\n" + strings.Repeat("\n", 599)},
	{file: "blk/testdata/a.go", src: "package util\nfunc f() { go f() }"},
}

func TestEachRuleRejectsWhatBreaksIt(t *testing.T) {
	for i, s := range broken {
		t.Run(fmt.Sprintf("%s/%d", s.rule, i), func(t *testing.T) {
			m := s.moduleOf()
			found, err := check(m, nil)
			require.NoError(t, err)
			require.Len(t, found, 1, "%s", s.src)
			f := found[0]
			require.Equal(t, s.rule, f.Rule, f.Text)
			require.Contains(t, f.Text, s.says)
			line := 0
			if before, _, ok := strings.Cut(s.src, "here"); ok {
				line = strings.Count(before, "\n") + 1
			}
			require.Equal(t, line, f.Line)
			if line > 0 {
				require.Equal(t, s.file, f.File)
			} else {
				require.True(t, strings.HasPrefix(s.file, f.File))
			}
		})
	}
}

func TestCleanCodeIsAccepted(t *testing.T) {
	for i, s := range clean {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			found, err := check(s.moduleOf(), nil)
			require.NoError(t, err)
			require.Empty(t, found, "%s", s.src)
		})
	}
}

func TestEveryRuleHasASampleThatBreaksIt(t *testing.T) {
	has := map[string]bool{}
	for _, s := range broken {
		has[s.rule] = true
	}
	for _, r := range rules {
		require.True(t, has[r.name], "rule %q", r.name)
		delete(has, r.name)
	}
	require.Empty(t, has)
}

func TestExceptionsCoverTheirFileAndRuleAlone(t *testing.T) {
	m := sample{file: "blk/a.go", src: "package blk\nimport \"time\"\nvar t = time.Now()\nfunc f() { go f() }",
		with: map[string]string{"blk/b.go": "package blk\nfunc g() { go g() }"}}.moduleOf()
	found, err := check(m, []exception{{"blk/a.go", "goroutine", "why not"}, {"blk/c.go", "clock", "stale"}})
	require.NoError(t, err)
	var got []string
	for _, f := range found {
		got = append(got, fmt.Sprintf("%s:%d %s", f.File, f.Line, f.Rule))
	}
	require.Equal(t, []string{"blk/a.go:3 clock", "blk/b.go:2 goroutine", "blk/c.go:0 exception"}, got)
	for _, e := range exceptions {
		require.NotEmpty(t, e.reason, "exception of %s for %s", e.file, e.rule)
	}
}

func TestUnreadableSourceIsAnError(t *testing.T) {
	_, err := Check(fstest.MapFS{})
	require.ErrorContains(t, err, "lint: open go.mod")
	_, err = Check(sample{file: "blk/a.go", src: "package blk\nfunc {"}.moduleOf())
	require.ErrorContains(t, err, "lint: blk/a.go:2:")
}
