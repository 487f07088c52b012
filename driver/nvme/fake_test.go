package nvme_test

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/aio/lane"
	device "blksim/device/nvme"
	"blksim/device/nvme/spec"
	"blksim/driver/nvme"
	"blksim/sim"
)

// fake is a controller by script: it sets up queues as a real one does, and
// keeps the I/O commands and the Aborts that it fetches until the test says what
// becomes of them. Its fields may be set before Open and between events.
type fake struct {
	lane lane.Lane
	mem  device.Memory
	irq  device.Interrupter

	cap             spec.CapFields
	controller      spec.ControllerData
	namespace       spec.NamespaceData
	queues          int                     // granted
	refuse          map[uint8]spec.Status   // admin opcodes that fail
	silent          map[uint8]bool          // admin opcodes that are never answered
	setCSTS         func(cc spec.CC) uint32 // what CSTS becomes after a write of CC
	mute            bool                    // raises no interrupts
	onHead          func()                  // called inline when an I/O completion queue's head doorbell is rung
	refuseNamespace bool
	frozenHead      bool           // tells head 0 in completions
	effects         map[int]uint32 // I/O commands of the effects log page

	cc, csts, aqa uint32
	asq, acq      uint64
	pairs         map[uint16]*fakePair
	admin         []spec.SQE // every admin command fetched
	io            []fakeCommand
	aborts        []spec.SQE // Aborts that wait for an answer
}

type fakePair struct {
	sq, cq         uint64
	sqSize, cqSize uint32
	sqHead, cqTail uint32
	cqHead         uint32
	phase          bool
	waiting        []func() // completions that have no room
}

// fakeCommand is an I/O command that was fetched.
type fakeCommand struct {
	qid uint16
	spec.SQE
}

// newFake makes a controller that behaves.
func newFake(l lane.Lane) *fake {
	return &fake{
		lane:       l,
		cap:        spec.CapFields{MQES: 1023, TO: 2, CSS: 1},
		controller: spec.ControllerData{SQES: 0x66, CQES: 0x44, ONCS: spec.ONCSDatasetManagement | spec.ONCSWriteZeroes, VWC: spec.VWCPresent},
		namespace:  spec.NamespaceData{NSZE: 1 << 20, LBADS: [16]uint8{9}},
		queues:     8,
		refuse:     map[uint8]spec.Status{},
		silent:     map[uint8]bool{},
		pairs:      map[uint16]*fakePair{},
		setCSTS: func(cc spec.CC) uint32 {
			s := spec.CSTS(0)
			if cc.EN() {
				s = spec.CSTSReady
			}
			if cc.SHN() != spec.ShutdownNone {
				s = s.WithSHST(spec.ShutdownComplete)
			}
			return uint32(s)
		},
	}
}

func (f *fake) Read32(off uint32) uint32 {
	switch off {
	case spec.RegCC:
		return f.cc
	case spec.RegCSTS:
		return f.csts
	}
	return 0
}

func (f *fake) Read64(uint32) uint64 { return uint64(f.cap.Encode()) }

func (f *fake) Write64(off uint32, v uint64) {
	f.lane.Post(func() {
		switch off {
		case spec.RegASQ:
			f.asq = v
		case spec.RegACQ:
			f.acq = v
		}
	})
}

func (f *fake) Write32(off uint32, v uint32) {
	if off > spec.RegDoorbells+4 && off/4%2 == 1 && f.onHead != nil {
		f.onHead()
	}
	f.lane.Post(func() {
		switch {
		case off == spec.RegAQA:
			f.aqa = v
		case off == spec.RegCC:
			f.cc = v
			f.csts = f.setCSTS(spec.CC(v))
			if spec.CC(v).EN() {
				a := spec.AQA(f.aqa)
				f.pairs[0] = &fakePair{sq: f.asq, cq: f.acq, sqSize: uint32(a.SQEntries()), cqSize: uint32(a.CQEntries()), phase: true}
			}
		case off >= spec.RegDoorbells && (off-spec.RegDoorbells)/4%2 == 0:
			f.fetch(uint16((off-spec.RegDoorbells)/8), v)
		case off >= spec.RegDoorbells:
			f.drain(f.pairs[uint16((off-spec.RegDoorbells)/8)], v)
		}
	})
}

func (f *fake) fetch(qid uint16, tail uint32) {
	p := f.pairs[qid]
	for p.sqHead != tail {
		b, ok := f.mem.Window(p.sq+uint64(p.sqHead)*spec.SQESize, spec.SQESize)
		if !ok {
			panic("no window for a submission entry")
		}
		e := *spec.SQEAt(b, 0)
		p.sqHead = (p.sqHead + 1) % p.sqSize
		if qid == 0 {
			f.execAdmin(e)
		} else {
			f.io = append(f.io, fakeCommand{qid, e})
		}
	}
}

