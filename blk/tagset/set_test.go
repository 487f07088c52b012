package tagset_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/aio/lane"
	"blksim/blk/tagset"
	"blksim/sim"
)

func TestTagsAreEachGivenOnce(t *testing.T) {
	w := sim.NewWorld(1, 1)
	s := tagset.New(100)
	u := s.Join(w.Lane(0), func() {})
	seen := map[int]bool{}
	for range 100 {
		tag, ok := u.Take()
		require.True(t, ok)
		require.False(t, seen[tag])
		require.True(t, tag >= 0 && tag < 100)
		seen[tag] = true
	}
	_, ok := u.Take()
	require.False(t, ok)
	require.Equal(t, []int{0, 100}, []int{s.Free(), u.Held()})
	u.Give(7)
	tag, ok := u.Take()
	require.True(t, ok)
	require.Equal(t, 7, tag)
}

// While others are active, nobody holds more than its share; when they are idle,
// all of it is one's own again, and who waited for that is told.
func TestSharesFollowTheActiveUsers(t *testing.T) {
	w := sim.NewWorld(1, 2)
	s := tagset.New(10)
	woken := 0
	a := s.Join(w.Lane(0), func() { woken++ })
	b := s.Join(w.Lane(1), func() {})
	one, ok := b.Take()
	require.True(t, ok)
	for range 5 {
		_, ok = a.Take()
		require.True(t, ok)
	}
	_, ok = a.Take()
	require.False(t, ok, "four are free, but half is b's")
	b.Give(one)
	require.NoError(t, w.Run())
	require.Zero(t, woken, "b may want it again")
	b.Idle()
	require.NoError(t, w.Run())
	require.Equal(t, 1, woken)
	_, ok = a.Take()
	require.True(t, ok)
}

func TestWhoWaitsIsWokenByATagInTurn(t *testing.T) {
	w := sim.NewWorld(1, 4)
	s := tagset.New(2)
	var order []int
	var users []*tagset.User
	for i := range 4 {
		users = append(users, s.Join(w.Lane(i), func() { order = append(order, i) }))
	}
	x, _ := users[0].Take()
	y, _ := users[1].Take()
	for _, u := range users[2:] {
		_, ok := u.Take()
		require.False(t, ok)
	}
	users[0].Give(x)
	users[1].Give(y)
	require.NoError(t, w.Run())
	require.ElementsMatch(t, []int{2, 3}, order)
}

// A wake that its user has no use for goes on to the next.
func TestAWakeIsNotLostWithTheWoken(t *testing.T) {
	w := sim.NewWorld(1, 3)
	s := tagset.New(1)
	var woken []int
	var users [3]*tagset.User
	for i := range 3 {
		users[i] = s.Join(w.Lane(i), func() {
			woken = append(woken, i)
			users[i].Pass()
		})
	}
	x, _ := users[0].Take()
	users[1].Take()
	users[2].Take()
	users[0].Give(x)
	require.NoError(t, w.Run())
	require.ElementsMatch(t, []int{1, 2}, woken)
}

// Takers on real lanes: no tag is held twice, and nobody who waits is forgotten.
func TestRealLanesTakeAndGive(t *testing.T) {
	const lanes, tags, rounds = 4, 3, 3000
	g := lane.NewReal(lanes)
	defer g.Close()
	s := tagset.New(tags)
	var holders [tags]atomic.Int32
	var wg sync.WaitGroup
	wg.Add(lanes)
	for i := range lanes {
		l := g.Lane(i)
		left := rounds
		var u *tagset.User
		var run func()
		run = func() {
			if left == 0 {
				u.Pass()
				return
			}
			tag, ok := u.Take()
			if !ok {
				return // run is the wake
			}
			if holders[tag].Add(1) != 1 {
				t.Error("a tag is held twice")
			}
			l.Post(func() {
				holders[tag].Add(-1)
				u.Give(tag)
				if left--; left == 0 {
					u.Idle()
					wg.Done()
				}
				run()
			})
		}
		u = s.Join(l, func() { run() })
		l.Post(run)
	}
	wg.Wait()
	require.Equal(t, tags, s.Free())
}
