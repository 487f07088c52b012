package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"blksim/internal/replay"
	"blksim/traces"
)

const progressEvery = 250 * time.Millisecond

// progress shows how far a run is, on one line of a terminal.
type progress struct {
	quit, done chan struct{}
}

// progress starts to show; where stderr is no terminal it shows nothing.
func (s *settings) progress(w io.Writer, name string, live *replay.Live, rd *traces.Reader) *progress {
	f, ok := w.(*os.File)
	if s.quiet || !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	p := &progress{make(chan struct{}), make(chan struct{})}
	go p.show(w, name, live, rd.Stats().SizeHint)
	return p
}

func (p *progress) show(w io.Writer, name string, live *replay.Live, size int64) {
	defer close(p.done)
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	start := time.Now()
	width := 0
	for {
		select {
		case <-p.quit:
			fmt.Fprintf(w, "\r%s\r", strings.Repeat(" ", width))
			return
		case <-tick.C:
		}
		n, spent := live.Ended.Load(), time.Since(start)
		line := fmt.Sprintf("%d requests, %.0f/s, at %v of the trace",
			n, float64(n)/spent.Seconds(), time.Duration(live.Now.Load()).Round(time.Millisecond))
		if name != "" {
			line = name + ": " + line
		}
		if read := live.Bytes.Load(); size > 0 && read > 0 {
			part := float64(read) / float64(size)
			left := time.Duration(float64(spent) * (1 - part) / part)
			line += fmt.Sprintf(", %.0f %%, %v left", 100*part, left.Round(time.Second))
		}
		fmt.Fprintf(w, "\r%-*s", width, line)
		width = max(width, len(line))
	}
}

// end takes the line away.
func (p *progress) end() {
	if p == nil {
		return
	}
	close(p.quit)
	<-p.done
}
