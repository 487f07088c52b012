package figures

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/pprof"
	"time"
)

const (
	exitMissed = 1
	exitFailed = 2
)

// A Program is one benchmark: a command.
type Program struct {
	Name string // its folder, from the module's root, with slashes: "bench/replay"

	// Rows are all rows, in the order of the report. root is the module's folder;
	// short says that a few windows of each are enough, to see that it works. It
	// must not do anything but list them.
	Rows func(root string, short bool) []Row

	Total time.Duration // no further row is begun so long after the start
	Last  time.Duration // the program ends, in the middle of one

	// Cleanup, if there is one, runs at the end, also at Last.
	Cleanup func() error
}

// settings are the command's flags.
type settings struct {
	run     string
	short   bool
	verbose bool
	check   bool
	table   bool
	list    bool
	profile string
	out     string
}

// Main does what the arguments say and returns the exit code: 1 if a row missed its
// must and -check was given, 2 if anything failed.
func (p *Program) Main(args []string, stdout, stderr io.Writer) (exit int) {
	var s settings
	f := flag.NewFlagSet(p.Name, flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&s.run, "run", "", "run only the rows whose name matches this regular `expression`")
	f.BoolVar(&s.short, "short", false, "a few windows of each row: to see that it works, not to quote")
	f.BoolVar(&s.verbose, "v", false, "also print the costs behind each ratio")
	f.BoolVar(&s.check, "check", false, "exit with 1 if a row misses what it must reach")
	f.BoolVar(&s.table, "table", false, "run nothing: rewrite the table in docs/performance.md from the results")
	f.BoolVar(&s.list, "list", false, "run nothing: print the rows' names")
	f.StringVar(&s.profile, "cpuprofile", "", "write a CPU profile of the rows to this `file`")
	f.StringVar(&s.out, "o", "", "write the results to this `file`; default "+p.Name+"/results.json, and with -run nowhere")
	if err := f.Parse(args); err != nil {
		return exitFailed
	}
	if f.NArg() > 0 {
		fmt.Fprintf(stderr, "%s: argument %q: want flags only\n", p.Name, f.Arg(0))
		return exitFailed
	}
	missed, err := p.do(&s, stdout, stderr)
	switch {
	case err != nil:
		fmt.Fprintf(stderr, "%s: %v\n", p.Name, err)
		return exitFailed
	case missed > 0 && s.check:
		return exitMissed
	}
	return 0
}

// do does what the flags say, and returns how many rows missed their must.
func (p *Program) do(s *settings, stdout, stderr io.Writer) (missed int, err error) {
	root, err := moduleRoot()
	if err != nil {
		return 0, err
	}
	all := p.Rows(root, s.short)
	results := filepath.Join(root, filepath.FromSlash(p.Name), "results.json")
	switch {
	case s.list:
		for _, r := range all {
			fmt.Fprintln(stdout, r.Name)
		}
		return 0, nil
	case s.table:
		return 0, p.rewriteTable(results, filepath.Join(root, "docs", "performance.md"), all)
	}
	selected, err := matching(all, s.run)
	if err != nil {
		return 0, err
	}
	if s.out == "" && s.run == "" {
		s.out = results
	}
	if s.profile != "" {
		end, err := profileTo(s.profile)
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, end()) }()
	}
	last := time.AfterFunc(p.Last, func() {
		stacks := make([]byte, 1<<20)
		fmt.Fprintf(stderr, "%s: a row did not end in time\n%s", p.Name, stacks[:runtime.Stack(stacks, true)])
		if p.Cleanup != nil {
			_ = p.Cleanup() // nothing can be done about it any more
		}
		os.Exit(exitFailed)
	})
	defer last.Stop()
	got, err := p.measure(selected, root, stdout, s.verbose)
	if p.Cleanup != nil {
		err = errors.Join(err, p.Cleanup())
	}
	for i := range got {
		if got[i].missed() {
			missed++
		}
	}
	if missed > 0 {
		fmt.Fprintf(stdout, "%d of %d rows miss what they must reach\n", missed, len(got))
	}
	if err == nil && s.out != "" {
		err = writeResults(s.out, got)
	}
	return missed, err
}

// profileTo starts a CPU profile; end ends it.
func profileTo(path string) (end func() error, err error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

// matching are the rows whose names match the expression.
func matching(all []Row, expression string) (selected []Row, err error) {
	re, err := regexp.Compile(expression)
	if err != nil {
		return nil, fmt.Errorf("-run: %w", err)
	}
	for _, r := range all {
		if re.MatchString(r.Name) {
			selected = append(selected, r)
		}
	}
	if len(selected) == 0 {
		return nil, fmt.Errorf("-run %s: no row has such a name; -list prints them", expression)
	}
	return selected, nil
}

// measure runs rows and prints a line for each. A row that cannot be run here is
// skipped with a word; one that fails is an error, after the others have run.
func (p *Program) measure(rows []Row, root string, stdout io.Writer, verbose bool) (got []Result, err error) {
	start, about := time.Now(), describeMachine(root)
	fmt.Fprintln(stdout, about)
	for _, r := range rows {
		var why error = Skip("no time left")
		var read *Reading
		if time.Since(start) < p.Total {
			read, why = r.Run()
		}
		var skip Skip
		switch {
		case errors.As(why, &skip):
			fmt.Fprintf(stdout, "%s skipped: %s\n", r.Name, skip)
		case why != nil:
			fmt.Fprintf(stdout, "%s FAILED: %v\n", r.Name, why)
			err = errors.Join(err, fmt.Errorf("%s: %w", r.Name, why))
		default:
			res := r.result(read, about)
			fmt.Fprintln(stdout, res)
			if verbose && read.Detail != "" {
				fmt.Fprintf(stdout, "  %s\n", read.Detail)
			}
			if read.Grid != nil {
				fmt.Fprint(stdout, read.Grid.text())
			}
			got = append(got, res)
		}
	}
	return got, err
}

// moduleRoot is the folder above the working directory that has the go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("no go.mod here or above: run it within the checkout")
		}
		dir = up
	}
}
