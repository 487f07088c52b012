package ebpf

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Capabilities by their numbers (uapi/linux/capability.h).
const (
	capSysAdmin = 21
	capSyslog   = 34
	capPerfmon  = 38
	capBPF      = 39
)

// effective are the capabilities of this thread, a bit each.
func effective() (uint64, error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return 0, fmt.Errorf("ebpf: reading capabilities: %w", err)
	}
	return uint64(data[1].Effective)<<32 | uint64(data[0].Effective), nil
}

func has(caps uint64, c int) bool { return caps>>c&1 != 0 }

// checkRights says which capability is missing. CAP_SYS_ADMIN stands for both (and was all
// there was before 5.8).
func checkRights() error {
	caps, err := effective()
	if err != nil {
		return err
	}
	if has(caps, capSysAdmin) {
		return nil
	}
	for _, c := range []struct {
		bit  int
		name string
		why  string
	}{{capBPF, "CAP_BPF", "it loads programs"}, {capPerfmon, "CAP_PERFMON", "it attaches them to tracepoints and lets them read kernel memory"}} {
		if !has(caps, c.bit) {
			return &Missing{What: c.name, Why: c.why,
				Do: "run as root, or once: setcap cap_bpf,cap_perfmon,cap_syslog+ep on the blksim binary"}
		}
	}
	return nil
}
