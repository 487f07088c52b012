//go:build !linux

package main

import (
	"time"

	"blksim/bench/figures"
)

const notHere = figures.Skip("tracing block devices is for Linux")

const tick = 10 * time.Millisecond

type disk struct{}

type fio struct{}

func makeDisk() (*disk, error)                           { return nil, notHere }
func (b *bench) close() error                            { return nil }
func (d *disk) completed() (int64, error)                { return 0, notHere }
func (d *disk) turn(time.Duration, tracer) (turn, error) { return turn{}, notHere }
func (d *disk) fio(int) (*fio, error)                    { return nil, notHere }
func (d *disk) busy(*fio) error                          { return notHere }
func (f *fio) stop()                                     {}
func (f *fio) failed() error                             { return notHere }
func openHistogram(bool) func(*disk) (tracer, error)     { return openEvents }
func openEvents(*disk) (tracer, error)                   { return nil, notHere }
func openBpftrace(*disk) (tracer, error)                 { return nil, notHere }
func openTracefs(*disk) (tracer, error)                  { return nil, notHere }
