package main

import (
	"os"
	"time"

	"blksim/bench/figures"
)

func main() { os.Exit(program().Main(os.Args[1:], os.Stdout, os.Stderr)) }

func program() *figures.Program {
	p := &figures.Program{Name: "bench/disk", Total: 9 * time.Minute, Last: 10 * time.Minute}
	p.Rows = func(_ string, short bool) []figures.Row {
		b := &bench{alternations: 9, window: 500 * time.Millisecond}
		if short {
			b.alternations, b.window = 2, 200*time.Millisecond
		}
		p.Cleanup = b.close
		return b.rows()
	}
	return p
}
