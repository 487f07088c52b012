package nvme_test

import (
	"bytes"
	"testing"

	"blksim/device/nvme"
	"blksim/device/nvme/spec"

	"github.com/stretchr/testify/require"
)

func TestIOCommandErrors(t *testing.T) {
	const (
		blocks = 2048 // 1 MiB of 512
		max    = ^uint64(0)
	)
	buf := uint64(busBase + 1<<20)
	type edit func(e *spec.SQE)
	nop := func(*spec.SQE) {}
	for name, c := range map[string]struct {
		op     uint8
		slba   uint64
		blocks int
		edit   edit
		want   spec.Status
	}{
		"read":                             {spec.IORead, 0, 1, nop, spec.Success},
		"last block":                       {spec.IORead, blocks - 1, 1, nop, spec.Success},
		"one beyond the end":               {spec.IORead, blocks, 1, nop, spec.LBAOutOfRange},
		"across the end":                   {spec.IOWrite, blocks - 1, 2, nop, spec.LBAOutOfRange},
		"the largest LBA":                  {spec.IORead, max, 1, nop, spec.LBAOutOfRange},
		"LBA plus length wraps":            {spec.IORead, max - 3, 8, nop, spec.LBAOutOfRange},
		"write zeroes beyond the end":      {spec.IOWriteZeroes, blocks - 7, 8, nop, spec.LBAOutOfRange},
		"write zeroes":                     {spec.IOWriteZeroes, blocks - 8, 8, nop, spec.Success},
		"write zeroes larger than MDTS":    {spec.IOWriteZeroes, 0, 256, nop, spec.Success},
		"at MDTS":                          {spec.IORead, 0, 64, nop, spec.Success},
		"beyond MDTS":                      {spec.IORead, 0, 65, nop, spec.InvalidField},
		"beyond MDTS and the end":          {spec.IORead, max, 65, nop, spec.InvalidField},
		"no namespace":                     {spec.IORead, 0, 1, func(e *spec.SQE) { e[4] = 0 }, spec.InvalidNamespace},
		"another namespace":                {spec.IOWrite, 0, 1, func(e *spec.SQE) { e[4] = 2 }, spec.InvalidNamespace},
		"all namespaces":                   {spec.IORead, 0, 1, func(e *spec.SQE) { copy(e[4:], "\xff\xff\xff\xff") }, spec.InvalidNamespace},
		"flush":                            {spec.IOFlush, 0, 1, nop, spec.Success},
		"flush of all namespaces":          {spec.IOFlush, 0, 1, func(e *spec.SQE) { copy(e[4:], "\xff\xff\xff\xff") }, spec.Success},
		"flush of another namespace":       {spec.IOFlush, 0, 1, func(e *spec.SQE) { e[4] = 9 }, spec.InvalidNamespace},
		"fused":                            {spec.IORead, 0, 1, func(e *spec.SQE) { e.SetFuse(1) }, spec.FusedMissing},
		"reserved PSDT":                    {spec.IORead, 0, 1, func(e *spec.SQE) { e.SetPSDT(3) }, spec.InvalidField},
		"reserved PSDT on flush":           {spec.IOFlush, 0, 1, func(e *spec.SQE) { e.SetPSDT(3) }, spec.InvalidField},
		"fused and no namespace":           {spec.IORead, 0, 1, func(e *spec.SQE) { e.SetFuse(1); e[4] = 0 }, spec.FusedMissing},
		"directive":                        {spec.IOWrite, 0, 1, func(e *spec.SQE) { e.SetCDW12(1 << 20) }, spec.InvalidField},
		"FUA read":                         {spec.IORead, 0, 1, func(e *spec.SQE) { e.SetCDW12(spec.RWForceUnit) }, spec.Success},
		"FUA write":                        {spec.IOWrite, 0, 1, func(e *spec.SQE) { e.SetCDW12(spec.RWForceUnit) }, spec.Success},
		"limited retry and hints":          {spec.IORead, 0, 1, func(e *spec.SQE) { e.SetCDW12(spec.RWLimitedRetry); e.SetCDW13(7) }, spec.Success},
		"buffer not mapped":                {spec.IORead, 0, 1, func(e *spec.SQE) { e.SetPRPs(1<<40, 0) }, spec.DataTransferError},
		"buffer not on a dword":            {spec.IORead, 0, 1, func(e *spec.SQE) { e.SetPRPs(buf+2, 0) }, spec.PRPOffsetInvalid},
		"second page not mapped":           {spec.IORead, 0, 16, func(e *spec.SQE) { e.SetPRPs(buf, 0) }, spec.DataTransferError},
		"second page with an offset":       {spec.IORead, 0, 16, func(e *spec.SQE) { e.SetPRPs(buf, buf+8) }, spec.PRPOffsetInvalid},
		"list not mapped":                  {spec.IORead, 0, 24, func(e *spec.SQE) { e.SetPRPs(buf, 8) }, spec.DataTransferError},
		"list not on a qword":              {spec.IORead, 0, 24, func(e *spec.SQE) { e.SetPRPs(buf, buf+4) }, spec.PRPOffsetInvalid},
		"range beyond the end before PRPs": {spec.IORead, blocks, 1, func(e *spec.SQE) { e.SetPRPs(1, 0) }, spec.LBAOutOfRange},
		"compare":                          {spec.IOCompare, 0, 1, nop, spec.Success},
		"cancel of another queue":          {spec.IOCancel, 0, 1, nop, spec.InvalidField},
		"no such command":                  {0xff, 0, 1, nop, spec.InvalidOpcode},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReady(t, nvme.Config{Capacity: blocks * 512, MDTS: 3}, null, 8)
			e := r.rwAt(c.op, c.slba, c.blocks, buf)
			c.edit(&e)
			got := r.do(e)
			want := c.want
			if want != spec.Success {
				want |= dnr
			}
			require.Equal(t, want, got.status)
			s := r.c.Stats()
			require.EqualValues(t, 1, s.IOCommands())
			require.EqualValues(t, 1, s.IO[c.op])
			if c.want != spec.Success {
				require.Zero(t, s.Medium.Started, "a refused command never reaches the medium")
				require.Zero(t, s.ReadsBegun+s.WritesBegun)
			}
		})
	}
}

