package inventory

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/internal/loopdev"
)

// entry is the disk of that path.
func entry(t *testing.T, path string) Disk {
	t.Helper()
	list, err := Read(false)
	require.NoError(t, err)
	for _, d := range list.Disks {
		if d.Path == path {
			return d
		}
	}
	t.Fatalf("%s is not in the list", path)
	return Disk{}
}

func TestEachDiskIsUsableOrTellsWhyNot(t *testing.T) {
	l := loopdev.LoopFor(t, 64<<20, loopdev.Options{})
	d := entry(t, l.Path())
	require.True(t, d.Read)
	require.Equal(t, WriteYes, d.Write)
	require.Empty(t, d.Why)
	require.EqualValues(t, 64<<20, d.Bytes)
	require.Equal(t, l.Backing(), d.Backing)
	require.Equal(t, 512, d.Logical)

	if err := loopdev.Format(l.Path(), "ext4"); errors.Is(err, loopdev.ErrUnavailable) {
		t.Skip(err)
	}
	d = entry(t, l.Path())
	require.Equal(t, WriteForce, d.Write)
	require.Contains(t, d.Why[0], "ext4")
	require.Equal(t, d.Why, d.Contents)

	m := loopdev.MountFor(t, l.Path(), "ext4")
	d = entry(t, l.Path())
	require.True(t, d.Read)
	require.Equal(t, WriteNo, d.Write)
	require.Equal(t, []string{"mounted on " + m.Dir() + " (ext4)"}, d.Why)

	var b bytes.Buffer
	require.NoError(t, (&List{Disks: []Disk{d}, Empty: 3}).WriteTable(&b))
	require.Contains(t, b.String(), l.Path()+"  64.0 MiB  over "+l.Backing())
	require.Contains(t, b.String(), "\n    mounted on "+m.Dir()+" (ext4)\n")
	require.Contains(t, b.String(), "3 more have no medium")
}

func TestAReadOnlyDiskIsForReading(t *testing.T) {
	l := loopdev.LoopFor(t, 1<<20, loopdev.Options{ReadOnly: true})
	d := entry(t, l.Path())
	require.True(t, d.Read)
	require.Equal(t, WriteNo, d.Write)
	require.Equal(t, []string{"read-only"}, d.Why)
}

// TestDisksThatCannotBeOpenedAreListedToo: as for a user without the right.
func TestDisksThatCannotBeOpenedAreListedToo(t *testing.T) {
	list, err := Read(true)
	if err != nil {
		t.Skip("no block devices are told here: ", err)
	}
	require.Zero(t, list.Empty)
	entries, err := os.ReadDir("/sys/block")
	require.NoError(t, err)
	var names []string
	for _, d := range list.Disks {
		names = append(names, filepath.Base(d.Path))
		require.Equal(t, d.Write == WriteYes, len(d.Why) == 0, "%+v", d)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "loop") { // which other tests make and take away
			require.Contains(t, names, e.Name())
		}
	}
}
