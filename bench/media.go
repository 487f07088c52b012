package main

import (
	"runtime"
	"time"

	"blksim/bench/figures"
)

// mediaRows are simulated random reads a second of one core through the whole
// stack over the flash model of the default device: 32 at a time, 4 KiB each. The
// aim is five million.
func mediaRows() []row {
	return []row{{"media-ios-per-second", "simulated random reads a second of one core", figures.AtLeast(0, 5e6),
		func(m *meter) (*figures.Reading, error) {
			l, err := newStackLoop("sim", 32)
			if err != nil {
				return nil, err
			}
			defer l.st.Close()
			if _, err := l.piece(); err != nil { // pools grow
				return nil, err
			}
			runtime.GC()
			r := &figures.Reading{Detail: "4 KiB, 32 at a time, tlc-enterprise"}
			work := onCPU(l.piece)
			for start := time.Now(); len(r.Ratios) < 3 || time.Since(start) < m.row; {
				s, err := work(m.window)
				if err != nil {
					return nil, err
				}
				r.Ratios = append(r.Ratios, 1e9/s.cost())
			}
			return r, nil
		}}}
}
