package load_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"blksim/aio"
	"blksim/driver"
	"blksim/internal/load"
)

const verifyJob = "[a]\nrw=randrw\nbs=4k\nsize=256k\nio_size=2m\niodepth=8\nverify=crc32c\nverify_interval=1k\n"

func TestGoodDataIsFoundGood(t *testing.T) {
	for name, more := range map[string]string{"as it is": "", "cancels": "cancel=random:0.3:3ms\n", "deadline": "deadline=1500us\n",
		"sequential": "rw=write\n", "runtime": "runtime=50ms\ntime_based\n", "large": "bs=4k-16k\nbs=\n"} {
		if name == "large" {
			more = "bsrange=4k-16k\n"
		}
		clones, ios := run(t, &spy{service: 200 * time.Microsecond}, verifyJob+more)
		c := clones[0]
		require.Zero(t, c.Bad, "%s: %v", name, c.FirstBad)
		require.Greater(t, c.Checked, int64(64), name)
		last := ios[len(ios)-1]
		require.Equal(t, aio.OpRead, last.Op, "%s: what was written is read back at the end", name)
	}
}

// A split I/O of which a part was cancelled is done up to there: what a read left of
// its buffer is no data, and what a write left out was not written.
func TestAnIODoneInPartIsCheckedInPart(t *testing.T) {
	s := &spy{service: 100 * time.Microsecond, piece: 4096, depth: 1}
	clones, ios := run(t, s, verifyJob+"bs=16k\ncancel=random:0.5:3ms\n")
	c := clones[0]
	require.Zero(t, c.Bad, c.FirstBad)
	parts := map[aio.Op]int{}
	for _, io := range ios {
		if io.Status == aio.OK && io.N < io.Len {
			parts[io.Op]++
		}
	}
	require.Positive(t, parts[aio.OpRead])
	require.Positive(t, parts[aio.OpWrite])
	require.Greater(t, c.Checked, int64(64))
}

// TestBadDataIsFound: each way in which a device can fail to keep what it was given.
func TestBadDataIsFound(t *testing.T) {
	// Each block is written eight times and read back once at the end; the last of
	// the writes are in the last pass. What is counted is I/Os and not requests:
	// those that wait are merged, and a request has the buffers of all of them.
	nth := map[aio.Op]int{aio.OpRead: 60, aio.OpWrite: 500}
	n := 0
	once := func(op aio.Op) func(r *driver.Request) (hit []byte) {
		n = 0
		return func(r *driver.Request) (hit []byte) {
			if r.Op != op {
				return nil
			}
			for _, b := range r.Bufs {
				if n++; n == nth[op] {
					hit = b
				}
			}
			return hit
		}
	}
	spoils := func(how func(b []byte)) func() *spy {
		return func() *spy {
			of := once(aio.OpRead)
			return &spy{spoil: func(r *driver.Request) {
				if b := of(r); b != nil {
					how(b)
				}
			}}
		}
	}
	for name, c := range map[string]struct {
		s    func() *spy
		says string
	}{
		"a bit flips":           {spoils(func(b []byte) { b[700] ^= 4 }), "crc32c"},
		"a header is gone":      {spoils(func(b []byte) { b[0] ^= 0xff }), "no header"},
		"data of another place": {spoils(func(b []byte) { copy(b[:1024], b[1024:2048]) }), "has the data of offset"},
		"a lost write": {func() *spy {
			of := once(aio.OpWrite)
			return &spy{drop: func(r *driver.Request) bool { return of(r) != nil }}
		}, "want"},
	} {
		s := c.s()
		s.service = 100 * time.Microsecond
		clones, _ := run(t, s, verifyJob+"rw=randwrite\n")
		require.Positive(t, clones[0].Bad, name)
		require.Contains(t, strings.Join(clones[0].FirstBad, "\n"), c.says, name)
	}
}

func TestVerifyFatalEndsTheJob(t *testing.T) {
	s := &spy{service: 100 * time.Microsecond, spoil: func(r *driver.Request) {
		if r.Op == aio.OpRead {
			r.Bufs[0][99] ^= 1
		}
	}}
	clones, _ := run(t, s, verifyJob+"verify_fatal=1\n")
	require.Positive(t, clones[0].Bad)
	require.True(t, clones[0].Result.Stopped)
	require.Less(t, clones[0].Bad, int64(100))
}

func TestVerifyNeedsDataAndRegionsApart(t *testing.T) {
	_, _, err := tryRun(t, &spy{}, "[global]\nverify=crc32c\nrw=write\nsize=64k\n[a]\nnumjobs=2\n")
	var mistake *load.JobError
	require.ErrorAs(t, err, &mistake)
	require.ErrorContains(t, err, "regions overlap")
	_, _, err = tryRun(t, &spy{}, "[global]\nverify=crc32c\nrw=write\nsize=64k\noffset_increment=64k\n[a]\nnumjobs=2\n")
	require.NoError(t, err)
}
