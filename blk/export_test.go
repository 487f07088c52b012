package blk

import "unsafe"

// WithoutPlainWay has d make a request of each bio.
func (d *Disk) WithoutPlainWay() {
	for _, h := range d.queues {
		for op := range h.plain.most {
			h.plain.most[op] = -1
		}
	}
}

// PlainBios is how many bios the driver has without a request.
func (d *Disk) PlainBios() (n int) {
	for _, h := range d.queues {
		for i := range h.slots {
			if h.slots[i].bio != nil {
				n++
			}
		}
	}
	return n
}

// Sizes are those of a bio and a slot, and where their hot parts end.
func Sizes() (bioAll, bioHot, slotAll, slotHot uintptr) {
	var b bio
	var s slot
	return unsafe.Sizeof(b), unsafe.Offsetof(b.gate), unsafe.Sizeof(s), unsafe.Offsetof(s.req) + unsafe.Offsetof(s.req.Driver)
}
