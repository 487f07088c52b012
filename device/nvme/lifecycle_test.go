package nvme_test

import (
	"testing"
	"time"

	"blksim/device/nvme"
	"blksim/device/nvme/spec"
	"blksim/sim"

	"github.com/stretchr/testify/require"
)

func TestRegistersSayWhatTheControllerIs(t *testing.T) {
	r := newRig(t, 1, nvme.Config{QueueDepth: 256, ReadyDelay: 3 * time.Second, PageMax: 8192}, null)
	f := spec.CAP(r.c.Read64(spec.RegCAP)).Fields()
	require.Equal(t, spec.CapFields{MQES: 255, CQR: true, AMS: 1, TO: 8, NSSRS: true, CSS: 1, MPSMAX: 1, CRMS: 1}, f)
	require.Equal(t, uint32(r.c.Read64(spec.RegCAP)), r.c.Read32(spec.RegCAP))
	require.Equal(t, uint32(r.c.Read64(spec.RegCAP)>>32), r.c.Read32(spec.RegCAP+4))
	require.Equal(t, uint32(0x20000), r.c.Read32(spec.RegVS))
	require.Equal(t, uint64(0x20000), r.c.Read64(spec.RegVS))
	require.Zero(t, r.c.Read32(spec.RegCSTS))
	require.Zero(t, r.c.Read64(0x2001), "no such register")
	require.Zero(t, r.c.Read32(0xfff0))
}

func TestRegistersTakeHalvesAndWholes(t *testing.T) {
	r := newRig(t, 1, nvme.Config{}, null)
	r.c.Write64(spec.RegASQ, 0x1122_3344_5566_7000)
	require.Equal(t, uint32(0x5566_7000), r.c.Read32(spec.RegASQ))
	require.Equal(t, uint32(0x1122_3344), r.c.Read32(spec.RegASQ+4))
	r.c.Write32(spec.RegACQ+4, 0x99)
	r.c.Write32(spec.RegACQ, 0x1fff)
	require.Equal(t, uint64(0x99_0000_1000), r.c.Read64(spec.RegACQ), "the low 12 bits are reserved")
	r.c.Write32(spec.RegAQA, 0xffff_ffff)
	require.Equal(t, uint32(0x0fff_0fff), r.c.Read32(spec.RegAQA))
	r.c.Write32(spec.RegINTMS, 5)
	r.c.Write32(spec.RegINTMC, 4)
	require.Equal(t, uint32(1), r.c.Read32(spec.RegINTMS))
	require.Equal(t, uint32(1), r.c.Read32(spec.RegINTMC))
}

func TestWritesThatNoRegisterTakesAreCounted(t *testing.T) {
	r := newRig(t, 1, nvme.Config{Queues: 1}, null)
	for _, off := range []uint32{spec.RegCAP, spec.RegVS, spec.RegCSTS, spec.RegCRTO, 0x38, 0x15, 0xffc, 0x1001, 0x1010, 0xffff_fffc} {
		r.c.Write32(off, 1)
	}
	r.c.Write64(spec.RegDoorbells, 1)
	r.c.Write64(4, 1)
	r.run()
	require.Equal(t, uint64(12), r.c.Stats().Errors.Register)
	r.c.Write32(spec.SQTailDoorbell(0, 0), 1)
	r.c.Write32(spec.CQHeadDoorbell(1, 0), 1)
	r.run()
	require.Equal(t, uint64(2), r.c.Stats().Errors.DoorbellRegister, "no queue is there yet")
}

func TestReadyComesAfterItsDelay(t *testing.T) {
	r := newRig(t, 1, nvme.Config{ReadyDelay: 10 * time.Millisecond}, null)
	r.setAdmin(16)
	r.c.Write32(spec.RegCC, uint32(ccEnabled()))
	require.Equal(t, uint32(ccEnabled()), r.c.Read32(spec.RegCC), "a write is seen at once")
	r.runFor(10*time.Millisecond - 1)
	require.False(t, r.csts().Ready())
	r.runFor(1)
	require.True(t, r.csts().Ready())
}

