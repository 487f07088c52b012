package blockmodel_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/internal/blockmodel"
)

type stamp = blockmodel.Stamp

// can says which of the stamps 0 to 9 a read of block 0 may find, by asking of
// each in a read of its own that nothing is learnt from.
func can(m *blockmodel.Model) (all []stamp) {
	for s := range stamp(10) {
		r := m.BeginRead(0, 1)
		w := m.BeginWrite(0, 1, 99) // so that the model does not learn
		if m.Found(r, 0, s, nil) == nil {
			all = append(all, s)
		}
		m.EndWrite(w, 0)
		m.EndRead(r)
		learnt := m.BeginRead(0, 1)
		m.EndRead(learnt)
	}
	return all
}

func write(m *blockmodel.Model, s stamp) { m.EndWrite(m.BeginWrite(0, 1, s), 1) }

func TestWhatABlockMayHave(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(m *blockmodel.Model)
		want []stamp
	}{
		{"the last of two in turn", func(m *blockmodel.Model) { write(m, 1); write(m, 2) }, []stamp{2}},
		{"either of two at once", func(m *blockmodel.Model) {
			write(m, 1)
			a, b := m.BeginWrite(0, 1, 2), m.BeginWrite(0, 1, 3)
			m.EndWrite(a, 1)
			m.EndWrite(b, 1)
		}, []stamp{2, 3}},
		{"not one that ended before another began", func(m *blockmodel.Model) {
			a, b := m.BeginWrite(0, 1, 1), m.BeginWrite(0, 1, 2)
			m.EndWrite(a, 1)
			c := m.BeginWrite(0, 1, 3)
			m.EndWrite(c, 1)
			m.EndWrite(b, 1)
		}, []stamp{2, 3}},
		{"old or new while it is in flight", func(m *blockmodel.Model) { write(m, 1); m.BeginWrite(0, 1, 2) }, []stamp{1, 2}},
		{"old or new after a failure", func(m *blockmodel.Model) {
			write(m, 1)
			m.EndWrite(m.BeginWrite(0, 1, 2), 0)
		}, []stamp{1, 2}},
		{"not one that never happened", func(m *blockmodel.Model) {
			write(m, 1)
			m.Never(m.BeginWrite(0, 1, 2))
		}, []stamp{1}},
		{"a write after a failure settles it", func(m *blockmodel.Model) {
			m.EndWrite(m.BeginWrite(0, 1, 2), 0)
			write(m, 3)
		}, []stamp{3}},
		{"a read settles what a failure left open", func(m *blockmodel.Model) {
			write(m, 1)
			m.EndWrite(m.BeginWrite(0, 1, 2), 0)
			r := m.BeginRead(0, 1)
			if m.Found(r, 0, 1, nil) != nil {
				panic("1 is allowed")
			}
			m.EndRead(r)
		}, []stamp{1}},
		{"of two writes of zeroes each is itself", func(m *blockmodel.Model) {
			long := m.BeginWrite(0, 1, blockmodel.Zero)
			write(m, 1)
			m.Never(m.BeginWrite(0, 1, blockmodel.Zero))
			m.EndWrite(long, 1)
		}, []stamp{0, 1}},
		{"zeroes", func(m *blockmodel.Model) { write(m, 1); write(m, blockmodel.Zero) }, []stamp{0}},
	} {
		m := blockmodel.New(1, false)
		c.do(m)
		require.Equal(t, c.want, can(m), c.name)
	}
}

func TestWhatACrashMayLeave(t *testing.T) {
	flush := func(m *blockmodel.Model) { m.EndFlush(m.BeginFlush()) }
	for _, c := range []struct {
		name     string
		volatile bool
		do       func(m *blockmodel.Model)
		want     []stamp
	}{
		{"without a cache what was written stays", false, func(m *blockmodel.Model) { write(m, 1); write(m, 2) }, []stamp{2}},
		{"with one, anything since the flush", true, func(m *blockmodel.Model) { write(m, 1); write(m, 2); flush(m); write(m, 3); write(m, 4) }, []stamp{2, 3, 4}},
		{"a flush covers only what had completed", true, func(m *blockmodel.Model) {
			write(m, 1)
			flush(m)
			f := m.BeginFlush()
			write(m, 2)
			m.EndFlush(f)
		}, []stamp{1, 2}},
		{"what was written through stays", true, func(m *blockmodel.Model) {
			write(m, 1)
			w := m.BeginWrite(0, 1, 2)
			m.EndWrite(w, 1)
			m.Durable(w, 1)
			write(m, 3)
		}, []stamp{2, 3}},
		{"in flight: old or new", false, func(m *blockmodel.Model) { write(m, 1); m.BeginWrite(0, 1, 2) }, []stamp{1, 2}},
		{"what a read found may still be lost", true, func(m *blockmodel.Model) {
			write(m, 1)
			flush(m)
			write(m, 2)
			r := m.BeginRead(0, 1)
			_ = m.Found(r, 0, 2, nil)
			m.EndRead(r)
		}, []stamp{1, 2}},
	} {
		m := blockmodel.New(1, c.volatile)
		c.do(m)
		m.Crash()
		require.Equal(t, c.want, can(m), c.name)
	}
}

func TestAPartOfAWriteIsDone(t *testing.T) {
	m := blockmodel.New(2, false)
	m.EndWrite(m.BeginWrite(0, 2, 1), 2)
	m.EndWrite(m.BeginWrite(0, 2, 2), 1)
	r := m.BeginRead(0, 2)
	require.Error(t, m.Found(r, 0, 1, nil))
	require.NoError(t, m.Found(r, 1, 1, nil), "the rest is old or new")
}

func TestABlockTellsWhoseItIsAndWhere(t *testing.T) {
	b, other := make([]byte, 512), make([]byte, 512)
	for _, s := range []stamp{blockmodel.Zero, 1, 77, blockmodel.Fresh, blockmodel.Mangled} {
		blockmodel.Fill(b, s, 5)
		got, err := blockmodel.Parse(b, 5)
		require.NoError(t, err)
		require.Equal(t, s, got)
	}
	blockmodel.Fill(b, 7, 5)
	_, err := blockmodel.Parse(b, 6)
	require.ErrorContains(t, err, "block 6: it has the data of block 5 of write 7")
	blockmodel.Fill(other, 8, 5)
	copy(b[256:], other[256:])
	_, err = blockmodel.Parse(b, 5)
	require.ErrorContains(t, err, "from byte 256 on: torn")
	clear(b[:256])
	_, err = blockmodel.Parse(b, 5)
	require.ErrorContains(t, err, "torn")
}

func TestTheErrorSaysWhatTheBlockCouldHave(t *testing.T) {
	m := blockmodel.New(4, false)
	m.EndWrite(m.BeginWrite(0, 4, 1), 4)
	m.BeginWrite(2, 1, 2)
	r := m.BeginRead(0, 4)
	require.NoError(t, m.Found(r, 0, 1, nil))
	require.NoError(t, m.Found(r, 2, 2, nil))
	require.EqualError(t, m.Found(r, 2, 3, nil), "block 2: it has write 3, and it can only have write 1 or write 2")
}
