package nvme_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/aio/lane"
	device "blksim/device/nvme"
	"blksim/device/nvme/spec"
	"blksim/driver"
	"blksim/driver/nvme"
	"blksim/sim"
)

func TestOpenFailureNamesTheStepAndLeavesTheControllerDisabled(t *testing.T) {
	stuck := func(f *fake, v uint32) { f.setCSTS = func(spec.CC) uint32 { return v }; f.csts = v }
	for _, c := range []struct {
		name    string
		prepare func(*fake)
		is      error
		want    string
		took    time.Duration // at least; 0: not looked at
	}{
		{"never ready", func(f *fake) { stuck(f, 0) }, nvme.ErrTimeout, "enable", time.Second},
		{"always ready", func(f *fake) { stuck(f, uint32(spec.CSTSReady)) }, nvme.ErrTimeout, "disable", time.Second},
		{"fatal", func(f *fake) {
			f.setCSTS = func(cc spec.CC) uint32 {
				if cc.EN() {
					return uint32(spec.CSTSFatal)
				}
				return 0
			}
		}, nvme.ErrFatal, "enable", 0},
		{"not there", func(f *fake) { stuck(f, 0xffff_ffff) }, nvme.ErrGone, "open", 0},
		{"removed while it starts", func(f *fake) {
			f.setCSTS = func(cc spec.CC) uint32 {
				if cc.EN() {
					return 0xffff_ffff
				}
				return 0
			}
		}, nvme.ErrGone, "enable", 0},
		{"no NVM commands", func(f *fake) { f.cap.CSS = 1 << 7 }, nvme.ErrUnsupported, "CAP.CSS 80h", 0},
		{"large pages only", func(f *fake) { f.cap.MPSMIN = 2 }, nvme.ErrUnsupported, "smallest page 16384", 0},
		{"no queue entries", func(f *fake) { f.cap.MQES = 0 }, nvme.ErrUnsupported, "CAP.MQES 0", 0},
		{"large entries", func(f *fake) { f.controller.SQES = 0x77 }, nvme.ErrUnsupported, "SQES 77h", 0},
		{"identify refused", func(f *fake) { f.refuse[spec.AdminIdentify] = spec.InternalError },
			nvme.ErrStatus, "identify controller: the controller refused the command: internal error", 0},
		{"identify unanswered", func(f *fake) { f.silent[spec.AdminIdentify] = true },
			nvme.ErrTimeout, "identify controller", 3 * time.Second},
		{"namespace refused", func(f *fake) { f.refuseNamespace = true },
			nvme.ErrStatus, "identify namespace 1: the controller refused the command: invalid namespace", 0},
		{"no namespace", func(f *fake) { f.namespace.NSZE = 0 }, nvme.ErrUnsupported, "namespace 1: not supported: the namespace is not active", 0},
		{"odd block size", func(f *fake) { f.namespace.LBADS[0] = 8 }, nvme.ErrUnsupported, "block size 2^8", 0},
		{"more than can be told", func(f *fake) { f.namespace.NSZE = 1 << 60 }, nvme.ErrUnsupported, "1152921504606846976 blocks of 512", 0},
		{"no queues", func(f *fake) { f.refuse[spec.AdminSetFeatures] = spec.CommandSequenceError },
			nvme.ErrStatus, "set number of queues: the controller refused the command: command sequence error", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := openFake(t, nvme.Options{AdminTimeout: 3 * time.Second}, c.prepare)
			require.ErrorIs(t, err, c.is)
			require.ErrorContains(t, err, c.want)
			require.Nil(t, r.driver)
			require.False(t, spec.CC(r.fake.cc).EN(), "the controller is still enabled")
			require.GreaterOrEqual(t, time.Duration(r.world.Now()), c.took)
			if c.took > 0 {
				require.Less(t, time.Duration(r.world.Now()), 2*c.took+2*time.Second)
			}
		})
	}
}

func TestOpenFailsWithWhatConnectFailsWith(t *testing.T) {
	_, err := nvme.Open(nvme.Options{
		Group:   sim.NewWorld(1, 1),
		Connect: func(device.Memory, device.Interrupter) (device.Registers, error) { return nil, errNoDevice },
	})
	require.ErrorIs(t, err, errNoDevice)
	require.ErrorContains(t, err, "nvme: connect: ")
}

