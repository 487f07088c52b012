package sysfs

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// tree makes files below a root; a name that ends in / is a folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		if name[len(name)-1] == '/' {
			require.NoError(t, os.MkdirAll(path, 0o755))
			continue
		}
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	return root
}

func TestTreeHasPartitionsAndStacks(t *testing.T) {
	root := tree(t, map[string]string{
		"sys/block/sda/dev": "8:0\n", "sys/block/sda/size": "2048\n", "sys/block/sda/ro": "0\n", "sys/block/sda/removable": "1\n",
		"sys/block/sda/holders/": "", "sys/block/sda/slaves/": "", "sys/block/sda/queue/scheduler": "[none]\n",
		"sys/block/sda/sda1/dev": "8:1\n", "sys/block/sda/sda1/partition": "1\n", "sys/block/sda/sda1/size": "1024\n",
		"sys/block/sda/sda1/holders/dm-0/": "", "sys/block/sda/sda1/ro": "1\n",
		"sys/block/dm-0/dev": "253:0\n", "sys/block/dm-0/slaves/sda1/": "",
		"sys/block/loop0/dev": "7:0\n", "sys/block/loop0/loop/backing_file": "/srv/disk image\n",
		"sys/block/cciss!c0d0/dev": "104:0\n",
		"sys/block/broken/dev":     "no device\n",
	})
	all, err := Read(root)
	require.NoError(t, err)
	require.Len(t, all.Disks, 4)
	sda := all.Named("sda")
	require.EqualValues(t, 1<<20, sda.Size)
	require.True(t, sda.Removable)
	require.Equal(t, Dev{8, 0}, sda.Dev)
	require.Len(t, sda.Parts, 1)
	part := all.Find(Dev{8, 1})
	require.Equal(t, sda.Parts[0], part)
	require.Equal(t, sda, part.Disk())
	require.Equal(t, []string{"dm-0"}, part.Holders)
	require.True(t, part.ReadOnly)
	require.Equal(t, []string{"sda1"}, all.Named("dm-0").Slaves)
	require.Equal(t, "/srv/disk image", all.Named("loop0").Backing)
	require.NotNil(t, all.Named("cciss/c0d0"))
	require.Nil(t, all.Named("sdb"))
	require.Nil(t, all.Find(Dev{1, 1}))
}

func TestIdentityIsReadWhereTheDriversPutIt(t *testing.T) {
	root := tree(t, map[string]string{
		"sys/block/nvme0n1/dev": "259:0\n", "sys/block/nvme0n1/device/model": "Fast 3000  \n", "sys/block/nvme0n1/device/serial": "S1\x1b[2J\n",
		"sys/block/nvme0n1/queue/scheduler": "[none] mq-deadline kyber\n", "sys/block/nvme0n1/queue/nr_requests": "1023\n",
		"sys/block/nvme0n1/queue/logical_block_size": "512\n", "sys/block/nvme0n1/queue/physical_block_size": "4096\n",
		"sys/block/nvme0n1/queue/write_cache": "write back\n",
		"sys/block/sda/dev":                   "8:0\n", "sys/block/sda/device/vendor": "SEAGATE\n", "sys/block/sda/device/model": "ST4000\n",
		"sys/block/sda/device/vpd_pg80": "\x00\x80\x00\x08  ZC1234", "sys/block/sda/queue/rotational": "1\n",
		"sys/block/sda/queue/scheduler": "none [bfq]\n",
		"sys/block/vda/dev":             "252:0\n", "sys/block/vda/serial": "disk-1\n", "sys/block/vda/device/vendor": "0x1af4\n",
		"sys/block/mmcblk0/dev": "179:0\n", "run/udev/data/b179:0": "S:disk/by-id/x\nE:ID_SERIAL_SHORT=0xdead\n",
		"sys/block/zram0/dev": "254:0\n",
	})
	all, err := Read(root)
	require.NoError(t, err)
	for name, want := range map[string]Identity{
		"nvme0n1": {Model: "Fast 3000", Serial: "S1[2J", Scheduler: "none", Requests: 1023, LogicalBlock: 512, PhysicalBlock: 4096, WriteCache: true},
		"sda":     {Model: "SEAGATE ST4000", Serial: "ZC1234", Scheduler: "bfq", Rotational: true},
		"vda":     {Serial: "disk-1"},
		"mmcblk0": {Serial: "0xdead"},
		"zram0":   {},
	} {
		require.Equal(t, want, all.Identity(all.Named(name)), name)
	}
}

func TestNoTreeIsAnError(t *testing.T) {
	_, err := Read(t.TempDir())
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestThisMachineIsRead(t *testing.T) {
	all, err := Read("/")
	if err != nil {
		t.Skip("no block devices are told here: ", err)
	}
	for _, n := range all.Disks {
		require.Equal(t, n, all.Find(n.Dev))
		require.Empty(t, n.Parent)
		all.Identity(n)
	}
}

func TestTheSchedulerIsTheOneInBrackets(t *testing.T) {
	for list, want := range map[string]string{"[none] mq-deadline kyber bfq": "none", "none [mq-deadline]": "mq-deadline", "none": "none", "": "", "[": "", "a [b": "b"} {
		require.Equal(t, want, selected(list), list)
	}
}
