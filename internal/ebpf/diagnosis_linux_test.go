package ebpf

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/stretchr/testify/require"
)

// hostOf is a host with these files and capabilities, on which nothing can be opened.
func hostOf(t *testing.T, caps uint64, files map[string]string) *host {
	h := &host{root: t.TempDir(), caps: caps, open: func(Attach) error { return errors.New("no") }, maps: func(ebpf.MapType) error { return nil }}
	for path, text := range files {
		path = filepath.Join(h.root, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text+"\n"), 0o600))
	}
	return h
}

func states(d Diagnosis) map[string]State {
	m := map[string]State{}
	for _, c := range d.Checks {
		m[c.Name] = c.State
	}
	return m
}

func TestDiagnosisSaysWhatIsMissing(t *testing.T) {
	h := hostOf(t, 0, map[string]string{
		"proc/self/uid_map": "0 100000 65536", "proc/self/status": "Name:\tx\nSeccomp:\t2",
		"sys/kernel/security/lockdown": "none integrity [confidentiality]", "proc/sys/net/core/bpf_jit_enable": "0",
		"proc/sys/kernel/osrelease": "5.4.0",
	})
	h.maps = func(ebpf.MapType) error { return ebpf.ErrNotSupported }
	d := h.diagnose()
	require.False(t, d.Possible)
	got := states(d)
	for name, want := range map[string]State{
		"CAP_BPF": Lacking, "CAP_PERFMON": Lacking, "CAP_SYSLOG": Weak, "user namespace": Weak, "seccomp": Weak, "lockdown": Lacking,
		"ring buffer": Lacking, "JIT": Weak, "BTF": Weak, "tracepoint": Lacking, "tp_btf": Lacking, "raw_tp": Lacking, "kernel": Good,
	} {
		require.Equal(t, want, got[name], name)
	}
	for _, c := range d.Checks {
		require.Equal(t, c.State == Good, c.Do == "", "%s: says what to do, or that it is good", c.Name)
		require.NotEmpty(t, c.Detail)
	}
}

func TestDiagnosisOfWhatWorks(t *testing.T) {
	all := uint64(1)<<capBPF | 1<<capPerfmon | 1<<capSyslog
	h := hostOf(t, all, map[string]string{
		"proc/self/uid_map": "0 0 4294967295", "proc/self/status": "Seccomp:\t0", "sys/kernel/security/lockdown": "none [integrity] confidentiality",
	})
	h.open = func(kind Attach) error {
		if kind == BTFTracepoint {
			return errors.New("refused")
		}
		return nil
	}
	d := h.diagnose()
	require.True(t, d.Possible)
	require.Equal(t, "raw_tp", d.Attach)
	got := states(d)
	require.Equal(t, Weak, got["tp_btf"])
	for _, name := range []string{"CAP_BPF", "CAP_PERFMON", "CAP_SYSLOG", "user namespace", "lockdown", "raw_tp"} {
		require.Equal(t, Good, got[name], name)
	}
	// CAP_SYS_ADMIN stands for the two that are needed.
	got = states(hostOf(t, 1<<capSysAdmin, nil).diagnose())
	require.Equal(t, Good, got["CAP_BPF"])
	require.Equal(t, Good, got["CAP_PERFMON"])
	require.Equal(t, Weak, got["CAP_SYSLOG"])
}

func TestDiagnosisAgreesWithOpen(t *testing.T) {
	tr, err := Open(Options{Buffer: 4096})
	if err == nil {
		require.NoError(t, tr.Close())
	} else {
		require.ErrorIs(t, err, ErrUnavailable)
	}
	require.Equal(t, err == nil, Diagnose().Possible)
}
