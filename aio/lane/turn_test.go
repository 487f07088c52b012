package lane

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// 1,000 timers are due when a function is posted: it waits for a turn of them.
func TestPostedFunctionWaitsForOneTurnOfTimers(t *testing.T) {
	r := NewReal(1)
	defer r.Close()
	l := r.Lane(0)
	fired := 0
	require.NoError(t, r.Do(0, func(done func()) {
		for range 1000 {
			l.NewTimer(func() {
				if fired++; fired == 1 {
					l.Post(func() {
						if fired > turn {
							t.Errorf("after %d timers", fired)
						}
						done()
					})
				}
			}).Arm(0)
		}
	}))
}

// 1,000 functions are there when a timer becomes due: it waits for a turn of them.
func TestDueTimerWaitsForOneTurnOfFunctions(t *testing.T) {
	r := NewReal(1)
	defer r.Close()
	l := r.Lane(0)
	ran := 0
	require.NoError(t, r.Do(0, func(done func()) {
		timer := l.NewTimer(func() {
			if ran > turn {
				t.Errorf("after %d functions", ran)
			}
			done()
		})
		l.Post(func() { timer.Arm(0) })
		for range 1000 {
			l.Post(func() { ran++ })
		}
	}))
}

// What a function holds can be collected once it has run.
func TestBatchForgetsWhatHasRun(t *testing.T) {
	r := NewReal(1)
	defer r.Close()
	l := r.lanes[0]
	require.NoError(t, r.Do(0, func(done func()) {
		l.Post(func() {})
		l.Post(func() {
			for i, f := range l.batch[:l.ran] {
				if f != nil {
					t.Errorf("function %d of the batch is still there", i)
				}
			}
			done()
		})
	}))
}
