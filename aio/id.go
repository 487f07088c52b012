package aio

import "fmt"

// An ID names one submitted I/O: the generation and the index of its kiocb. An
// index is used again once its I/O has completed, with the next generation, so an
// ID never comes to mean another I/O. The zero ID names none.
type ID uint64

// One constant for the range of indexes, used by the tag pool, the lookup and
// the teardown walk alike, so that they cannot disagree about the last one.
const (
	indexBits = 20
	indexMask = 1<<indexBits - 1

	// MaxCapacity is the most kiocbs a Context can have.
	MaxCapacity = 1 << indexBits
)

func makeID(gen uint64, index uint32) ID { return ID(gen<<indexBits | uint64(index)) }

func (id ID) index() uint32 { return uint32(id) & indexMask }
func (id ID) gen() uint64   { return uint64(id) >> indexBits }

// String returns index#generation.
func (id ID) String() string { return fmt.Sprintf("%d#%d", id.index(), id.gen()) }
