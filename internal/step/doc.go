// Package step marks the shared steps of the lock-free code: the loads, stores
// and compare-and-swaps that another lane can see.
//
// In a normal build each mark is an empty function that inlines away. Under the
// build tag "interleave" each mark is a scheduling point: the step that follows
// it is taken only when the explorer (internal/explore) says so, which lets it
// run the real code through every interleaving. A mark names the word that the
// next step touches and whether the step may write it, so that the explorer can
// leave out schedules that differ only in the order of independent steps.
//
// Between two marks an actor may touch one shared word, once. Plain memory that
// changes hands by way of an atomic word counts as shared, and is marked, as one
// word for what is written together: it is where a broken hand-over shows.
// Code under a plain mutex has one mark, before the lock; with marks of its own,
// the mutex is locked by Lock.
package step
