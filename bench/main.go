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
	"os"
	"time"

	"blksim/bench/figures"
)

func main() {
	p := figures.Program{Name: "bench", Rows: rows, Total: 150 * time.Second, Last: 175 * time.Second}
	os.Exit(p.Main(os.Args[1:], os.Stdout, os.Stderr))
}
