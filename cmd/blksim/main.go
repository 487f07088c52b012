package main

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"blksim/internal/outfile"
)

// The kernel hands a signal to the main thread of a process, whatever that does, and the
// other threads do not learn of it. If it waited in the kernel for a disk that does not
// answer, Ctrl-C would be lost, so nothing else is done on it.
func init() { runtime.LockOSThread() }

func main() {
	// A closed pipe is an error of the write, with its exit code, and not the end
	// of the process.
	signal.Ignore(syscall.SIGPIPE)
	code := make(chan int)
	go func() { code <- runOn(process{}, os.Args[1:], os.Stdout, os.Stderr) }()
	exit(<-code)
}

// runOn is main, with files written by sys.
func runOn(sys outfile.System, args []string, stdout, stderr io.Writer) int {
	root := newRoot(sys)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	var e *exitError
	if err != nil && !(errors.As(err, &e) && e.said) {
		say(stderr, err)
	}
	return codeOf(err)
}

func newRoot(sys outfile.System) *cobra.Command {
	root := &cobra.Command{
		Use:   "blksim",
		Short: "A block I/O laboratory: any I/O, cancelled at any stage, completes exactly once",
		Long: `blksim replays traces of block I/O through a whole stack (asynchronous core,
block layer, NVMe driver, virtual NVMe device) in deterministic virtual time or
in real time, and tells what became of every request, cancelled ones above all.

Exit codes: 0 ok, 1 internal error, 2 usage, 3 bad input, 4 device or
environment, 5 result not written, 6 only part of the input was good, 99 a
threshold is breached, 124 the time limit is over, 130 and 143 interrupted.`,
		Version:       version(debug.ReadBuildInfo()),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown command %q: see blksim help", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return failed(exitUsage, err) })
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.AddCommand(newReplay(sys), newRun(sys), newTrace(), newDiff(sys), newMerge(sys), newCompare(sys))
	root.AddCommand(newList(sys), newSnoop(), newTop(), newBiolatency(), newProfile(), newDrivers(), newCheckDriver(), newNew(), newRepro(), newOptions(), newMan(sys))
	for _, c := range root.Commands() {
		argsAreUsage(c)
	}
	return root
}

// argsAreUsage has arguments that a command or one below it does not take end with the
// code of usage errors, as its options do: cobra's own checks know of no codes.
func argsAreUsage(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			err := check(c, args)
			var e *exitError
			if err == nil || errors.As(err, &e) {
				return err
			}
			return failed(exitUsage, err)
		}
	}
	for _, below := range c.Commands() {
		argsAreUsage(below)
	}
}

// version is the module's version, or the commit that it was built from.
func version(info *debug.BuildInfo, ok bool) string {
	if !ok {
		return "devel"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	v, modified := "devel", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && s.Value != "":
			v = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = "+dirty"
		}
	}
	return v + modified
}