func TestBadOptionsAreRefusedWithTheValue(t *testing.T) {
	w := sim.NewWorld(1, 2)
	connect := func(device.Memory, device.Interrupter) (device.Registers, error) { panic("connected") }
	for _, c := range []struct {
		o    nvme.Options
		want string
	}{
		{nvme.Options{}, "Group is nil"},
		{nvme.Options{Group: w}, "Connect is nil"},
		{nvme.Options{Group: w, Connect: connect, AdminLane: 2}, "admin lane 2: expected 0 to 1"},
		{nvme.Options{Group: w, Connect: connect, AdminLane: -1}, "admin lane -1"},
		{nvme.Options{Group: w, Connect: connect, Queues: 1 << 16}, "65536 queues"},
		{nvme.Options{Group: w, Connect: connect, ReadyTimeout: -1}, "timeouts -1ns"},
	} {
		_, err := nvme.Open(c.o)
		require.ErrorContains(t, err, c.want)
	}
}

func TestAnEnabledControllerIsDisabledFirst(t *testing.T) {
	var steps []bool
	r := newFakeRig(t, nvme.Options{}, func(f *fake) {
		f.cc, f.csts = 1, uint32(spec.CSTSReady)
		set := f.setCSTS
		f.setCSTS = func(cc spec.CC) uint32 { steps = append(steps, cc.EN()); return set(cc) }
	})
	require.Equal(t, []bool{false, true}, steps)
	cc := spec.CC(r.fake.cc).Fields()
	require.Equal(t, spec.CCFields{EN: true, IOSQES: 6, IOCQES: 4}, cc)
}

func TestLimitsAreTheControllers(t *testing.T) {
	all := driver.Ops(aio.OpRead, aio.OpWrite, aio.OpFlush, aio.OpDiscard, aio.OpWriteZeroes)
	for _, c := range []struct {
		name    string
		prepare func(*fake)
		want    driver.Limits
	}{
		{"as they are", nil,
			driver.Limits{Capacity: 512 << 20, BlockSize: 512, MaxTransfer: 8 << 20, Queues: 4, QueueDepth: 1023, Ops: all, WriteCache: true}},
		{"4 KiB blocks, MDTS 128 KiB", func(f *fake) { f.namespace.LBADS[0] = 12; f.controller.MDTS = 5 },
			driver.Limits{Capacity: 4 << 30, BlockSize: 4096, MaxTransfer: 128 << 10, Queues: 4, QueueDepth: 1023, Ops: all, WriteCache: true}},
		{"second format", func(f *fake) { f.namespace.LBADS[1] = 12; f.namespace.FLBAS = 1 },
			driver.Limits{Capacity: 4 << 30, BlockSize: 4096, MaxTransfer: 8 << 20, Queues: 4, QueueDepth: 1023, Ops: all, WriteCache: true}},
		{"no options", func(f *fake) { f.controller.ONCS = 0; f.controller.VWC = 0 },
			driver.Limits{Capacity: 512 << 20, BlockSize: 512, MaxTransfer: 8 << 20, Queues: 4, QueueDepth: 1023,
				Ops: driver.Ops(aio.OpRead, aio.OpWrite, aio.OpFlush)}},
		{"fewer queues than lanes", func(f *fake) { f.queues = 3 },
			driver.Limits{Capacity: 512 << 20, BlockSize: 512, MaxTransfer: 8 << 20, Queues: 3, QueueDepth: 1023, Ops: all, WriteCache: true}},
		{"the deepest queues", func(f *fake) { f.cap.MQES = 0xffff },
			driver.Limits{Capacity: 512 << 20, BlockSize: 512, MaxTransfer: 8 << 20, Queues: 4, QueueDepth: 4095, Ops: all, WriteCache: true}},
	} {
		r := newFakeRig(t, nvme.Options{}, c.prepare)
		want := c.want
		want.FUA = true
		want.MaxDiscard, want.MaxWriteZeroes = (1<<32-1)*int64(want.BlockSize), 65536*int64(want.BlockSize)
		require.Equal(t, want, r.driver.Limits(), c.name)
	}
}

