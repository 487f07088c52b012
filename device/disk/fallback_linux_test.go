package disk

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// forbidEnv has the system calls that a process of TestAutoTakesWhatThereIs must not
// make, separated by spaces.
const forbidEnv = "BLKSIM_TEST_FORBID"

// What Auto takes where a kernel, or a sandbox, has no io_uring, no AIO, or neither; and
// what it says then. Each is tried in a process of its own, with a filter of its
// system calls.
func TestAutoTakesWhatThereIs(t *testing.T) {
	if forbidden := os.Getenv(forbidEnv); forbidden != "" {
		forbid(t, strings.Fields(forbidden))
		e, a := newEngine(t, EngineOptions{})
		_, h := file(t, e, 1<<20)
		ios, d := reads(h, a, 8)
		submit(e, d, ios...)
		run(t, e, d)
		require.Equal(t, result{4096, 0, 1}, d.got[7])
		fmt.Printf("engine %s: %s\n", e.Kind(), e.Why())
		return
	}
	for forbidden, want := range map[string]string{
		"io_uring_setup":          "engine libaio: what is left: uring: io_uring_setup: operation not permitted",
		"io_setup":                "engine io_uring: best for this disk",
		"io_uring_setup io_setup": "engine sync: what is left: uring: io_uring_setup: operation not permitted; disk: io_setup: operation not permitted",
	} {
		t.Run(forbidden, func(t *testing.T) {
			c := exec.Command(os.Args[0], "-test.run=^TestAutoTakesWhatThereIs$", "-test.v")
			c.Env = append(os.Environ(), forbidEnv+"="+forbidden)
			out, err := c.CombinedOutput()
			require.NoError(t, err, string(out))
			if strings.Contains(string(out), "--- SKIP") {
				t.Skip(string(out))
			}
			require.Contains(t, string(out), want)
		})
	}
}

// forbid has the kernel answer EPERM to system calls of this process, as sandboxes do.
func forbid(t *testing.T, names []string) {
	t.Helper()
	numbers := map[string]uint32{"io_uring_setup": unix.SYS_IO_URING_SETUP, "io_setup": unix.SYS_IO_SETUP}
	const load, jumpIfEqual, answer = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	filter := []unix.SockFilter{{Code: load, K: 0}} // the number
	for _, name := range names {
		filter = append(filter, unix.SockFilter{Code: jumpIfEqual, Jf: 1, K: numbers[name]},
			unix.SockFilter{Code: answer, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)})
	}
	filter = append(filter, unix.SockFilter{Code: answer, K: unix.SECCOMP_RET_ALLOW})
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	require.NoError(t, unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		t.Skipf("no filters of system calls here: %v", errno)
	}
}
