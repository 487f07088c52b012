package capture

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/device/disk/sysfs"
	"blksim/internal/ebpf"
)

// machine is a made-up one: sda with sda1, a loop device over a file on sda1, a mapped
// device over sdb, and file systems on them.
func machine(t *testing.T) *layers {
	root := t.TempDir()
	for path, text := range map[string]string{
		"sda/dev": "8:0", "sda/sda1/dev": "8:1", "sda/sda1/partition": "1", "sdb/dev": "8:16",
		"loop0/dev": "7:0", "loop0/loop/backing_file": "/data/image", "dm-0/dev": "253:0", "dm-0/slaves/sdb/x": "",
	} {
		path = filepath.Join(root, "sys/block", path)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text+"\n"), 0o600))
	}
	tree, err := sysfs.Read(root)
	require.NoError(t, err)
	files := map[string]sysfs.Dev{
		"/data/image": {Major: 8, Minor: 1}, "/data": {Major: 8, Minor: 1}, "/loop": {Major: 7}, "/mapped": {Major: 253},
		"/tmp": {Minor: 40}, "/btrfs": {Minor: 41}, "/overlay": {Minor: 42},
	}
	return &layers{
		tree: tree,
		mounts: "30 1 0:40 / /tmp rw - tmpfs tmpfs rw\n31 1 0:41 / /btrfs rw - btrfs /dev/sdb rw\n" +
			"32 1 0:42 / /overlay rw - overlay overlay rw\n",
		device: func(path string) (sysfs.Dev, error) {
			if d, ok := files[path]; ok {
				return d, nil
			}
			return sysfs.Dev{}, errors.New("no such file")
		},
		node: func(path string) (sysfs.Dev, bool) { return sysfs.Dev{Major: 8, Minor: 16}, path == "/dev/sdb" },
	}
}

func TestFilesAreFoundOnTheirDisks(t *testing.T) {
	l := machine(t)
	device := func(name string, major, minor uint32) ebpf.Device {
		return ebpf.Device{Name: name, Dev: ebpf.MakeDev(major, minor), End: 1}
	}
	sda, sdb, loop, mapped := device("sda", 8, 0), device("sdb", 8, 16), device("loop0", 7, 0), device("dm-0", 253, 0)
	for _, c := range []struct {
		path string
		on   ebpf.Device
		want bool
		why  string
	}{
		{"/data/trace", sda, true, "it lies on sda"},
		{"/data/trace", sdb, false, ""},
		{"/data/trace", loop, false, ""}, // the loop device is above
		{"/loop/trace", loop, true, "it lies on loop0"},
		{"/loop/trace", sda, true, "it lies on sda"}, // beneath
		{"/loop/trace", sdb, false, ""},
		{"/mapped/trace", mapped, true, "it lies on dm-0"},
		{"/mapped/trace", sdb, true, "it lies on sdb"},
		{"/mapped/trace", sda, false, ""},
		{"/tmp/trace", sda, false, ""},
		{"/btrfs/trace", sdb, true, "it lies on sdb"},
		{"/btrfs/trace", sda, true, "which disks it lies on cannot be told"}, // btrfs may have more
		{"/overlay/trace", sda, true, "which disks it lies on cannot be told"},
		{"/nowhere/trace", sda, true, "which disks it lies on cannot be told"},
	} {
		yes, why, err := l.overlap(c.path, []ebpf.Device{c.on})
		require.NoError(t, err)
		require.Equal(t, c.want, yes, "%s on %s", c.path, c.on.Name)
		require.Equal(t, c.why, why, "%s on %s", c.path, c.on.Name)
	}
}
