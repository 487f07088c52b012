package main

import (
	"os"
	"time"

	"blksim/bench/figures"
)

func main() { os.Exit(program().Main(os.Args[1:], os.Stdout, os.Stderr)) }

func program() *figures.Program {
	p := &figures.Program{Name: "bench/trace", Total: 8 * time.Minute, Last: 9 * time.Minute}
	p.Rows = func(_ string, short bool) []figures.Row {
		b := &bench{turns: 25, least: 9, row: 38 * time.Second, window: 500 * time.Millisecond}
		if short {
			b.turns, b.least, b.window = 2, 2, 100*time.Millisecond
		}
		p.Cleanup = b.close
		return b.rows()
	}
	return p
}
