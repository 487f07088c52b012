package wheel

import "math/bits"

const (
	slotBits = 12
	slots    = 1 << slotBits
	slotMask = slots - 1
)

// bitmap has a bit for each slot that is not empty and, in top, one for each
// word that is not zero. The masks below change nothing; they tell the compiler
// that no index is out of bounds.
type bitmap struct {
	top   uint64
	words [slots / 64]uint64
}

func (b *bitmap) set(slot int32) {
	b.words[slot>>6&63] |= 1 << (slot & 63)
	b.top |= 1 << (slot >> 6 & 63)
}

func (b *bitmap) clear(slot int32) {
	w := slot >> 6 & 63
	word := b.words[w] &^ (1 << (slot & 63))
	b.words[w] = word
	// Whether it was the word's last is not to be guessed: no branch.
	none := (word - 1) &^ word >> 63
	b.top &^= none << w
}

// first is the lowest slot that is set. There must be one.
func (b *bitmap) first() int32 {
	w := int32(bits.TrailingZeros64(b.top)) & 63
	return (w<<6 | int32(bits.TrailingZeros64(b.words[w]))) & slotMask
}