func TestOpenQueueRefusesWhatLimitsDoNotAllow(t *testing.T) {
	r := newFakeRig(t, nvme.Options{}, nil)
	l := r.group.Lane(firstQueueLane)
	for _, c := range []struct {
		qid, depth int
		want       string
	}{
		{-1, 4, "open queue -1: expected 0 to 3"},
		{4, 4, "open queue 4: expected 0 to 3"},
		{0, 0, "depth 0: expected 1 to 1023"},
		{0, 1024, "depth 1024: expected 1 to 1023"},
	} {
		_, err := r.driver.OpenQueue(l, c.qid, c.depth)
		require.ErrorContains(t, err, c.want)
	}
	_, err := r.driver.OpenQueue(l, 0, 1023)
	require.NoError(t, err)
	_, err = r.driver.OpenQueue(l, 0, 1)
	require.ErrorContains(t, err, "open queue 0: it is in use")
	r.close()
	_, err = r.driver.OpenQueue(l, 1, 1)
	require.ErrorIs(t, err, nvme.ErrClosed)
}

func TestARefusedQueueLeavesNothingBehindAndMayBeOpenedAgain(t *testing.T) {
	for _, op := range []uint8{spec.AdminCreateCQ, spec.AdminCreateSQ} {
		r := newFakeRig(t, nvme.Options{}, nil)
		l := r.group.Lane(firstQueueLane)
		r.fake.refuse[op] = spec.InvalidQueueSize
		_, err := r.driver.OpenQueue(l, 0, 8)
		require.ErrorIs(t, err, nvme.ErrStatus)
		require.ErrorContains(t, err, "queue 1: the controller refused the command: invalid queue size")
		require.Len(t, r.fake.pairs, 1, "only the admin queue is left")
		delete(r.fake.refuse, op)
		_, err = r.driver.OpenQueue(l, 0, 8)
		require.NoError(t, err)
		r.close()
	}
}

func TestAnAdminCommandAnsweredTooLateIsNobodysAnswer(t *testing.T) {
	r := newFakeRig(t, nvme.Options{AdminTimeout: time.Second}, nil)
	l := r.group.Lane(firstQueueLane)
	r.fake.silent[spec.AdminCreateCQ] = true
	_, err := r.driver.OpenQueue(l, 0, 4)
	require.ErrorIs(t, err, nvme.ErrTimeout)
	late := r.fake.admin[len(r.fake.admin)-1].CID()
	_, err = r.driver.OpenQueue(l, 0, 4)
	require.ErrorContains(t, err, "it is in use", "a queue that the device may yet make is not made again")

	// Its identifier is taken until the answer comes, and the answer is not the
	// next command's.
	delete(r.fake.silent, spec.AdminCreateCQ)
	_, err = r.driver.OpenQueue(l, 1, 4)
	require.NoError(t, err)
	r.onDevice(func() { r.fake.post(0, 0, late, spec.InternalError, 0) })
	require.Zero(t, r.driver.Stats().Strays)
	r.close()
}

func TestADeviceThatAnswersNothingIsGivenUpOnInBoundedTime(t *testing.T) {
	r := newFakeRig(t, nvme.Options{AdminTimeout: time.Second, Queues: 100}, func(f *fake) { f.queues = 100 })
	r.fake.silent[spec.AdminCreateCQ] = true
	begin := r.world.Now()
	for qid := range 100 {
		_, err := r.driver.OpenQueue(r.group.Lane(firstQueueLane), qid, 4)
		require.ErrorIs(t, err, nvme.ErrTimeout)
	}
	// Once all identifiers are taken there is nothing to wait for.
	require.Equal(t, 63*time.Second, r.world.Now().Sub(begin))
}

func TestReadyTimeoutReplacesTheControllersOwn(t *testing.T) {
	r, err := openFake(t, nvme.Options{ReadyTimeout: 5 * time.Second}, func(f *fake) {
		f.setCSTS = func(spec.CC) uint32 { return 0 }
	})
	require.ErrorIs(t, err, nvme.ErrTimeout)
	require.GreaterOrEqual(t, time.Duration(r.world.Now()), 5*time.Second)
}

func TestCallbackFlavourDiffersByOneMethod(t *testing.T) {
	for _, callback := range []bool{false, true} {
		r := newRig(t, rigOptions{driver: nvme.Options{Callback: callback}})
		q, err := r.driver.OpenQueue(r.group.Lane(firstQueueLane), 0, 4)
		require.NoError(t, err)
		_, ok := q.(driver.Canceler)
		require.Equal(t, callback, ok)
		require.Implements(t, (*driver.Committer)(nil), q)
		require.Implements(t, (*driver.Poller)(nil), q)
		r.close()
	}
}