func TestNoLimitOnTransfersWithoutMDTS(t *testing.T) {
	r := newRigMem(t, 1, nvme.Config{LBASize: 512}, null, 16<<20)
	r.enable()
	r.createPair(1, 8)
	e := r.rwAt(spec.IORead, 0, 16384, busBase+4<<20) // 8 MiB
	require.Equal(t, spec.Success, r.do(e).status)
	require.EqualValues(t, 8<<20, r.c.Stats().ReadBytes)
}

func TestDataComesBackAndHolesAreZero(t *testing.T) {
	r := newReady(t, nvme.Config{}, null, 8)
	buf := r.alloc(64 << 10)
	b := r.mem.at(buf, 64<<10)
	for i := range b {
		b[i] = byte(i*7) | 1
	}
	want := bytes.Clone(b)
	require.Equal(t, spec.Success, r.do(r.rwAt(spec.IOWrite, 100, 128, buf)).status)
	back := r.alloc(66 << 10)
	fill(r.mem.at(back, 66<<10), 0xee)
	require.Equal(t, spec.Success, r.do(r.rwAt(spec.IORead, 98, 132, back)).status)
	got := r.mem.at(back, 66<<10)
	require.Equal(t, make([]byte, 1024), got[:1024])
	require.Equal(t, want, got[1024:1024+64<<10])
	require.Equal(t, make([]byte, 1024), got[1024+64<<10:])
	s := r.c.Stats()
	require.EqualValues(t, 66<<10, s.ReadBytes)
	require.EqualValues(t, 64<<10, s.WrittenBytes)
}

func fill(b []byte, v byte) {
	for i := range b {
		b[i] = v
	}
}

func TestDiscardedDataIsNeitherStoredNorMoved(t *testing.T) {
	r := newReady(t, nvme.Config{Data: nvme.Discard}, null, 8)
	buf := r.alloc(4096)
	fill(r.mem.at(buf, 4096), 0xee)
	require.Equal(t, spec.Success, r.do(r.rwAt(spec.IOWrite, 0, 8, buf)).status)
	require.Equal(t, spec.Success, r.do(r.rwAt(spec.IORead, 0, 8, buf)).status)
	require.Equal(t, bytes.Repeat([]byte{0xee}, 4096), r.mem.at(buf, 4096))
	bad := r.rwAt(spec.IORead, 0, 8, buf)
	bad.SetPRPs(1<<40, 0)
	require.Equal(t, spec.DataTransferError|dnr, r.do(bad).status)
}