func TestEnableWithBadSettingsIsFatalUntilReset(t *testing.T) {
	good := func(r *rig) { r.setAdmin(16) }
	for name, c := range map[string]struct {
		set func(r *rig)
		cc  spec.CCFields
	}{
		"no admin queues":               {func(*rig) {}, spec.CCFields{}},
		"submission queue of one entry": {func(r *rig) { good(r); r.c.Write32(spec.RegAQA, 15<<16) }, spec.CCFields{}},
		"completion queue of one entry": {func(r *rig) { good(r); r.c.Write32(spec.RegAQA, 15) }, spec.CCFields{}},
		"submission queue not mapped":   {func(r *rig) { good(r); r.c.Write64(spec.RegASQ, 1<<40) }, spec.CCFields{}},
		"completion queue not mapped":   {func(r *rig) { good(r); r.c.Write64(spec.RegACQ, 0x1000) }, spec.CCFields{}},
		"queue not on a page":           {func(r *rig) { good(r); r.c.Write64(spec.RegASQ, busBase+4096) }, spec.CCFields{MPS: 1}},
		"page too large":                {good, spec.CCFields{MPS: 5}},
		"unknown command set":           {good, spec.CCFields{CSS: 6}},
		"unknown arbitration":           {good, spec.CCFields{AMS: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 1, nvme.Config{}, null)
			c.set(r)
			c.cc.EN = true
			r.c.Write32(spec.RegCC, uint32(c.cc.Encode()))
			r.run()
			require.True(t, r.csts().Fatal())
			require.False(t, r.csts().Ready())
			r.c.Write32(spec.RegCC, 0)
			r.run()
			require.Zero(t, r.csts())
			r.enable()
		})
	}
}

func TestResetDropsEverythingAndPostsNothingAfterwards(t *testing.T) {
	for _, when := range []string{"in flight", "unfetched", "aborting", "starting"} {
		t.Run(when, func(t *testing.T) {
			m := &held{}
			r := newReady(t, nvme.Config{Slots: 4, ReadyDelay: time.Millisecond}, withHeld(m), 32)
			for range 4 {
				r.put(1, r.rw(spec.IORead, 0, 8))
			}
			last := r.rw(spec.IORead, 0, 8)
			if when != "in flight" {
				r.put(1, last)
			}
			r.bell(1)
			r.submit(0, command(spec.AdminAsyncEvent, 99, 0))
			if when == "aborting" {
				r.submit(0, r.abortOf(1, last.CID()))
			}
			r.run()
			require.Len(t, m.ops, 4)
			raised := r.raised[0] + r.raised[1]

			stale := m.ops
			r.c.Write32(spec.RegCC, 0)
			r.run()
			require.Zero(t, r.csts())
			require.Empty(t, m.ops)
			if when == "starting" {
				r.c.Write32(spec.RegCC, uint32(ccEnabled()))
				r.runFor(time.Microsecond)
				r.c.Write32(spec.RegCC, 0)
			}
			r.run()
			require.Zero(t, r.csts())
			_ = stale
			require.Empty(t, r.peek(1))
			require.Empty(t, r.peek(0))
			require.Equal(t, raised, r.raised[0]+r.raised[1])
			r.c.Write32(spec.SQTailDoorbell(1, 0), 0)
			r.run()
			require.NotZero(t, r.c.Stats().Errors.DoorbellRegister)

			r.enable()
			r.createPair(1, 32)
			for range 8 {
				r.put(1, r.rw(spec.IORead, 0, 8))
			}
			r.bell(1)
			r.run()
			for len(m.ops) > 0 {
				m.finish(r, len(m.ops))
			}
			require.Len(t, r.reap(1), 8)
			r.checkIdentity()
		})
	}
}

func TestShutdownFlushesThenSaysComplete(t *testing.T) {
	m := &held{cache: true}
	r := newReady(t, nvme.Config{}, withHeld(m), 16)
	cc := ccEnabled().Fields()
	cc.SHN = spec.ShutdownNormal
	r.c.Write32(spec.RegCC, uint32(cc.Encode()))
	r.run()
	require.EqualValues(t, spec.ShutdownBusy, r.csts().SHST())
	r.submit(1, r.rw(spec.IORead, 0, 1))
	r.run()
	require.Len(t, m.ops, 1, "nothing is fetched in a shutdown")
	require.Equal(t, nvme.OpFlush, m.ops[0].Kind)
	m.finish(r, 1)
	require.EqualValues(t, spec.ShutdownComplete, r.csts().SHST())
	require.True(t, r.csts().Ready())

	r.c.Write32(spec.RegCC, 0)
	r.enable()
	require.EqualValues(t, spec.ShutdownIdle, r.csts().SHST())
}

func TestShutdownIsCompleteAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		en  bool
		shn uint8
		m   makeMedium
	}{
		"abrupt":         {true, spec.ShutdownAbrupt, withHeld(&held{cache: true})},
		"nothing to do":  {true, spec.ShutdownNormal, null},
		"while disabled": {false, spec.ShutdownNormal, null},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 1, nvme.Config{}, c.m)
			if c.en {
				r.enable()
			}
			r.c.Write32(spec.RegCC, uint32(spec.CCFields{EN: c.en, SHN: c.shn, IOSQES: 6, IOCQES: 4}.Encode()))
			r.run()
			require.EqualValues(t, spec.ShutdownComplete, r.csts().SHST())
		})
	}
}

func TestRegisterWritesOfOneSenderTakeEffectInOrder(t *testing.T) {
	r := newRig(t, 1, nvme.Config{}, null)
	r.setAdmin(16)
	cc := uint32(ccEnabled())
	for range 3 { // all posted before the lane runs
		r.c.Write32(spec.RegCC, cc)
		r.c.Write32(spec.RegCC, 0)
	}
	r.c.Write32(spec.RegCC, cc)
	r.run()
	require.True(t, r.csts().Ready())
}

func TestConfigIsChecked(t *testing.T) {
	require.NoError(t, nvme.Config{}.Validate())
	for name, c := range map[string]nvme.Config{
		"LBASize":        {LBASize: 1024},
		"Capacity":       {Capacity: 1000},
		"Queues":         {Queues: 5000},
		"QueueDepth":     {QueueDepth: 1},
		"Vectors":        {Vectors: -1},
		"Slots":          {Slots: 1 << 17},
		"AbortLimit":     {AbortLimit: 257},
		"EventLimit":     {EventLimit: -2},
		"MDTS":           {MDTS: 17},
		"PageMax":        {PageMax: 5000},
		"DoorbellStride": {DoorbellStride: 11},
		"ReadyDelay":     {ReadyDelay: -1},
		"Data":           {Data: 7},
		"Model":          {Model: "a model name that is longer than the field of forty characters"},
		"Serial":         {Serial: "Ä"},
		"Firmware":       {Firmware: "123456789"},
	} {
		_, err := nvme.New(sim.NewWorld(1, 1).Lane(0), newMemory(8), nil, nvme.NewNull(), c)
		require.ErrorContains(t, err, "Config."+name)
	}
}

func TestDoorbellsKeepTheirPlaceAmongRegisterWrites(t *testing.T) {
	r := newReady(t, nvme.Config{}, null, 8)
	r.submit(1, r.rw(spec.IORead, 0, 1)) // before: fetched, carried out, posted
	r.c.Write32(spec.RegCC, 0)
	r.submit(1, r.rw(spec.IORead, 0, 1)) // after: no such queue any more
	r.run()
	require.Len(t, r.peek(1), 1)
	s := r.c.Stats()
	require.EqualValues(t, 1, s.IOCommands())
	require.EqualValues(t, 1, s.Errors.DoorbellRegister)

	// A pass that is on its way for an earlier doorbell does not carry a later
	// one past the write between them.
	r = newRig(t, 1, nvme.Config{}, null)
	r.setAdmin(16)
	r.c.Write32(spec.RegCC, uint32(spec.CCFields{EN: true}.Encode()))
	r.run()
	q := r.ring(1, 16)
	r.c.Write32(spec.CQHeadDoorbell(0, 0), 0)
	r.c.Write32(spec.RegCC, uint32(ccEnabled()))
	e := command(spec.AdminCreateCQ, 1, 0)
	e.SetPRPs(q.cq, 0)
	e.SetCDW10(spec.QueueCDW10(1, 16))
	e.SetCDW11(spec.CreateCQCDW11(1, true))
	r.submit(0, e)
	r.run()
	require.Equal(t, spec.Success, r.peek(0)[0].status, "CC.IOCQES was set before the doorbell")
}
