package traces

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// writtenAs is recs in a format, without those that it cannot hold.
func writtenAs(t testing.TB, format string, recs []Record, names Names) (data string, held []Record) {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(format, &b)
	require.NoError(t, err)
	for len(recs) > 0 {
		err := w.Write(recs, names)
		if err == nil {
			held = append(held, recs...)
			break
		}
		var no *HoldError
		require.ErrorAs(t, err, &no)
		held = append(held, recs[:no.Index]...)
		recs = recs[no.Index+1:]
	}
	require.NoError(t, w.Close())
	return b.String(), held
}

// carried is what a format keeps of a record.
func carried(format string, r Record, origin int64) Record {
	r.Line = 0
	switch format {
	case "fio3":
		r = Record{Time: r.Time/1000*1000 - origin/1000*1000, Op: r.Op, Offset: r.Offset, Length: r.Length, Volume: r.Volume}
	case "msr":
		r = Record{Time: (r.Time/100 - origin/100) * 100, Op: r.Op, Offset: r.Offset, Length: r.Length, Volume: r.Volume, Completed: r.Completed / 100 * 100}
	case "blkparse":
		r.Time -= origin
		r.App, r.CancelAfter = 0, -1
		if r.Length == 0 { // nothing pairs its events
			r.Offset, r.Issued, r.Completed, r.Status = 0, 0, 0, 0
			r.Flags &^= FUA | Preflush
		}
		if r.Completed == 0 {
			r.Status = 0
		}
		return r
	default:
		return r
	}
	r.CancelAfter = -1
	return r
}

// someTrace has all that a record may hold.
func someTrace(n int) ([]Record, Names) {
	names := Names{Volumes: []string{"8,0", "8,16", "host_3"}, Processes: []Process{{}, {PID: 7, Name: "dd"}, {PID: 70000, Name: "a [b] c"}}}
	recs := make([]Record, n)
	for i := range recs {
		k := int64(i)
		recs[i] = Record{Time: 500 + k*100_333, Offset: k * 7919 % 1000 * 4096, Length: 512 * (1 + k%16), CancelAfter: -1, Line: k + 1,
			Issued: 1 + k%700, Completed: 90_000 + k%5_000, App: uint64(k) << 40, Volume: uint32(i % 3), Process: uint32(i % 3),
			Flags: Flags(i % 32), Op: Op(i % NumOps)}
		r := &recs[i]
		if i%17 == 0 {
			r.Status = uint16(1 + i%30)
		}
		if i%13 == 0 {
			r.CancelAfter = k
		}
		if r.Op == Flush {
			r.Offset, r.Length = 0, 0
		}
		if i%29 == 0 {
			r.Offset += 100
		}
	}
	return recs, names
}

func TestNativeToEachWriterAndBackKeepsWhatTheFormatCarries(t *testing.T) {
	recs, names := someTrace(500)
	native := read(t, string(nativeBytes(t, recs, names, NativeOptions{})), Options{})
	require.NoError(t, native.err)
	require.Equal(t, recs, native.recs)
	for _, f := range WriteFormats() {
		data, held := writtenAs(t, f.Name, native.recs, native.names)
		back := read(t, data, Options{})
		require.NoError(t, back.err)
		require.Equal(t, f.Name, back.format)
		require.Len(t, back.recs, len(held), f.Name)
		require.Greater(t, len(held), 150)
		if f.Loses == "" {
			require.Equal(t, recs, held)
		}
		// And to native again.
		again := read(t, string(nativeBytes(t, back.recs, back.names, NativeOptions{Zstd: true})), Options{})
		require.NoError(t, again.err)
		for i, got := range again.recs {
			want := carried(f.Name, held[i], held[0].Time)
			if f.Loses != "" && f.Name != "blkparse" {
				require.Zero(t, got.Process)
			} else {
				require.Equal(t, names.Processes[want.Process], again.names.Processes[max(got.Process, 0)])
				got.Process = want.Process
			}
			volume := again.volumes[got.Volume]
			switch {
			case f.Name == "msr" && want.Volume < 2:
				require.Equal(t, strings.ReplaceAll(names.Volumes[want.Volume], ",", "%2c")+"_0", volume)
			case f.Name == "blkparse" && want.Volume == 2:
				require.Equal(t, "259,0", volume)
			default:
				require.Equal(t, names.Volumes[want.Volume], volume)
			}
			got.Volume, got.Line = want.Volume, 0
			require.Equal(t, want, got, "%s: record %d", f.Name, i)
		}
	}
}

