package main

import "blksim/aio/lane"

// benchLane is a lane that is no more than a name for the goroutine that calls:
// with it a row measures aio and not the lanes. Its user never has aio post to it.
type benchLane struct{ index int }

var _ lane.Lane = (*benchLane)(nil)

func (l *benchLane) Index() int                 { return l.index }
func (l *benchLane) Now() lane.Time             { return 0 }
func (l *benchLane) Post(func())                { panic("bench: a post to a lane that does not run") }
func (l *benchLane) NewTimer(func()) lane.Timer { panic("bench: a timer of a lane that does not run") }
