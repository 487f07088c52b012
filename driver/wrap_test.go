package driver_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/driver"
)

// able can do everything.
type able struct{ submits, cancels, commits, polls int }

func (a *able) Submit(*driver.Request) aio.Status { a.submits++; return aio.OK }
func (a *able) Cancel(*driver.Request)            { a.cancels++ }
func (a *able) Commit()                           { a.commits++ }
func (a *able) Poll(budget int) int               { a.polls++; return budget }

func TestAWrappedQueueCanDoWhatItSaysAndNothingElse(t *testing.T) {
	for bits := range 8 {
		a := new(able)
		want := driver.Optional{}
		if bits&1 != 0 {
			want.Canceler = a
		}
		if bits&2 != 0 {
			want.Committer = a
		}
		if bits&4 != 0 {
			want.Poller = a
		}
		q := want.With(a)
		q.Submit(nil)
		got := driver.OptionalOf(q)
		require.Equal(t, want.Canceler != nil, got.Canceler != nil, bits)
		require.Equal(t, want.Committer != nil, got.Committer != nil, bits)
		require.Equal(t, want.Poller != nil, got.Poller != nil, bits)
		calls := able{submits: 1}
		if got.Canceler != nil {
			got.Canceler.Cancel(nil)
			calls.cancels++
		}
		if got.Committer != nil {
			got.Committer.Commit()
			calls.commits++
		}
		if got.Poller != nil {
			require.Equal(t, 3, got.Poller.Poll(3))
			calls.polls++
		}
		require.Equal(t, calls, *a)
	}
}
