package traces

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// outcome is all that reading a trace gave.
type outcome struct {
	recs    []Record
	err     error // that ended the stream; nil for io.EOF
	stats   Stats
	volumes []string
	names   Names
	format  string
	why     string
}

// drain reads r to its end in batches and checks what holds for every stream.
func drain(t testing.TB, r *Reader, batch int) outcome {
	t.Helper()
	var out outcome
	buf := make([]Record, batch)
	for {
		n, err := r.Read(buf)
		out.recs = append(out.recs, buf[:n]...)
		if err != nil {
			require.Zero(t, n, "records and an error at once")
			if err != io.EOF {
				out.err = err
			}
			_, again := r.Read(buf)
			require.Equal(t, err, again, "the end must stay the end")
			break
		}
		require.Positive(t, n)
	}
	out.stats, out.volumes, out.names, out.format, out.why = r.Stats(), r.Volumes(), r.Names(), r.Format(), r.Why()
	require.NoError(t, out.stats.Check())
	require.EqualValues(t, len(out.recs), out.stats.Delivered)
	for i := range out.recs {
		rec := &out.recs[i]
		sane := rec.Offset >= 0 && rec.Offset+rec.Length >= 0 && (rec.Length > 0 || rec.Length == 0 && rec.Op == Flush) &&
			rec.CancelAfter >= -1 && int(rec.Volume) < len(out.volumes) && rec.Op <= WriteZeroes
		ordered := r.opts.Order == AsIs || rec.Time >= 0 && (i == 0 || rec.Time >= out.recs[i-1].Time)
		if !sane || !ordered {
			t.Fatalf("record %d: %+v", i, *rec)
		}
	}
	require.NoError(t, r.Close())
	return out
}

// read opens data as "t" and drains it.
func read(t testing.TB, data string, o Options) outcome {
	t.Helper()
	r, err := NewReader(strings.NewReader(data), "t", o)
	require.NoError(t, err)
	return drain(t, r, 100)
}

// openErr is the error of opening data.
func openErr(t testing.TB, data string, o Options) error {
	t.Helper()
	r, err := NewReader(strings.NewReader(data), "t", o)
	require.Error(t, err)
	require.Nil(t, r)
	return err
}

// readBoth drains data in batches of 1 and of 1000, which must not matter, and
// gives the outcome, or the error of opening it.
func readBoth(t testing.TB, data []byte, o Options) (outcome, error) {
	t.Helper()
	var outs []outcome
	for _, batch := range []int{1, 1000} {
		r, err := NewReader(bytes.NewReader(data), "t", o)
		if err != nil {
			return outcome{}, err
		}
		outs = append(outs, drain(t, r, batch))
	}
	a, b := outs[0], outs[1]
	require.Equal(t, a.recs, b.recs)
	require.Equal(t, a.stats, b.stats)
	require.Equal(t, a.volumes, b.volumes)
	if a.err != nil || b.err != nil {
		require.EqualError(t, b.err, a.err.Error())
	}
	return a, nil
}

// shared opens one of the real traces, which are not part of the project.
func shared(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join("..", "..", "shared", "traces", name)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		t.Skipf("no %s: the real traces are not part of the project", path)
	}
	return path
}

func vscsi1Record(v vscsiRecord) []byte {
	b := make([]byte, vscsi1Size)
	le := binary.LittleEndian
	le.PutUint32(b[0:], 7)
	le.PutUint32(b[4:], v.len)
	le.PutUint32(b[8:], 1)
	le.PutUint16(b[12:], v.cmd)
	le.PutUint16(b[14:], v.ver)
	le.PutUint64(b[16:], v.lbn)
	le.PutUint64(b[24:], v.ts)
	return b
}

func vscsi2Record(v vscsiRecord) []byte {
	b := make([]byte, vscsi2Size)
	le := binary.LittleEndian
	le.PutUint16(b[0:], v.cmd)
	le.PutUint16(b[2:], v.ver)
	le.PutUint32(b[4:], 7)
	le.PutUint32(b[8:], v.len)
	le.PutUint32(b[12:], 1)
	le.PutUint64(b[16:], v.lbn)
	le.PutUint64(b[24:], v.ts)
	le.PutUint64(b[32:], 3)
	return b
}
