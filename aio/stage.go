package aio

// Stage is where an I/O is on its way.
type Stage uint8

// The stages.
const (
	StageOver   Stage = iota // it has its event, or there never was such an I/O
	StageQueued              // in the target's own queues: a cancel keeps it from the device
	StageDevice              // handed to the device (Kiocb.TryStart): what a cancel does is up to that
)

func (s Stage) String() string { return [...]string{"over", "queued", "device"}[s] }

// Stage says where the I/O id is at this moment, for whoever wants to know what a run
// waits for. Any goroutine.
func (c *Context) Stage(id ID) Stage {
	if int(id.index()) >= c.capacity {
		return StageOver
	}
	p := c.table.find(id.index())
	if p == nil {
		return StageOver
	}
	w := load(&p.slots[id.index()&(pageSlots-1)].word)
	switch {
	case !sameGen(w, id) || wordState(w) == stateFree || wordState(w) == stateDone:
		return StageOver
	case w&flagStarted != 0:
		return StageDevice
	}
	return StageQueued
}