func TestDataMovesWhenTheMediumHasFinished(t *testing.T) {
	m := &held{}
	r := newReady(t, nvme.Config{}, withHeld(m), 8)
	buf := r.alloc(4096)
	b := r.mem.at(buf, 512)
	fill(b, 1)
	r.submit(1, r.rwAt(spec.IOWrite, 0, 1, buf))
	r.run()
	fill(b, 2) // the buffer is the device's until the completion
	m.finish(r, 1)
	back := r.alloc(4096)
	r.submit(1, r.rwAt(spec.IORead, 0, 1, back))
	r.run()
	require.Zero(t, r.mem.at(back, 1)[0])
	m.finish(r, 1)
	require.EqualValues(t, 2, r.mem.at(back, 1)[0])
}

func TestHostThatBreaksItsPRPListMeanwhileGetsAnError(t *testing.T) {
	m := &held{}
	r := newReady(t, nvme.Config{}, withHeld(m), 8)
	e := r.rw(spec.IORead, 0, 32)
	r.submit(1, e)
	r.run()
	put64(r.mem.at(e.PRP2(), 8), 1<<60)
	m.finish(r, 1)
	require.Equal(t, spec.DataTransferError, r.reap(1)[0].status.Code())
}

func (r *rig) dsm(attr uint32, ranges ...[2]uint64) spec.SQE {
	buf := r.alloc(4096)
	for i, x := range ranges {
		spec.PutDSMRange(r.mem.at(buf+uint64(16*i), 16), x[0], uint32(x[1]))
	}
	e := command(spec.IODatasetManagement, r.nextCID(), 1)
	e.SetPRPs(buf, 0)
	e.SetCDW10(uint32(len(ranges) - 1))
	e.SetCDW11(attr)
	return e
}

func TestDeallocatedAndZeroedBlocksReadAsZero(t *testing.T) {
	r := newRigMem(t, 1, nvme.Config{Capacity: 1 << 20}, null, 16<<20)
	r.enable()
	r.createPair(1, 8)
	buf := r.alloc(1 << 20)
	b := r.mem.at(buf, 1<<20)
	write := func() { fill(b, 0xaa); require.Equal(t, spec.Success, r.do(r.rwAt(spec.IOWrite, 0, 2048, buf)).status) }
	check := func(zero func(lba int) bool) {
		fill(b, 0xbb)
		require.Equal(t, spec.Success, r.do(r.rwAt(spec.IORead, 0, 2048, buf)).status)
		for lba := range 2048 {
			want := byte(0xaa)
			if zero(lba) {
				want = 0
			}
			require.Equal(t, bytes.Repeat([]byte{want}, 512), b[lba*512:][:512], "LBA %d", lba)
		}
	}
	write()
	require.Equal(t, spec.Success, r.do(r.dsm(spec.DSMDeallocate, [2]uint64{1, 2}, [2]uint64{100, 500}, [2]uint64{7, 0})).status)
	check(func(l int) bool { return l == 1 || l == 2 || (l >= 100 && l < 600) })
	write()
	require.Equal(t, spec.Success, r.do(r.dsm(0, [2]uint64{0, 2048})).status, "a hint only")
	require.Equal(t, spec.LBAOutOfRange|dnr, r.do(r.dsm(spec.DSMDeallocate, [2]uint64{0, 8}, [2]uint64{2047, 2})).status)
	check(func(int) bool { return false })
	require.Equal(t, spec.Success, r.do(r.rwAt(spec.IOWriteZeroes, 5, 700, buf)).status)
	check(func(l int) bool { return l >= 5 && l < 705 })

	bad := r.dsm(spec.DSMDeallocate, [2]uint64{0, 1})
	bad.SetPRPs(0, 0)
	require.Equal(t, spec.DataTransferError|dnr, r.do(bad).status)
	bad.Begin(spec.IODatasetManagement, 1, 0)
	require.Equal(t, spec.InvalidNamespace|dnr, r.do(bad).status)
}

func TestDataOutlivesAReset(t *testing.T) {
	r := newReady(t, nvme.Config{}, null, 8)
	buf := r.alloc(4096)
	fill(r.mem.at(buf, 4096), 0x5a)
	require.Equal(t, spec.Success, r.do(r.rwAt(spec.IOWrite, 9, 8, buf)).status)
	r.c.Write32(spec.RegCC, 0)
	r.enable()
	r.createPair(1, 8)
	back := r.alloc(4096)
	require.Equal(t, spec.Success, r.do(r.rwAt(spec.IORead, 9, 8, back)).status)
	require.Equal(t, r.mem.at(buf, 4096), r.mem.at(back, 4096))
}
