package nvme_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	device "blksim/device/nvme"
	"blksim/device/nvme/spec"
	"blksim/driver/nvme"
)

func TestForcedWritesSetFUA(t *testing.T) {
	m := &held{}
	r := newRig(t, rigOptions{medium: m})
	require.True(t, r.driver.Limits().FUA)
	p := r.openPort(0, 4)
	r.at(p, func() {
		for _, forced := range []bool{false, true} {
			q := p.get(aio.OpWrite, 0, 512, make([]byte, 512))
			q.FUA = forced
			require.Equal(t, aio.OK, p.submit(q))
		}
		p.commit()
	})
	r.run()
	require.Equal(t, []bool{false, true}, []bool{m.begun[0].ForceUnit, m.begun[1].ForceUnit})
	r.world.Lane(deviceLane).Post(m.letGo)
	r.run()
	r.close()
}

func TestLimitsTellTheNamespace(t *testing.T) {
	r := newRig(t, rigOptions{device: device.Config{Capacity: 1 << 20, LBASize: 4096, MDTS: 3}})
	l := r.driver.Limits()
	require.NoError(t, l.Validate())
	require.EqualValues(t, 32<<10, l.MaxTransfer)
	require.EqualValues(t, (1<<32-1)*4096, l.MaxDiscard)
	require.EqualValues(t, 65536*4096, l.MaxWriteZeroes)
	require.Zero(t, l.Boundary)
	r.close()
	f := newFakeRig(t, nvme.Options{}, func(f *fake) {
		f.namespace = spec.NamespaceData{NSZE: 1 << 20, NOIOB: 256, LBADS: [16]uint8{9}}
	})
	require.EqualValues(t, 128<<10, f.driver.Limits().Boundary)
}
