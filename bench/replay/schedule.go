package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	blockSize = 4096

	// margin is the part at each end of the device that no schedule reads: there tools
	// look for what is on a disk.
	margin = 8 << 20
)

// schedule is the trace that all tools replay: read i is of block blocks[i], due[i]
// after the start. Times are whole microseconds, the finest that fio reads, and no
// block is read twice, so that each issue can be told, and none within margin of an end
// of the device.
type schedule struct {
	due    []time.Duration
	blocks []int64
}

// bursts makes n reads of a device of size bytes, of iops in the mean: three in
// ten arrivals are a burst of 2 to 32 reads, up to 40 us from one to the next, and
// what is between arrivals is of a Poisson process.
func bursts(n, iops int, size int64, seed uint64) *schedule {
	rnd := rand.New(rand.NewPCG(seed, uint64(iops)))
	s := &schedule{blocks: make([]int64, 0, n)}
	at := 0.0 // seconds
	for len(s.due) < n {
		burst := 1
		if rnd.IntN(10) < 3 {
			burst = 2 + rnd.IntN(31)
		}
		burst = min(burst, n-len(s.due))
		for range burst {
			s.due = append(s.due, time.Duration(at*1e9))
			at += float64(rnd.IntN(41)) * 1e-6
		}
		at += rnd.ExpFloat64() * float64(burst) / float64(iops)
	}
	// Exactly the rate that was asked for, whatever was drawn.
	scale := float64(n) / float64(iops) / s.due[n-1].Seconds()
	for i := range s.due {
		s.due[i] = time.Duration(float64(s.due[i]) * scale).Truncate(time.Microsecond)
	}
	for _, b := range rnd.Perm(int((size - 2*margin) / blockSize))[:n] {
		s.blocks = append(s.blocks, margin/blockSize+int64(b))
	}
	return s
}

// native writes the schedule as a trace in blksim's own text.
func (s *schedule) native() []byte {
	return s.lines("blksim trace 1\n", func(w *bufio.Writer, due time.Duration, off int64) {
		fmt.Fprintf(w, "%d.%06d R %d %d\n", due/time.Second, due%time.Second/time.Microsecond, off, blockSize)
	})
}

// iolog writes it as fio's log, version 3.
func (s *schedule) iolog(device string) []byte {
	head := fmt.Sprintf("fio version 3 iolog\n0 %s add\n0 %s open\n", device, device)
	return s.lines(head, func(w *bufio.Writer, due time.Duration, off int64) {
		fmt.Fprintf(w, "%d %s read %d %d\n", due.Microseconds(), device, off, blockSize)
	})
}

func (s *schedule) lines(head string, line func(w *bufio.Writer, due time.Duration, off int64)) []byte {
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	w.WriteString(head)
	for i, due := range s.due {
		line(w, due, s.blocks[i]*blockSize)
	}
	w.Flush() // into memory, which does not fail
	return b.Bytes()
}

// btrecord writes it as btrecord would, a bunch for each read (traces/btrecord.go has
// the format).
func (s *schedule) btrecord() []byte {
	var b []byte
	put := func(v ...uint64) {
		for _, x := range v {
			b = binary.LittleEndian.AppendUint64(b, x)
		}
	}
	const version, read = 0x10000, 1
	put(version, 0, uint64(len(s.due)), uint64(len(s.due)))
	for i, due := range s.due {
		put(1, uint64(due), uint64(s.blocks[i]*blockSize/512), blockSize, read)
	}
	return b
}
