package figures

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestResultsDoNotReplaceWhatIsNoRegularFile(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	read := make(chan string)
	go func() {
		text, _ := os.ReadFile(pipe)
		read <- string(text)
	}()
	require.NoError(t, writeResults(pipe, nil))
	require.Equal(t, "[]\n", <-read)
	st, err := os.Stat(pipe)
	require.NoError(t, err)
	require.NotZero(t, st.Mode()&os.ModeNamedPipe)
}
