package guard

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/device/disk/sysfs"
)

// fake is a machine of files: what its paths lead to stands in a table.
type fake map[string]sysfs.Dev

func (f fake) device(path string) (sysfs.Dev, bool) { d, is := f[path]; return d, is }

func (f fake) same(path string, info os.FileInfo) bool { return filepath.Base(path) == info.Name() }

// machine has sda with two partitions, sdb, sdc, and loop devices; and what it
// is told besides.
func machine(t *testing.T, more map[string]string) *System {
	t.Helper()
	root := t.TempDir()
	files := map[string]string{
		"sys/block/sda/dev": "8:0", "sys/block/sda/sda1/dev": "8:1", "sys/block/sda/sda1/partition": "1",
		"sys/block/sda/sda2/dev": "8:2", "sys/block/sda/sda2/partition": "2", "sys/block/sdb/dev": "8:16", "sys/block/sdc/dev": "8:32",
		"sys/block/loop0/dev": "7:0", "sys/block/loop1/dev": "7:1", "sys/block/dm-0/dev": "253:0", "sys/block/md0/dev": "9:0",
		"proc/self/mountinfo": "22 1 0:21 / /proc rw - proc proc rw\n", "proc/swaps": "Filename Type Size Used Priority\n",
	}
	for name, text := range more {
		files[name] = text
	}
	for name, text := range files {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	s, err := readSystem(root, fake{"/dev/sda1": {Major: 8, Minor: 1}, "/dev/sda2": {Major: 8, Minor: 2}, "/dev/sdb": {Major: 8, Minor: 16}, "/dev/sdc": {Major: 8, Minor: 32}})
	require.NoError(t, err)
	return s
}

func TestWhoUsesADevice(t *testing.T) {
	for _, c := range []struct {
		rule   string
		system map[string]string
		device string
		want   []string
	}{
		{"nobody", nil, "sda", nil},
		{"a mount", map[string]string{"proc/self/mountinfo": "30 1 8:16 / /srv/my\\040data rw,relatime shared:1 - xfs /dev/sdb rw\n"}, "sdb", []string{"mounted on /srv/my data (xfs)"}},
		{"a mount of another number, by its source", map[string]string{"proc/self/mountinfo": "30 1 0:44 /home /home rw - btrfs /dev/sdb rw\n"}, "sdb", []string{"mounted on /home (btrfs)"}},
		{"a mount that only the host sees", map[string]string{"proc/1/mountinfo": "30 1 8:16 / /srv rw - xfs /dev/sdb rw\n"}, "sdb", []string{"mounted on /srv (xfs)"}},
		{"a mounted partition, for its disk", map[string]string{"proc/self/mountinfo": "30 1 8:1 / / rw - ext4 /dev/root rw\n"}, "sda", []string{"its partition sda1 is mounted on / (ext4)"}},
		{"but not for its neighbour", map[string]string{"proc/self/mountinfo": "30 1 8:1 / / rw - ext4 /dev/root rw\n"}, "sda2", nil},
		{"a mounted disk, for its partition", map[string]string{"proc/self/mountinfo": "30 1 8:0 / /iso rw - iso9660 /dev/sda rw\n"}, "sda1", []string{"its disk sda is mounted on /iso (iso9660)"}},
		{"swap", map[string]string{"proc/swaps": "Filename Type\n/dev/sda2 partition 1 0 -2\n"}, "sda", []string{"its partition sda2 is active swap"}},
		{"a second disk of a btrfs", map[string]string{"sys/fs/btrfs/1234-abc/devices/sdc": "", "proc/self/mountinfo": "30 1 0:44 / /home rw - btrfs /dev/sdb rw\n"}, "sdc", []string{"part of the mounted btrfs 1234-abc"}},
		{"a holder", map[string]string{"sys/block/sda/sda1/holders/md0": ""}, "sda", []string{"its partition sda1 is held by md0"}},
		{"a holder that is not told of", map[string]string{"sys/block/sdb/holders/bcache9": ""}, "sdb", []string{"held by bcache9"}},
		{"a whole stack", map[string]string{"sys/block/sdb/holders/md0": "", "sys/block/md0/holders/dm-0": "", "proc/self/mountinfo": "30 1 253:0 / /var rw - ext4 /dev/mapper/v rw\n"}, "sdb",
			[]string{"held by md0, which is held by dm-0, which is mounted on /var (ext4)"}},
		{"the holder of a disk, for its partition", map[string]string{"sys/block/sda/holders/dm-0": ""}, "sda1", []string{"its disk sda is held by dm-0"}},
		{"a loop device over it", map[string]string{"sys/block/loop1/loop/backing_file": "/dev/sdb"}, "sdb", []string{"behind loop1"}},
		{"a mounted partition of a loop device over it", map[string]string{"sys/block/loop1/loop/backing_file": "/dev/sdb", "sys/block/loop1/loop1p1/dev": "259:7", "sys/block/loop1/loop1p1/partition": "1",
			"proc/self/mountinfo": "30 1 259:7 / /mnt rw - vfat /dev/loop1p1 rw\n"}, "sdb", []string{"behind loop1, which is mounted on /mnt (vfat)"}},
		{"a circle, which no kernel has", map[string]string{"sys/block/sdb/holders/md0": "", "sys/block/md0/holders/sdb": ""}, "sdb", []string{"held by md0, which is held by sdb"}},
		{"two reasons", map[string]string{"proc/swaps": "Filename Type\n/dev/sdb partition 1 0 -2\n", "sys/block/sdb/holders/dm-0": ""}, "sdb", []string{"active swap", "held by dm-0"}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			s := machine(t, c.system)
			require.Equal(t, c.want, s.ofDevice(s.Tree.Named(c.device)))
		})
	}
}

func TestWhoUsesAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "image")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	info, err := os.Stat(path)
	require.NoError(t, err)
	for _, c := range []struct {
		rule   string
		system map[string]string
		want   []string
	}{
		{"nobody", map[string]string{"sys/block/loop0/loop/backing_file": "/srv/other"}, nil},
		{"a loop device", map[string]string{"sys/block/loop0/loop/backing_file": "/srv/image"}, []string{"behind loop0"}},
		{"a mounted one", map[string]string{"sys/block/loop0/loop/backing_file": "/srv/image", "proc/self/mountinfo": "30 1 7:0 / /snap rw - ext4 /dev/loop0 rw\n"}, []string{"behind loop0, which is mounted on /snap (ext4)"}},
		{"swap", map[string]string{"proc/swaps": "Filename Type\n/srv/image file 1 0 -2\n"}, []string{"active swap"}},
	} {
		require.Equal(t, c.want, machine(t, c.system).ofFile(info), c.rule)
	}
}

// TestWhatCannotBeReadIsNotFree: a system that does not tell who uses a disk gets no
// writes.
func TestWhatCannotBeReadIsNotFree(t *testing.T) {
	_, err := readSystem(t.TempDir(), fake{})
	require.ErrorIs(t, err, os.ErrNotExist)
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "sys/block"), 0o755))
	_, err = readSystem(root, fake{})
	require.ErrorContains(t, err, "mountinfo")
}

// FuzzMounts: any text of a kernel gives mounts with a place, or none.
func FuzzMounts(f *testing.F) {
	f.Add("30 1 8:16 / /srv/my\\040data rw,relatime shared:1 master:2 - xfs /dev/sdb rw\n")
	f.Add("30 1 8:16 / /a\\9 - x")
	f.Add("- - - - - - -\n\\")
	f.Fuzz(func(t *testing.T, text string) {
		for _, m := range parseMounts(text) {
			require.NotEmpty(t, m.dir)
			require.NotEmpty(t, m.fstype)
		}
		parseSwaps(text)
		require.LessOrEqual(t, len(unescape(text)), len(text))
	})
}
