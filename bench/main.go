// Command bench measures blksim against yardsticks that a user knows, as ratios of
// two things run in turn in short windows, and compares them with what the
// project wants to reach. docs/performance.md tells what each row is and is not.
//
//	go run ./bench                    run all rows, write bench/results.json
//	go run ./bench -run cancel -v     some rows, with the times behind the ratios
//	go run ./bench -check             exit with 1 if a row misses its "must"
//	go run ./bench -table             put the results into docs/performance.md
//
//	go run ./bench -short             a few windows of each row, to see that it works
//
// It ends within three minutes, whatever the machine does.
package main

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
	// totalTime is when no further row is begun, and lastTime when the program
	// ends in the middle of one.
	totalTime = 150 * time.Second
	lastTime  = 175 * time.Second

	exitMissed = 1
	exitFailed = 2
)

func main() { os.Exit(command(os.Args[1:], rows(), os.Stdout, os.Stderr)) }

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

func command(args []string, all []row, stdout, stderr io.Writer) (exit int) {
	var s settings
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&s.run, "run", "", "run only the rows whose name matches this regular `expression`")
	f.BoolVar(&s.short, "short", false, "a few windows of each row: to see that it works, not to quote")
	f.BoolVar(&s.verbose, "v", false, "also print the costs behind each ratio")
	f.BoolVar(&s.check, "check", false, "exit with 1 if a row misses what it must reach")
	f.BoolVar(&s.table, "table", false, "run nothing: rewrite the table in docs/performance.md from the results")
	f.BoolVar(&s.list, "list", false, "run nothing: print the rows' names")
	f.StringVar(&s.profile, "cpuprofile", "", "write a CPU profile of the rows to this `file`")
	f.StringVar(&s.out, "o", "", "write the results to this `file`; default bench/results.json, and with -run nowhere")
	if err := f.Parse(args); err != nil {
		return exitFailed
	}
	if f.NArg() > 0 {
		fmt.Fprintf(stderr, "bench: argument %q: want flags only\n", f.Arg(0))
		return exitFailed
	}
	missed, err := s.do(all, stdout)
	switch {
	case err != nil:
		fmt.Fprintln(stderr, "bench:", err)
		return exitFailed
	case missed > 0 && s.check:
		return exitMissed
	}
	return 0
}

// do does what the flags say, and returns how many rows missed their must.
func (s *settings) do(all []row, stdout io.Writer) (missed int, err error) {
	root, err := moduleRoot()
	if err != nil {
		return 0, err
	}
	results := filepath.Join(root, "bench", "results.json")
	switch {
	case s.list:
		for _, r := range all {
			fmt.Fprintln(stdout, r.name)
		}
		return 0, nil
	case s.table:
		return 0, rewriteTable(results, filepath.Join(root, "docs", "performance.md"), all)
	}
	selected, err := matching(all, s.run)
	if err != nil {
		return 0, err
	}
	if s.out == "" && s.run == "" {
		s.out = results
	}
	if s.profile != "" {
		p, err := os.Create(s.profile)
		if err != nil {
			return 0, err
		}
		if err := pprof.StartCPUProfile(p); err != nil {
			return 0, errors.Join(err, p.Close())
		}
		defer func() {
			pprof.StopCPUProfile()
			err = errors.Join(err, p.Close())
		}()
	}
	last := time.AfterFunc(lastTime, func() {
		stacks := make([]byte, 1<<20)
		fmt.Fprintf(os.Stderr, "bench: a row did not end in time\n%s", stacks[:runtime.Stack(stacks, true)])
		os.Exit(exitFailed)
	})
	defer last.Stop()
	got, err := measure(selected, newMeter(root, s.short), stdout, s.verbose)
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

// matching are the rows whose names match the expression.
func matching(all []row, expression string) (selected []row, err error) {
	re, err := regexp.Compile(expression)
	if err != nil {
		return nil, fmt.Errorf("-run: %w", err)
	}
	for _, r := range all {
		if re.MatchString(r.name) {
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
func measure(rows []row, m *meter, stdout io.Writer, verbose bool) (got []result, err error) {
	about := describeMachine(m.root)
	fmt.Fprintln(stdout, about)
	for _, r := range rows {
		var why error = errSkip("no time left")
		var read *reading
		if time.Since(m.start) < totalTime {
			read, why = r.run(m)
		}
		var skip errSkip
		switch {
		case errors.As(why, &skip):
			fmt.Fprintf(stdout, "%s skipped: %s\n", r.name, skip)
		case why != nil:
			fmt.Fprintf(stdout, "%s FAILED: %v\n", r.name, why)
			err = errors.Join(err, fmt.Errorf("%s: %w", r.name, why))
		default:
			res := r.result(read, about)
			fmt.Fprintln(stdout, res)
			if verbose && read.detail != "" {
				fmt.Fprintf(stdout, "  %s\n", read.detail)
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
