package ebpf

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/stretchr/testify/require"

	"blksim/internal/ebpf/bpf"
)

func TestLayoutsAreThoseOfThePrograms(t *testing.T) {
	for _, object := range [][]byte{bpf.Object(), bpf.PlainObject()} {
		spec, err := ebpf.LoadCollectionSpecFromReader(bytes.NewReader(object))
		require.NoError(t, err)
		for name, of := range map[string]reflect.Type{
			"counters": reflect.TypeFor[perCPU](), "bio_slot": reflect.TypeFor[bioSlot](), "extremes": reflect.TypeFor[extremes](),
		} {
			var s *btf.Struct
			require.NoError(t, spec.Types.TypeByName(name, &s))
			require.EqualValues(t, of.Size(), s.Size, name)
			require.Equal(t, of.NumField(), len(s.Members), name)
			for i, m := range s.Members {
				require.EqualValues(t, of.Field(i).Offset, m.Offset.Bytes(), "%s.%s", name, m.Name)
			}
		}
		require.EqualValues(t, NumStages*histOps*kernelBuckets, spec.Maps["buckets"].MaxEntries)
		require.EqualValues(t, NumStages*histOps, spec.Maps["extremes"].MaxEntries)
	}
}

func TestVerifierTakesEveryProgram(t *testing.T) {
	if err := checkRights(); err != nil {
		t.Skip(err)
	}
	k, err := runningKernel()
	if err != nil {
		t.Skip(err)
	}
	device := Device{Name: "x", Dev: MakeDev(7, 1), End: 100}
	for name, o := range map[string]Options{
		"events":           {},
		"all of it":        {Requests: true, AppIDs: true, MinLatency: 1, Devices: []Device{device, {Name: "y", Dev: MakeDev(7, 2), End: 100}}, PIDs: []uint32{1, 2}, SkipPID: 3},
		"stacked":          {Devices: []Device{{Name: "md", Dev: MakeDev(9, 0), End: 1, TakesBios: true, Stacked: true}}},
		"requests":         {RequestsOnly: true},
		"histogram":        {Mode: Histogram},
		"histogram, log2":  {Mode: Histogram, Buckets: Log2, QueueTime: true},
		"histogram, queue": {Mode: Histogram, QueueTime: true, PIDs: []uint32{1}},
	} {
		require.NoError(t, o.Validate())
		for _, kind := range []Attach{BTFTracepoint, RawTracepoint} {
			for _, plain := range []bool{false, true} {
				p, err := load(o, k, kind, plain)
				require.NoError(t, err, "%s, %v, plain %v", name, kind, plain)
				for program := range p.Programs {
					info, err := p.Programs[program].Info()
					require.NoError(t, err)
					if n, ok := info.VerifiedInstructions(); ok && n > 500_000 {
						t.Errorf("%s: %s: the verifier looked at %d instructions of a million that it would", name, program, n)
					}
				}
				p.Close()
			}
		}
	}
}

// kernelOf makes a kernel's BTF with these tracepoints, by the names of the structs that
// their arguments point to, behind the hidden one; "" is a number.
func kernelOf(t *testing.T, tracepoints map[string][]string) *kernel {
	t.Helper()
	var types []btf.Type
	structs := map[string]*btf.Struct{}
	number := &btf.Int{Name: "unsigned int", Size: 4}
	for name, args := range tracepoints {
		proto := &btf.FuncProto{Return: (*btf.Void)(nil), Params: []btf.FuncParam{{Type: &btf.Pointer{Target: (*btf.Void)(nil)}}}}
		for _, a := range args {
			var arg btf.Type = number
			if a != "" {
				if structs[a] == nil {
					structs[a] = &btf.Struct{Name: a, Size: 4, Members: []btf.Member{{Name: "x", Type: number}}}
				}
				arg = &btf.Pointer{Target: structs[a]}
			}
			proto.Params = append(proto.Params, btf.FuncParam{Type: arg})
		}
		types = append(types, &btf.Typedef{Name: "btf_trace_" + name, Type: &btf.Pointer{Target: proto}})
	}
	types = append(types, &btf.Enum{Name: "req_flag_bits", Size: 4, Values: []btf.EnumValue{
		{Name: "__REQ_SYNC", Value: 20}, {Name: "__REQ_FUA", Value: 3}, {Name: "__REQ_NR_BITS", Value: 40},
	}})
	b, err := btf.NewBuilder(types, nil)
	require.NoError(t, err)
	raw, err := b.Marshal(nil, nil)
	require.NoError(t, err)
	spec, err := btf.LoadSpecFromReader(bytes.NewReader(raw))
	require.NoError(t, err)
	return &kernel{types: spec}
}

func TestArgumentsAreFoundByBTF(t *testing.T) {
	// Linux 5.4 and 5.10 have the queue first in many; 5.11 and later have not.
	old := kernelOf(t, map[string][]string{
		"block_rq_issue": {"request_queue", "request"}, "block_bio_queue": {"request_queue", "bio"},
		"block_bio_backmerge": {"request_queue", "request", "bio"}, "block_split": {"request_queue", "bio", ""},
		"block_rq_complete": {"request", "", ""},
	})
	recent := kernelOf(t, map[string][]string{
		"block_rq_issue": {"request"}, "block_bio_queue": {"bio"}, "block_bio_backmerge": {"bio"}, "block_split": {"bio", ""},
		"block_rq_complete": {"request", "", ""},
	})
	for name, want := range map[string][3]int{ // old, recent
		"block_rq_issue": {1, 0}, "block_bio_queue": {1, 0}, "block_bio_backmerge": {2, 0}, "block_split": {1, 0}, "block_rq_complete": {0, 0},
	} {
		object := "bio"
		if name == "block_rq_issue" || name == "block_rq_complete" {
			object = "request"
		}
		place, ok := old.argument(name, object)
		require.True(t, ok)
		require.Equal(t, want[0], place, "%s of old", name)
		place, ok = recent.argument(name, object)
		require.True(t, ok)
		require.Equal(t, want[1], place, "%s of recent", name)
	}
	_, ok := old.argument("block_rq_error", "request")
	require.False(t, ok, "it is not there")
	_, ok = old.argument("block_rq_issue", "bio")
	require.False(t, ok, "it has no such argument")
	d := recent.decoder()
	require.EqualValues(t, 1<<20, d.sync)
	require.EqualValues(t, 1<<3, d.fua)
	require.Equal(t, defaultDecoder().meta, d.meta)
}

func TestKernelWithoutATracepointIsRefused(t *testing.T) {
	_, err := load(Options{}, kernelOf(t, map[string][]string{"block_bio_queue": {"bio"}}), BTFTracepoint, false)
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorContains(t, err, "block_rq_complete")
}

func TestTheBestWayThatWasTriedIsToldOf(t *testing.T) {
	refused, tracefs := errors.New("refused"), &Missing{What: "tracefs", Why: "no", Do: "mount it"}
	require.EqualError(t, whyNot([]error{refused, refused, tracefs}),
		"ebpf: a kernel that takes the programs is missing (refused; at last: ebpf: tracefs is missing (no): mount it): see blksim trace doctor")
	btf := &Missing{What: "BTF", Why: "none", Do: "build it"}
	require.EqualError(t, whyNot([]error{btf, btf}), "ebpf: BTF is missing (none): build it")
	require.ErrorIs(t, whyNot([]error{refused}), ErrUnavailable)
}
