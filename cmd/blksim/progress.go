package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"blksim/internal/load"
	"blksim/internal/replay"
)

const progressEvery = 250 * time.Millisecond

// state is how far a run is.
type state struct {
	ended int64
	at    string  // where it is, in words
	part  float64 // of the whole, 0 if that is not known
}

// replayState tells how far a replay is, from the part of the trace's stored bytes
// that was read.
func replayState(live *replay.Live, size int64) state {
	s := state{ended: live.Ended.Load(), at: fmt.Sprintf("at %v of the trace", time.Duration(live.Now.Load()).Round(time.Millisecond))}
	if read := live.Bytes.Load(); size > 0 {
		s.part = float64(read) / float64(size)
	}
	return s
}

func loadState(r *load.Run) state {
	ended, now := r.Progress()
	return state{ended: ended, at: fmt.Sprintf("at %v of the load", now.Round(time.Millisecond))}
}

// progress shows how far a run is, on one line of a terminal.
type progress struct {
	quit, done chan struct{}
}

// progress starts to show; where stderr is no terminal it shows nothing.
func (b *batch) progress(name string, now func() state) *progress {
	f, ok := b.log.stderr.(*os.File)
	if b.quiet || !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	p := &progress{make(chan struct{}), make(chan struct{})}
	go p.show(f, name, now)
	return p
}

func (p *progress) show(w io.Writer, name string, now func() state) {
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
		s, spent := now(), time.Since(start)
		line := fmt.Sprintf("%d requests, %.0f/s, %s", s.ended, float64(s.ended)/spent.Seconds(), s.at)
		if name != "" {
			line = name + ": " + line
		}
		if s.part > 0 {
			left := time.Duration(float64(spent) * (1 - s.part) / s.part)
			line += fmt.Sprintf(", %.0f %%, %v left", 100*s.part, left.Round(time.Second))
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
