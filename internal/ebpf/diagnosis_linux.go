package ebpf

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"
)

// host is what a diagnosis looks at; a test has one of its own.
type host struct {
	root string // of proc and sys
	caps uint64
	open func(Attach) error // loads and attaches everything, and takes it away again
	maps func(ebpf.MapType) error
}

// Diagnose looks at everything that tracing needs, and tries it.
func Diagnose() Diagnosis {
	caps, _ := effective()
	h := host{root: "/", caps: caps, maps: features.HaveMapType, open: func(kind Attach) error {
		t, err := Open(Options{Attach: kind, Requests: true, Buffer: 1 << 16})
		if err != nil {
			return err
		}
		return t.Close()
	}}
	return h.diagnose()
}

func (h *host) diagnose() Diagnosis {
	d := Diagnosis{Schema: DoctorSchema}
	h.rights(&d)
	h.kernel(&d)
	h.tracepoints(&d)
	for _, kind := range []Attach{BTFTracepoint, RawTracepoint, ClassicTracepoint} {
		err := h.open(kind)
		switch {
		case err == nil:
			d.add(kind.String(), Good, "", "programs load and attach")
			if d.Attach == "" {
				d.Attach = kind.String()
			}
		case kind == BTFTracepoint:
			d.add(kind.String(), Weak, "raw tracepoints do the same at twice the cost", "%v", err)
		case kind == RawTracepoint:
			d.add(kind.String(), Weak, "nothing, where BTF tracepoints work", "%v", err)
		default:
			d.add(kind.String(), Weak, "nothing, where the others work: it is for kernels without BTF", "%v", err)
		}
	}
	d.Possible = d.Attach != ""
	if !d.Possible {
		for i := len(d.Checks) - 3; i < len(d.Checks); i++ {
			d.Checks[i].State, d.Checks[i].Do = Lacking, "see what is missing above"
		}
	}
	return d
}

// text is a file's text without space around it.
func (h *host) text(path string) (string, error) {
	b, err := os.ReadFile(filepath.Join(h.root, path))
	return strings.TrimSpace(string(b)), err
}

const (
	asRoot = "run as root, or once: setcap cap_bpf,cap_perfmon,cap_syslog+ep on the blksim binary"
	noNS   = "run outside of the container, or in one with the host's user namespace (docker: --privileged)"
)

func (h *host) rights(d *Diagnosis) {
	admin := has(h.caps, capSysAdmin)
	for _, c := range []struct {
		bit  int
		name string
		why  string
		need bool
	}{
		{capBPF, "CAP_BPF", "loads programs", true},
		{capPerfmon, "CAP_PERFMON", "attaches them, and lets them read kernel memory", true},
		{capSyslog, "CAP_SYSLOG", "finds kernel functions, for the ids that applications give their I/O", false},
	} {
		switch {
		case has(h.caps, c.bit):
			d.add(c.name, Good, "", "%s", c.why)
		case admin && c.need:
			d.add(c.name, Good, "", "%s; CAP_SYS_ADMIN stands for it", c.why)
		case c.need:
			d.add(c.name, Lacking, asRoot, "%s", c.why)
		default:
			d.add(c.name, Weak, asRoot, "%s", c.why)
		}
	}
	if text, err := h.text("proc/self/uid_map"); err == nil {
		if f := strings.Fields(text); len(f) == 3 && f[0] == "0" && f[1] == "0" && f[2] == "4294967295" {
			d.add("user namespace", Good, "", "the host's own")
		} else {
			d.add("user namespace", Weak, noNS, "not the host's: capabilities in it do not count for BPF")
		}
	}
	if text, err := h.text("proc/self/status"); err == nil {
		for _, line := range strings.Split(text, "\n") {
			if mode, ok := strings.CutPrefix(line, "Seccomp:"); ok && strings.TrimSpace(mode) != "0" {
				d.add("seccomp", Weak, "allow the system calls bpf and perf_event_open in the container's profile", "a filter of system calls is in force")
			}
		}
	}
	switch text, err := h.text("sys/kernel/security/lockdown"); {
	case errors.Is(err, fs.ErrNotExist):
		d.add("lockdown", Good, "", "the kernel has none, or does not show it")
	case err != nil:
		d.add("lockdown", Weak, "", "%v", err)
	case strings.Contains(text, "[confidentiality]"):
		d.add("lockdown", Lacking, "boot with lockdown=integrity or without; Secure Boot may set it", "confidentiality: programs may not read kernel memory")
	default:
		d.add("lockdown", Good, "", "%s", text)
	}
}

func (h *host) kernel(d *Diagnosis) {
	release, _ := h.text("proc/sys/kernel/osrelease")
	d.add("kernel", Good, "", "Linux %s", release)
	switch err := h.maps(ebpf.RingBuf); {
	case err == nil:
		d.add("ring buffer", Good, "", "the kernel has it")
	case errors.Is(err, ebpf.ErrNotSupported):
		d.add("ring buffer", Lacking, "use Linux 5.8 or later", "%v", err)
	default:
		d.add("ring buffer", Weak, "look again with the rights", "%v", err)
	}
	switch text, err := h.text("proc/sys/net/core/bpf_jit_enable"); {
	case err == nil && text == "0":
		d.add("JIT", Weak, "sysctl net.core.bpf_jit_enable=1", "off: programs are interpreted, which takes many times as long")
	case err == nil:
		d.add("JIT", Good, "", "on")
	}
	if _, err := symbols("aio_complete_rw"); h.root == "/" && err != nil {
		d.add("kernel symbols", Weak, "CAP_SYSLOG, and sysctl kernel.kptr_restrict=1 or 0", "%v: no ids of applications", err)
	} else {
		d.add("kernel symbols", Good, "", "/proc/kallsyms has addresses")
	}
}

func (h *host) tracepoints(d *Diagnosis) {
	k, err := runningKernel()
	if _, at := os.Stat(filepath.Join(h.root, "sys/kernel/btf/vmlinux")); at != nil && err == nil {
		err = at
	}
	if err != nil {
		d.add("BTF", Weak, "use a kernel built with CONFIG_DEBUG_INFO_BTF=y: without it there are classic tracepoints only", "%v", err)
		return
	}
	d.add("BTF", Good, "", "the kernel describes its types")
	var none []string
	for _, hook := range hooks {
		if _, ok := k.argument(hook.name, hook.object); !ok {
			if !hook.optional {
				d.add("tracepoint "+hook.name, Lacking, "use a kernel with CONFIG_BLOCK and CONFIG_TRACEPOINTS", "the kernel has none such")
				return
			}
			none = append(none, hook.name)
		}
	}
	if len(none) > 0 {
		d.add("block tracepoints", Good, "", "all but %s, which came later and are only counted", strings.Join(none, ", "))
	} else {
		d.add("block tracepoints", Good, "", "all %d", len(hooks))
	}
}
