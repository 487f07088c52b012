package ebpf

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/traces"
)

func TestBadOptionsAreRefused(t *testing.T) {
	d := Device{Name: "sda", Dev: MakeDev(8, 0), End: 10}
	part, next := Device{Name: "sda1", Dev: d.Dev, First: 2, End: 6}, Device{Name: "sda2", Dev: d.Dev, First: 6, End: 10}
	require.NoError(t, Options{}.Validate())
	require.NoError(t, Options{Devices: []Device{d}, Ops: []traces.Op{traces.Read}, Buffer: 1 << 20}.Validate())
	require.NoError(t, Options{Devices: []Device{part, next, {Name: "sdb", Dev: MakeDev(8, 16), End: 10}}}.Validate())
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Devices: []Device{d, d}}, "sda is named twice"},
		{Options{Devices: []Device{next, part, d}}, "sda2 and sda share sectors"},
		{Options{Mode: 2}, "no mode 2"},
		{Options{Attach: 4}, "no way to attach"},
		{Options{Buckets: 2}, "no buckets"},
		{Options{Devices: make([]Device, 9)}, "9 devices: at most 8"},
		{Options{PIDs: make([]uint32, 17)}, "17 processes: at most 16"},
		{Options{MinLatency: -1}, "minimum latency"},
		{Options{Buffer: 5000}, "buffer of 5000 bytes"},
		{Options{WakeBytes: -1}, "wake-up"},
		{Options{Devices: []Device{{}}}, "FindDevice"},
		{Options{Ops: []traces.Op{OtherOp}}, "no op"},
		{Options{Mode: Histogram, Requests: true}, "histograms have no requests"},
	} {
		require.ErrorContains(t, c.o.Validate(), c.want)
		_, err := Open(c.o)
		require.ErrorContains(t, err, c.want)
	}
}

func TestStatIsParsed(t *testing.T) {
	s, err := parseStat(" 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n")
	require.NoError(t, err)
	require.Equal(t, Stat{Reads: 1, ReadMerges: 2, ReadSectors: 3, Writes: 5, WriteMerges: 6, WriteSectors: 7, InFlight: 9,
		Discards: 12, DiscardMerges: 13, DiscardSectors: 14, Flushes: 16}, s)
	require.EqualValues(t, 1+2+5+6+12+13, s.Completed())
	_, err = parseStat("1 2 3 4 5 6 7 8 9 10 11")
	require.NoError(t, err, "before 4.18")
	_, err = parseStat("1 2")
	require.ErrorContains(t, err, "2 fields")
	_, err = parseStat("1 2 3 4 x 6 7 8 9 10 11")
	require.ErrorContains(t, err, `field 5 of a device's stat: "x"`)
}

func TestDiagnosisIsATable(t *testing.T) {
	d := Diagnosis{}
	d.add("CAP_BPF", Lacking, "run as root", "loads %s", "programs")
	d.add("JIT", Good, "nothing to do", "on")
	var b bytes.Buffer
	require.NoError(t, d.WriteTable(&b))
	require.Equal(t, "missing  CAP_BPF  loads programs\n                  -> run as root\nok       JIT      on\n\ntracing is not possible here\n", b.String())
	d.Possible, d.Attach = true, "tp_btf"
	b.Reset()
	require.NoError(t, d.WriteTable(&b))
	require.Contains(t, b.String(), "tracing is possible, by tp_btf tracepoints")
}

func TestMissingSaysWhatToDo(t *testing.T) {
	require.EqualError(t, &Missing{What: "CAP_BPF", Why: "it loads programs", Do: "run as root"}, "ebpf: CAP_BPF is missing (it loads programs): run as root")
	require.EqualError(t, &Missing{What: "BTF"}, "ebpf: BTF is missing")
}
