package nvme

import (
	"testing"

	"blksim/device/nvme/spec"

	"github.com/stretchr/testify/require"
)

// FuzzSGLWalk: whatever a host writes into descriptors and segments, the walk
// ends after a bounded number of steps; its pieces are in the host's memory, do
// not cross a page and are never more than the command moves; and a walk that
// succeeds has exactly that.
func FuzzSGLWalk(f *testing.F) {
	desc := func(d spec.SGL) []byte { b := make([]byte, spec.SGLSize); d.Put(b); return b }
	f.Add(desc(spec.SGL{Addr: pg, Len: 512}), uint32(512), true, []byte{})
	f.Add(desc(spec.SGL{Addr: pg, Len: 32, Type: spec.SGLLastSegment}), uint32(1024), true,
		append(desc(spec.SGL{Addr: 2 * pg, Len: 512}), desc(spec.SGL{Len: 512, Type: spec.SGLBitBucket})...))
	f.Add(desc(spec.SGL{Addr: pg, Len: 16, Type: spec.SGLSegment}), uint32(9000), false, desc(spec.SGL{Addr: pg, Len: 16, Type: spec.SGLSegment}))
	f.Add(desc(spec.SGL{Addr: pg - 4, Len: 48, Type: spec.SGLSegment}), uint32(4096), false, desc(spec.SGL{Addr: pg + 100, Len: 4096}))
	f.Fuzz(func(t *testing.T, first []byte, n uint32, toHost bool, fill []byte) {
		if len(first) < spec.SGLSize {
			return
		}
		m := pages{make([]byte, 16*pg)}
		for at := pg; at < len(m.b) && len(fill) > 0; at += len(fill) {
			copy(m.b[at:], fill)
		}
		want := int(n % (1 << 20))
		w := newSGLWalk(m, 12, le64(first), le64(first[8:]), want, toHost)
		got, steps := 0, 0
		for {
			b, n, st := w.next()
			if n == 0 {
				if st == spec.Success {
					require.Equal(t, want, got)
				}
				require.NotContains(t, st.String(), "status", "a status without a name")
				return
			}
			require.Equal(t, spec.Success, st)
			if b != nil {
				require.Len(t, b, n)
				off := &b[0]
				require.LessOrEqual(t, n, pg)
				require.True(t, within(m.b, off), "a piece outside the memory")
			} else {
				require.True(t, toHost, "a bit bucket of a write")
			}
			got += n
			steps++
			require.LessOrEqual(t, got, want)
			require.LessOrEqual(t, steps, maxDescriptors+want)
		}
	})
}

func le64(b []byte) (v uint64) {
	for i := range 8 {
		v |= uint64(b[i]) << (8 * i)
	}
	return v
}

// within says whether p points into b.
func within(b []byte, p *byte) bool {
	for i := 0; i < len(b); i += 1 {
		if &b[i] == p {
			return true
		}
	}
	return false
}
