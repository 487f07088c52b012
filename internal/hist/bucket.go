package hist

import "math/bits"

const (
	indexBits = 6
	perGroup  = 1 << indexBits
	groups    = 29
	buckets   = groups * perGroup

	// limit is the first value beyond the buckets. Group g > 0 has the values
	// from 2^(g+5) up to 2^(g+6).
	limit = 1 << (groups - 1 + indexBits)
)

// indexOf is the bucket of a value that is not negative.
func indexOf(v int64) int {
	if v >= limit {
		return buckets - 1
	}
	top := bits.Len64(uint64(v)) - 1
	if top <= indexBits {
		return int(v) // groups 0 and 1: a bucket for each value
	}
	drop := top - indexBits
	return drop<<indexBits + int(v>>drop)
}

// bounds are the least and the greatest value of a bucket; the last bucket also
// takes what is greater.
func bounds(i int) (from, to int64) {
	if i < 2*perGroup {
		return int64(i), int64(i)
	}
	drop := i>>indexBits - 1
	from = int64(perGroup+i%perGroup) << drop
	return from, from + 1<<drop - 1
}

// middle is what fio reports for a bucket.
func middle(i int) int64 {
	from, to := bounds(i)
	return from + (to-from+1)/2
}
