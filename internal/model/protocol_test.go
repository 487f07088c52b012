package model

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	configBound = 32 << 20   // states of one configuration
	wanted      = 10_000_000 // states of all of them
)

// short says that the setting is the short one: -short, or the race detector, for
// which there is nothing to see here.
func short() bool { return testing.Short() || raceDetector }

// Every configuration, every state: the rules hold, and the end can be reached.
func TestEveryStateKeepsTheRules(t *testing.T) {
	all := Configurations()
	results := make([]Result, len(all))
	t.Run("configurations", func(t *testing.T) {
		for i, p := range all {
			if short() && !p.quick {
				continue
			}
			t.Run(p.Name, func(t *testing.T) {
				t.Parallel()
				r, err := Check[world](p, configBound)
				require.NoError(t, err)
				if r.Finding != nil {
					t.Fatalf("after %v\n%v", r, r.Finding)
				}
				t.Log(r)
				results[i] = r
			})
		}
	})
	if t.Failed() {
		return
	}
	var b strings.Builder
	states, transitions, done := 0, 0, 0
	var taken [numSteps]int
	for i, p := range all {
		r := &results[i]
		if r.States == 0 {
			continue
		}
		fmt.Fprintf(&b, "%v  %s\n", r, p.Name)
		states += r.States
		transitions += r.Transitions
		done++
		for k, n := range r.Taken {
			taken[k] += n
		}
	}
	t.Logf("\n%smodel: %d states, %d transitions in %d configurations: every rule holds, every state can reach the end",
		b.String(), states, transitions, done)
	if short() {
		t.Logf("this is the short setting: %d of %d configurations; all: go test ./internal/model", done, len(all))
		return
	}
	require.GreaterOrEqual(t, states, wanted)
	for pc := pcEnter + 1; pc < numPCs; pc++ {
		require.NotZero(t, taken[pc], "no configuration has the step %q", steps[pc].name)
	}
}

// The canary: each protocol that is wrong in one thing is found to be.
func TestEveryFaultIsFound(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range Faults() {
		require.False(t, seen[f.Name], "two faults %s", f.Name)
		seen[f.Name] = true
		p, r, err := f.find(faultBound)
		require.NoError(t, err, f.Name)
		require.NotNil(t, r.Finding, "%s is not found in %d states of %q", f.Name, r.States, p.Name)
		t.Logf("%-36s %3d steps  %s", f.Name, len(r.Finding.Steps), r.Finding.Reason)
		reason, err := Caught(f.Name)
		require.NoError(t, err)
		require.Equal(t, r.Finding.Reason, reason)
	}
	_, err := Caught("no such fault")
	require.Error(t, err)
}

// A fault that is none is not found: the harness of the faults finds only what is
// there.
func TestTheRightProtocolIsNoFault(t *testing.T) {
	f := Fault{"none", callbackLocks, func(*Protocol) {}}
	_, r, err := f.find(faultBound)
	require.NoError(t, err)
	require.Nil(t, r.Finding)
}

// A trace says who, what, and the word before and after.
func TestTraceOfAFaultIsReadable(t *testing.T) {
	for _, f := range Faults() {
		if f.Name != "start-after-a-cancel" {
			continue
		}
		_, r, err := f.find(faultBound)
		require.NoError(t, err)
		trace := r.Finding.String()
		t.Log("\n" + trace)
		require.Contains(t, trace, "canceller: Cancel swaps")
		require.Contains(t, trace, "word 0: 1:LIVE -> 1:CANCELLED(asked)")
		require.Contains(t, trace, "S6: started after a cancel was accepted")
	}
}

// Words that a decision can meet stay such words.
func TestDecisionsKeepWordsConsistent(t *testing.T) {
	for op := range Op(NumOps) {
		words := Words(op)
		require.NotEmpty(t, words)
		for _, w := range words {
			next, answer := Decide(op, w, true)
			require.True(t, word(next).consistent(), "op %d of %v: %v", op, word(w), word(next))
			require.NotEmpty(t, answer)
			if op != OpFinish && op != OpRegistered && op != OpCompleteFinish {
				next, _ = Decide(op, w, false)
				require.Equal(t, w, next, "op %d of another generation changes %v", op, word(w))
			}
		}
	}
}

// No call of the protocol is left out of all configurations.
func TestEveryCallIsInAConfiguration(t *testing.T) {
	has := func(op op) bool {
		return slices.ContainsFunc(Configurations(), func(p *Protocol) bool {
			return slices.ContainsFunc(p.players, func(pl player) bool {
				return slices.ContainsFunc(pl.program, func(in instr) bool { return in.op == op })
			})
		})
	}
	for op := opSubmit; op <= opUnlock; op++ {
		require.True(t, has(op), "no configuration calls op %d", op)
	}
}
