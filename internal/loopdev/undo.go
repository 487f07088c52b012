package loopdev

import (
	"errors"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
)

// Undo has what a program must take back before it ends. The zero value is ready.
type Undo struct {
	mu    sync.Mutex // leaf; not held while a step runs
	steps []func() error
}

// Add adds a step. Close runs the last one first.
func (u *Undo) Add(step func() error) {
	u.mu.Lock()
	u.steps = append(u.steps, step)
	u.mu.Unlock()
}

// Close takes everything back, each step once, and goes on where one fails.
func (u *Undo) Close() error {
	u.mu.Lock()
	steps := u.steps
	u.steps = nil
	u.mu.Unlock()
	var err error
	for _, step := range slices.Backward(steps) {
		err = errors.Join(err, step())
	}
	return err
}

// OnSignal has SIGINT, SIGTERM and SIGHUP close u and then call exit with 128 and
// the signal's number. stop ends that. It must be called before the first Add, and
// once.
func (u *Undo) OnSignal(exit func(code int)) (stop func()) {
	got := make(chan os.Signal, 1)
	signal.Notify(got, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	end := make(chan struct{})
	go func() {
		select {
		case s := <-got:
			code := 128
			if n, ok := s.(syscall.Signal); ok {
				code += int(n)
			}
			_ = u.Close() // nobody is left to tell
			exit(code)
		case <-end:
		}
	}()
	return func() {
		signal.Stop(got)
		close(end)
	}
}