func (f *fake) execAdmin(e spec.SQE) {
	f.admin = append(f.admin, e)
	op := e.Opcode()
	if f.silent[op] {
		return
	}
	if st := f.refuse[op]; st != spec.Success {
		f.post(0, 0, e.CID(), st, 0)
		return
	}
	result := uint64(0)
	qid := uint16(e.CDW10())
	switch op {
	case spec.AdminIdentify:
		b, ok := f.mem.Window(e.PRP1(), spec.IdentifySize)
		if !ok {
			panic("no window for identify data")
		}
		if e.CDW10() == spec.CNSNamespace && f.refuseNamespace {
			f.post(0, 0, e.CID(), spec.InvalidNamespace, 0)
			return
		}
		if e.CDW10() == spec.CNSController {
			f.controller.Encode(b)
		} else {
			f.namespace.Encode(b)
		}
	case spec.AdminGetLogPage:
		b, ok := f.mem.Window(e.PRP1(), 4096)
		if !ok {
			panic("no window for a log page")
		}
		for op, v := range f.effects {
			binary.LittleEndian.PutUint32(b[1024+4*op:], v)
		}
	case spec.AdminSetFeatures:
		result = uint64(spec.EncodeQueues(f.queues, f.queues))
	case spec.AdminCreateCQ:
		f.pairs[qid] = &fakePair{cq: e.PRP1(), cqSize: e.CDW10()>>16 + 1, phase: true}
	case spec.AdminCreateSQ:
		f.pairs[qid].sq, f.pairs[qid].sqSize = e.PRP1(), e.CDW10()>>16+1
	case spec.AdminDeleteCQ:
		delete(f.pairs, qid)
	case spec.AdminAbort:
		f.aborts = append(f.aborts, e)
		return
	}
	f.post(0, 0, e.CID(), spec.Success, result)
}

// drain takes a new completion head and posts what waited for room.
func (f *fake) drain(p *fakePair, head uint32) {
	if p == nil {
		return
	}
	p.cqHead = head
	for len(p.waiting) > 0 && (p.cqTail+1)%p.cqSize != p.cqHead {
		post := p.waiting[0]
		p.waiting = p.waiting[1:]
		post()
	}
}

// post posts a completion to queue pair qid, of whatever truth, when there is
// room.
func (f *fake) post(qid, sqid, cid uint16, st spec.Status, result uint64) {
	p := f.pairs[qid]
	if (p.cqTail+1)%p.cqSize == p.cqHead {
		p.waiting = append(p.waiting, func() { f.post(qid, sqid, cid, st, result) })
		return
	}
	b, ok := f.mem.Window(p.cq+uint64(p.cqTail)*spec.CQESize, spec.CQESize)
	if !ok {
		panic("no window for a completion entry")
	}
	head := uint16(p.sqHead)
	if f.frozenHead && qid != 0 {
		head = 0
	}
	spec.CQEAt(b, 0).Publish(result, head, sqid, spec.MakeDword3(cid, p.phase, st))
	if p.cqTail++; p.cqTail == p.cqSize {
		p.cqTail, p.phase = 0, !p.phase
	}
	if !f.mute {
		f.irq.Raise(int(qid))
	}
}

// find is the index in io of the command with that id, or -1.
func (f *fake) find(qid, cid uint16) int {
	for i := range f.io {
		if f.io[i].qid == qid && f.io[i].CID() == cid {
			return i
		}
	}
	return -1
}

// end completes the i-th command that was fetched and not completed.
func (f *fake) end(i int, st spec.Status) fakeCommand {
	c := f.io[i]
	f.io = append(f.io[:i:i], f.io[i+1:]...)
	f.post(c.qid, c.qid, c.CID(), st, 0)
	return c
}

// answer carries out the i-th Abort that waits, as the specification has it: the
// command that has that id now ends with 07h, if there is one. It says whether
// there was.
func (f *fake) answer(i int) bool {
	a := f.aborts[i]
	k := f.find(uint16(a.CDW10()), uint16(a.CDW10()>>16))
	if k >= 0 {
		f.end(k, spec.AbortRequested)
		f.reply(i, spec.Success, 0)
	} else {
		f.reply(i, spec.Success, spec.AbortNotDone)
	}
	return k >= 0
}

// reply completes the i-th Abort that waits.
func (f *fake) reply(i int, st spec.Status, result uint64) {
	a := f.aborts[i]
	f.aborts = append(f.aborts[:i:i], f.aborts[i+1:]...)
	f.post(0, 0, a.CID(), st, result)
}

// fakeRig is a driver over a fake, in a world.
type fakeRig struct {
	rig
	fake *fake
}

// openFake opens a driver over a fake that prepare has changed.
func openFake(t testing.TB, o nvme.Options, prepare func(*fake)) (*fakeRig, error) {
	w := sim.NewWorld(1, firstQueueLane+2)
	w.SetLimit(sim.Limit{Events: 1 << 20})
	r := &fakeRig{rig: rig{t: t, group: w, world: w}, fake: newFake(w.Lane(deviceLane))}
	if prepare != nil {
		prepare(r.fake)
	}
	o.Group, o.AdminLane = w, adminLane
	o.Connect = func(m device.Memory, i device.Interrupter) (device.Registers, error) {
		r.fake.mem, r.fake.irq = m, i
		return r.fake, nil
	}
	var err error
	r.driver, err = nvme.Open(o)
	return r, err
}

func newFakeRig(t testing.TB, o nvme.Options, prepare func(*fake)) *fakeRig {
	t.Helper()
	r, err := openFake(t, o, prepare)
	require.NoError(t, err)
	return r
}

// onDevice runs f on the fake's lane and then the world until it is idle.
func (r *fakeRig) onDevice(f func()) {
	r.t.Helper()
	require.NoError(r.t, r.world.Do(deviceLane, func(done func()) { f(); done() }))
	r.run()
}

var errNoDevice = errors.New("no such device")