func TestAWriterRefusesWhatItsFormatCannotHold(t *testing.T) {
	zeroes := Record{Length: 512, CancelAfter: -1, Op: WriteZeroes, Line: 7}
	for _, c := range []struct{ format, want string }{
		{"fio3", "the format fio3 cannot hold the record 7 (write-zeroes of 512 bytes at 0): fio has no such action"},
		{"msr", "the format msr cannot hold the record 7 (write-zeroes of 512 bytes at 0): it holds reads and writes only"},
		{"blkparse", "the format blkparse cannot hold the record 7 (write-zeroes of 512 bytes at 0): blkparse has no letter for it"},
	} {
		w, err := NewWriter(c.format, io.Discard)
		require.NoError(t, err)
		require.EqualError(t, w.Write([]Record{zeroes}, Names{}), c.want)
		require.NoError(t, w.Write([]Record{{Length: 512, CancelAfter: -1}}, Names{}), "writing goes on")
	}
	w, _ := NewWriter("fio3", io.Discard)
	require.ErrorContains(t, w.Write([]Record{{Length: 1}}, Names{Volumes: []string{"a b"}}), "no name of a file for fio")
	w, _ = NewWriter("msr", io.Discard)
	require.ErrorContains(t, w.Write([]Record{{Length: 1}, {Length: 1, Volume: 1}}, Names{Volumes: []string{"a", "a_0"}}), "would be the same as another")
	_, err := NewWriter("spc", io.Discard)
	require.EqualError(t, err, `traces: format "spc" cannot be written: want one of native, blksim, fio3, msr, blkparse`)
}

func TestTheExtensionNamesTheFormat(t *testing.T) {
	for path, want := range map[string]string{"a.blkt": "native", "a.blk.gz": "blksim", "x/a.csv.zst": "msr", "a.iolog": "fio3", "a.blkparse": "blkparse", "a": ""} {
		f, _ := WriteFormatOf(path)
		require.Equal(t, want, f.Name, path)
	}
}

// Every write of every writer fails in turn: the error comes out, at the latest from
// Close, and nothing is written behind it.
func TestEveryWriterReportsEveryFailingWrite(t *testing.T) {
	recs, names := someTrace(9000)
	full := errors.New("no space left on device")
	for _, f := range WriteFormats() {
		for fail := 0; ; fail++ {
			writes := 0
			w, _ := NewWriter(f.Name, writerFunc(func(b []byte) (int, error) {
				writes++
				if writes > fail {
					require.Equal(t, fail+1, writes, "%s writes behind an error", f.Name)
					return 0, full
				}
				return len(b), nil
			}))
			var err error
			for i := range recs {
				var no *HoldError
				if err = w.Write(recs[i:i+1], names); err != nil && !errors.As(err, &no) {
					break
				}
				err = nil
			}
			if err == nil {
				err = w.Close()
			}
			if writes <= fail {
				require.NoError(t, err)
				require.Greater(t, fail, 1, "a buffer that holds everything tests nothing")
				break
			}
			require.ErrorIs(t, err, full, "%s, write %d", f.Name, fail)
		}
	}
}

func ExampleNewWriter() {
	var b strings.Builder
	w, _ := NewWriter("fio3", &b)
	w.Write([]Record{{Time: 1_500_000, Offset: 4096, Length: 8192, CancelAfter: -1, Op: Write}}, Names{Volumes: []string{"/dev/sda"}})
	w.Close()
	fmt.Print(b.String())
	// Output:
	// fio version 3 iolog
	// 1500 /dev/sda add
	// 1500 /dev/sda open
	// 1500 /dev/sda write 4096 8192
	// 1500 /dev/sda close
}