func TestALostInterruptDoesNotFailSetup(t *testing.T) {
	r := newFakeRig(t, nvme.Options{}, func(f *fake) { f.mute = true })
	_, err := r.driver.OpenQueue(r.group.Lane(firstQueueLane), 0, 4)
	require.NoError(t, err)
	r.close()
}

func TestCloseDeletesQueuesShutsDownAndDisables(t *testing.T) {
	var notes []uint8
	r := newFakeRig(t, nvme.Options{}, func(f *fake) {
		set := f.setCSTS
		f.setCSTS = func(cc spec.CC) uint32 { notes = append(notes, cc.SHN()); return set(cc) }
	})
	r.openPort(0, 4)
	r.openPort(1, 4)
	r.close()
	require.Len(t, r.fake.pairs, 1)
	require.False(t, spec.CC(r.fake.cc).EN())
	require.Contains(t, notes, uint8(spec.ShutdownNormal))
	require.NoError(t, r.driver.Close(), "the second Close does nothing")
}

func TestCloseEndsInBoundedTimeWithAnError(t *testing.T) {
	type result struct {
		name    string
		prepare func(*fake)
		want    string
		most    time.Duration
	}
	for _, c := range []result{
		{"commands unanswered", func(f *fake) { f.silent[spec.AdminDeleteSQ] = true }, "delete submission queue 1", 5 * time.Second},
		{"second command unanswered", func(f *fake) { f.silent[spec.AdminDeleteCQ] = true }, "delete completion queue 1", 5 * time.Second},
		{"shutdown unanswered", func(f *fake) {
			set := f.setCSTS
			f.setCSTS = func(cc spec.CC) uint32 { return set(cc) & 3 }
		}, "shutdown", 5 * time.Second},
		{"stays ready", func(f *fake) {
			set := f.setCSTS
			f.setCSTS = func(cc spec.CC) uint32 { return set(cc) | 1 }
		}, "disable", 2 * time.Second},
		{"nothing works", func(f *fake) {
			f.silent[spec.AdminDeleteSQ] = true
			f.setCSTS = func(spec.CC) uint32 { return 1 }
		}, "disable", 6 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newFakeRig(t, nvme.Options{AdminTimeout: 4 * time.Second, ShutdownTimeout: 4 * time.Second}, nil)
			r.openPort(0, 4)
			r.openPort(1, 4)
			c.prepare(r.fake)
			begin := r.world.Now()
			err := r.driver.Close()
			require.ErrorIs(t, err, nvme.ErrTimeout)
			require.ErrorContains(t, err, c.want)
			require.LessOrEqual(t, r.world.Now().Sub(begin), c.most)
			require.False(t, spec.CC(r.fake.cc).EN())
		})
	}
}

func TestCloseGoesOnAfterARefusal(t *testing.T) {
	r := newFakeRig(t, nvme.Options{}, nil)
	r.openPort(0, 4)
	r.openPort(1, 4)
	r.fake.refuse[spec.AdminDeleteSQ] = spec.InvalidQueueID
	err := r.driver.Close()
	require.ErrorContains(t, err, "delete submission queue 1")
	require.ErrorContains(t, err, "delete submission queue 2")
	require.Len(t, r.fake.pairs, 1, "the completion queues were deleted")
	require.False(t, spec.CC(r.fake.cc).EN())
}

func TestOpenAndCloseAfterTheGroupFail(t *testing.T) {
	g := lane.NewReal(4)
	r := newRig(t, rigOptions{group: g})
	r.openPort(0, 4)
	g.Close()
	require.ErrorIs(t, r.driver.Close(), lane.ErrClosed)
}

func TestOpenWorksOnRealLanes(t *testing.T) {
	g := lane.NewReal(4)
	defer g.Close()
	r := newRig(t, rigOptions{group: g, device: device.Config{ReadyDelay: time.Millisecond, DoorbellStride: 3}})
	p := r.openPort(0, 4)
	st, n := r.do(p, aio.OpWriteZeroes, 0, 4096)
	require.Equal(t, aio.OK, st)
	require.EqualValues(t, 4096, n)
	r.close()
}
