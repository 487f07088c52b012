package traces_test

import (
	"fmt"
	"io"

	"blksim/traces"
)

func ExampleOpen() {
	r, err := traces.Open("samples/oltp-mix.blk.gz", traces.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	count := map[traces.Op]int{}
	recs := make([]traces.Record, 1024)
	for {
		n, err := r.Read(recs)
		for _, rec := range recs[:n] {
			count[rec.Op]++
		}
		if err == io.EOF {
			break
		} else if err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println(r.Format(), count[traces.Read], "reads,", count[traces.Write], "writes")
	// Output: blksim 17262 reads, 7746 writes
}
