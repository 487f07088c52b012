package ebpf

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/cilium/ebpf/btf"
)

// kernel is what the loader must know of a kernel, all from its BTF: which tracepoints
// there are, and where their arguments stand. Releases are not asked: distributions
// bring changes into old ones.
type kernel struct {
	types *btf.Spec
}

func runningKernel() (*kernel, error) {
	types, err := btf.LoadKernelSpec()
	if err != nil {
		return nil, &Missing{What: "BTF of the kernel", Why: err.Error(),
			Do: "use a kernel built with CONFIG_DEBUG_INFO_BTF=y (/sys/kernel/btf/vmlinux)"}
	}
	return &kernel{types: types}, nil
}

// argument is the place of the first argument of a tracepoint that points to a struct of
// that name, behind the hidden one. ok is false if there is no such tracepoint.
func (k *kernel) argument(tracepoint, object string) (place int, ok bool) {
	var def *btf.Typedef
	if k.types.TypeByName("btf_trace_"+tracepoint, &def) != nil {
		return 0, false
	}
	pointer, _ := def.Type.(*btf.Pointer)
	if pointer == nil {
		return 0, false
	}
	proto, _ := pointer.Target.(*btf.FuncProto)
	if proto == nil {
		return 0, false
	}
	for i, p := range proto.Params {
		if to, is := p.Type.(*btf.Pointer); is {
			if s, is := btf.UnderlyingType(to.Target).(*btf.Struct); is && s.Name == object && i > 0 {
				return i - 1, true
			}
		}
	}
	return 0, false
}

// decoder has the bits of REQ_* flags: enum req_flag_bits counts them.
func (k *kernel) decoder() decoder {
	d := defaultDecoder()
	var bits *btf.Enum
	if k.types.TypeByName("req_flag_bits", &bits) != nil {
		return d
	}
	for _, v := range bits.Values {
		if v.Value > 31 {
			continue
		}
		for name, to := range map[string]*uint32{
			"__REQ_FUA": &d.fua, "__REQ_PREFLUSH": &d.preflush, "__REQ_SYNC": &d.sync,
			"__REQ_META": &d.meta, "__REQ_RAHEAD": &d.readahead,
		} {
			if v.Name == name {
				*to = 1 << v.Value
			}
		}
	}
	return d
}

// errHidden is what symbols gives where the kernel hides its addresses.
var errHidden = errors.New("addresses are hidden (kernel.kptr_restrict, CAP_SYSLOG)")

// symbols are the addresses of functions by /proc/kallsyms.
func symbols(names ...string) (map[string]uint64, error) {
	f, err := os.Open("/proc/kallsyms")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	want := map[string]bool{}
	for _, n := range names {
		want[n] = true
	}
	found := map[string]uint64{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		address, rest, _ := strings.Cut(lines.Text(), " ")
		if len(rest) < 3 || !want[rest[2:]] {
			continue
		}
		at, err := strconv.ParseUint(address, 16, 64)
		if err != nil {
			return nil, fmt.Errorf("/proc/kallsyms: %q: %w", lines.Text(), err)
		}
		if at == 0 {
			return nil, errHidden
		}
		found[rest[2:]] = at
	}
	return found, lines.Err()
}
