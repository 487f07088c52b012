package main

import (
	"context"
	"errors"
	"fmt"

	"blksim/aio"
	"blksim/aio/lane"
	"blksim/blk"
	"blksim/driver/disk"
)

// runStack has the reads go through blksim, which lets the disk have depth of them at
// a time.
func runStack(depth int) func(device string, log *endings, teardown bool) error {
	return func(device string, log *endings, teardown bool) (err error) {
		group := lane.NewReal(1)
		defer group.Close()
		l := group.Lane(0)
		drv, err := disk.Open(device, disk.Options{})
		if err != nil {
			return err
		}
		dsk, err := blk.Open(drv, blk.Options{Queues: []lane.Lane{l}, Depth: depth, NoMerges: true})
		if err != nil {
			return errors.Join(err, drv.Close())
		}
		defer func() { err = errors.Join(err, dsk.Close()) }()
		s := &stackRun{lane: l, log: log, ended: make(chan struct{})}
		if s.ctx, err = aio.New(aio.Options{Capacity: reads, Lanes: []lane.Lane{l}, OnEvents: s.events}); err != nil {
			return err
		}
		for i := range reads {
			s.ios = append(s.ios, aio.IO{Op: aio.OpRead, Off: offset(i), Len: readSize, Buf: drv.Alloc(readSize), Data: uint64(i)})
		}
		if err := group.Do(0, func(done func()) { s.submit(dsk); done() }); err != nil {
			return err
		}
		sleepUntil(log.start + patience)
		if teardown {
			log.asked = monotonic()
			return errors.Join(s.err, s.ctx.Close(context.Background()))
		}
		if err := group.Do(0, func(done func()) { s.cancel(); done() }); err != nil {
			return err
		}
		<-s.ended
		return errors.Join(s.err, s.ctx.Close(context.Background()))
	}
}

// stackRun is the lane's.
type stackRun struct {
	lane  lane.Lane
	ctx   *aio.Context
	log   *endings
	ios   []aio.IO
	ids   [reads]aio.ID
	left  int
	ended chan struct{}
	err   error
}

func (s *stackRun) submit(dsk *blk.Disk) {
	s.left = reads
	s.log.start = monotonic()
	_, s.err = s.ctx.SubmitBatch(s.lane, dsk, s.ios, s.ids[:])
}

func (s *stackRun) cancel() {
	s.log.asked = monotonic()
	for i, id := range s.ids {
		if victim(i) && s.log.how[i] == notEnded {
			s.ctx.CancelOn(s.lane, id) // what it has led to, the event tells
		}
	}
}

func (s *stackRun) events(_ lane.Lane, evs []aio.Event) {
	for i := range evs {
		ev := &evs[i]
		switch ev.Status {
		case aio.OK:
			s.log.end(int(ev.Data), completed)
		case aio.Cancelled:
			s.log.end(int(ev.Data), cancelled)
		default:
			s.log.end(int(ev.Data), failed)
			s.err = fmt.Errorf("read %d: %w", ev.Data, ev.Status.Err())
		}
	}
	if s.left -= len(evs); s.left == 0 {
		close(s.ended)
	}
}
