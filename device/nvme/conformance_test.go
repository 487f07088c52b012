package nvme_test

import (
	"testing"

	"blksim/device/nvme"
	"blksim/device/nvme/spec"

	"github.com/stretchr/testify/require"
)

// The conformance table: what the specification says, a line a rule, by section
// (the revisions are those of package spec). Each rule is checked on a controller
// of its own.

// rule is one sentence of the specification, and a check of it.
type rule struct {
	text  string
	check func(r *rig)
}

// section is the rules of one section, and the controller that they want.
type section struct {
	name  string
	setup func(t testing.TB) *rig
	rules []rule
}

// conformance is all sections. The files conformance_*_test.go add to it.
func conformance() []section {
	var all []section
	for _, part := range [][]section{
		registerSections, queueSections, identifySections, logSections, featureSections, namespaceSections,
		transferSections, ioSections, cancelSections, interruptSections,
	} {
		all = append(all, part...)
	}
	return all
}

// conformanceFloor is how many rules the table has at least.
const conformanceFloor = 250

func TestConformance(t *testing.T) {
	n := 0
	seen := map[string]bool{}
	for _, s := range conformance() {
		t.Run(s.name, func(t *testing.T) {
			for _, x := range s.rules {
				key := s.name + ": " + x.text
				require.False(t, seen[key], "twice in the table: %s", key)
				seen[key] = true
				n++
				t.Run(x.text, func(t *testing.T) {
					r := s.setup(t)
					x.check(r)
					r.checkIdentity()
				})
			}
		})
	}
	if !t.Failed() && testing.Verbose() {
		t.Logf("%d rules", n)
	}
	total := 0
	for _, s := range conformance() {
		total += len(s.rules)
	}
	require.GreaterOrEqual(t, total, conformanceFloor)
}

// plain is a controller with one queue pair over a null medium: namespace 1 of
// 2048 blocks, transfers of at most 32 KiB.
func plain(t testing.TB) *rig { return newReady(t, conformConfig, null, 16) }

var conformConfig = nvme.Config{Capacity: 1 << 20, MDTS: 3, Queues: 4, QueueDepth: 64}

// withCache is plain with a volatile write cache and a medium that ends commands
// when the rule says so.
func withCache(t testing.TB) *rig {
	return newReady(t, conformConfig, withHeld(&held{cache: true, abort: true}), 16)
}

// medium is the medium of withCache.
func (r *rig) medium() *held { return r.made.(*held) }

// eq and the others fail the rule.
func (r *rig) eq(want, got any) { r.t.Helper(); require.Equal(r.t, want, got) }
func (r *rig) yes(ok bool)      { r.t.Helper(); require.True(r.t, ok) }

// field makes the check of one number.
func field[T any](get func(r *rig) T, want T) func(r *rig) {
	return func(r *rig) { r.t.Helper(); r.eq(want, get(r)) }
}

// adminCommand is a command with its dwords.
func (r *rig) adminCommand(op uint8, nsid uint32, cdw ...uint32) spec.SQE {
	e := command(op, r.nextCID(), nsid)
	for i, v := range cdw {
		[]func(uint32){e.SetCDW10, e.SetCDW11, e.SetCDW12, e.SetCDW13, e.SetCDW14, e.SetCDW15}[i](v)
	}
	e.SetPRPs(r.alloc(8192), 0)
	return e
}

// adminIs is the check that an admin command ends with a status code.
func adminIs(want spec.Status, op uint8, nsid uint32, cdw ...uint32) func(r *rig) {
	return func(r *rig) {
		r.t.Helper()
		r.eq(want, r.admin(r.adminCommand(op, nsid, cdw...)).status.Code())
	}
}

// ioIs is the check that a command of one block at LBA 0, changed by edit, ends
// with a status code.
func ioIs(want spec.Status, op uint8, edit func(r *rig, e *spec.SQE)) func(r *rig) {
	return func(r *rig) {
		r.t.Helper()
		e := r.rw(op, 0, 1)
		if edit != nil {
			edit(r, &e)
		}
		r.eq(want, r.do(e).status.Code())
	}
}

// blocks makes an edit that sets the extent, with a buffer for it.
func extent(slba uint64, n int) func(r *rig, e *spec.SQE) {
	return func(r *rig, e *spec.SQE) {
		x := r.rw(e.Opcode(), slba, n)
		copy(x[2:4], e[2:4])
		*e = x
	}
}

func nsid(n uint32) func(r *rig, e *spec.SQE) {
	return func(_ *rig, e *spec.SQE) { e[4], e[5], e[6], e[7] = byte(n), byte(n>>8), byte(n>>16), byte(n>>24) }
}

// write puts n blocks of v at slba.
func (r *rig) write(slba uint64, n int, v byte) {
	r.t.Helper()
	buf := r.alloc(n * 512)
	fill(r.mem.at(buf, n*512), v)
	r.eq(spec.Success, r.do(r.rwAt(spec.IOWrite, slba, n, buf)).status)
}

// read is n blocks from slba.
func (r *rig) read(slba uint64, n int) []byte {
	r.t.Helper()
	buf := r.alloc(n * 512)
	r.eq(spec.Success, r.do(r.rwAt(spec.IORead, slba, n, buf)).status)
	return r.mem.at(buf, n*512)
}

// all says whether every byte is v.
func all(b []byte, v byte) bool {
	for _, x := range b {
		if x != v {
			return false
		}
	}
	return true
}
