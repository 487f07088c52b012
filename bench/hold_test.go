package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBothQueuesHoldTheSameEvents(t *testing.T) {
	for _, n := range []int{1, 10, 1000} {
		require.NoError(t, sameHolds(n, 20*n))
	}
}
