package aio

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// wordStep is one step of the protocol on a word of generation 5, by whom the
// protocol lets take it in that state, or by anybody who may try.
type wordStep struct {
	name  string
	ready func(w uint64) bool // who takes it owns something; nil: anybody
	take  func(a *cancelWord, id ID) string
}

var wordSteps = []wordStep{
	{"cancel", nil, func(a *cancelWord, id ID) string {
		res, run := cancelAsk(a, id)
		return fmt.Sprint(res, " ", run)
	}},
	{"stale cancel", nil, func(a *cancelWord, id ID) string {
		res, run := cancelAsk(a, id-1<<genShift)
		return fmt.Sprint(res, " ", run)
	}},
	{"callback ends", func(w uint64) bool { return wordState(w) == stateCancelling },
		func(a *cancelWord, _ ID) string { return fmt.Sprint(cancelFinish(a)) }},
	{"register", nil, func(a *cancelWord, id ID) string { return fmt.Sprint(armBegin(a, id)) }},
	{"registered", func(w uint64) bool { return wordState(w) == stateArming },
		func(a *cancelWord, _ ID) string { return fmt.Sprint(armFinish(a)) }},
	{"hook", nil, func(a *cancelWord, id ID) string { return fmt.Sprint(armHook(a, id, 5)) }},
	{"start", nil, func(a *cancelWord, id ID) string { return fmt.Sprint(startAsk(a, id)) }},
	{"hooked start", nil, func(a *cancelWord, id ID) string { return fmt.Sprint(startHook(a, id, 7)) }},
	{"start", nil, func(a *cancelWord, id ID) string { return fmt.Sprint(startPart(a, id)) }},
	{"requeue", nil, func(a *cancelWord, id ID) string { startUndo(a, id); return "" }},
	{"complete", nil, func(a *cancelWord, id ID) string { return fmt.Sprint(completeBegin(a, id)) }},
	{"completed", func(w uint64) bool { return w&flagClaimed != 0 && w&flagPending == 0 && wordState(w) != stateDone },
		func(a *cancelWord, _ ID) string { return fmt.Sprint(completeFinish(a)) }},
}

// From a published I/O, every step in every word that can be reached: what may
// change into what, whatever the order of the steps.
func TestEveryStepOfTheWordKeepsTheRules(t *testing.T) {
	const gen = 5
	id := makeID(gen, 0)
	start := wordOf(gen, stateLive)
	seen := map[uint64]bool{start: true}
	for todo := []uint64{start}; len(todo) > 0; todo = todo[1:] {
		w := todo[0]
		for _, s := range wordSteps {
			if s.ready != nil && !s.ready(w) {
				continue
			}
			var a cancelWord
			a.Store(w)
			answer := s.take(&a, id)
			next := a.Load()
			checkWordStep(t, s.name, answer, w, next)
			if !seen[next] {
				seen[next] = true
				todo = append(todo, next)
			}
		}
	}
	require.Greater(t, len(seen), 25, "words reached")
	t.Logf("%d words", len(seen))
}

func checkWordStep(t *testing.T, name, answer string, w, next uint64) {
	t.Helper()
	say := fmt.Sprintf("%s in %#x answers %q and leaves %#x", name, w&lowMask, answer, next&lowMask)
	from, to := wordState(w), wordState(next)
	gained, lost := next&^w&lowMask&^stateMask, w&^next&lowMask&^stateMask
	is := func(names ...string) bool {
		for _, n := range names {
			if n == name {
				return true
			}
		}
		return false
	}
	require.Equal(t, wordGen(w), wordGen(next), "generation: %s", say)
	require.NotEqual(t, uint64(stateFree), to, "only the reaper frees: %s", say)
	if from == stateDone || is("stale cancel") {
		require.Equal(t, w, next, "S5, S9: %s", say)
	}
	require.Zero(t, lost&^flagStarted, "flags only come: %s", say)
	require.True(t, lost == 0 || is("requeue") && w&flagClaimed == 0, "S15: %s", say)
	require.True(t, gained&flagAsked == 0 || is("cancel"), "S9: %s", say)
	require.True(t, gained&(flagHasFn|hookMask) == 0 || is("register", "hook", "hooked start"), "S2: %s", say)
	require.True(t, gained&flagStarted == 0 || is("start", "hooked start") && w&(flagAsked|flagClaimed) == 0, "S6: %s", say)
	require.True(t, from != stateCancelling || to == from || is("callback ends"), "S4, only its owner leaves: %s", say)
	require.True(t, from != stateArming || to == from || is("registered"), "only its owner leaves: %s", say)
	if to == stateCancelling && from != to {
		require.NotZero(t, next&flagAsked, "S2, nobody asked: %s", say)
		require.NotZero(t, next&flagHasFn, "S2, no callback: %s", say)
		require.Zero(t, w&flagClaimed, "S3, after the claim: %s", say)
	}
	if next&flagAsked != 0 && next&flagClaimed == 0 {
		require.NotContains(t, []uint64{stateLive, stateArmed}, to, "L3, asked and nobody acts on it: %s", say)
	}
	if to == stateDone && from != to {
		require.True(t, is("complete", "completed") || w&flagPending != 0, "S1, done without a result: %s", say)
	}
	if w&flagPending != 0 && next == w && is("callback ends", "registered") {
		t.Errorf("S1, a result is left for ever: %s", say)
	}
}
