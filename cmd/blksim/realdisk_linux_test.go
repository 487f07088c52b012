package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"blksim/internal/loopdev"
)

const diskSize = 8 << 20

// diskFile is a file to run on, of which every byte is written. The test is skipped
// where files have no direct I/O.
func diskFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk")
	require.NoError(t, loopdev.Filled(path, diskSize))
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECT, 0)
	if err != nil {
		t.Skip("no O_DIRECT on the file system of temporary files: ", err)
	}
	require.NoError(t, f.Close())
	return path
}

func sum(t *testing.T, path string) [32]byte {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return sha256.Sum256(b)
}

// format makes a file system, or skips the test where there is no tool for it.
func format(t *testing.T, path, fstype string) {
	t.Helper()
	err := loopdev.Format(path, fstype)
	if errors.Is(err, loopdev.ErrUnavailable) {
		t.Skip(err)
	}
	require.NoError(t, err)
}

// TestARealDiskIsReadOnlyUnlessAllowed: nothing of what is refused changes a byte.
func TestARealDiskIsReadOnlyUnlessAllowed(t *testing.T) {
	path := diskFile(t)
	before := sum(t, path)
	trace := file(t, "a.blk", "blksim trace 1\n0 R 0 4096\n0 W 4096 4096\n")
	stranger := filepath.Join(t.TempDir(), "fs")
	require.NoError(t, loopdev.Sparse(stranger, diskSize))
	format(t, stranger, "ext4")
	dev := "--device=" + path
	for _, c := range []struct {
		rule string
		args []string
		code int
		says string
	}{
		{"a load that writes", []string{"run", "--rw=randwrite", dev}, exitUsage, "job job writes (rw=randwrite), and " + path + " is open for reading only: want --allow-write"},
		{"a load that trims", []string{"run", "--rw=trim", dev}, exitUsage, "want --allow-write"},
		{"a trace that writes", []string{"replay", dev, trace}, exitUsage, "has 1 record that writes, and " + path + " is open for reading only: want --allow-write"},
		{"a file system", []string{"run", "--rw=write", "--allow-write", "--device=" + stranger}, exitDevice, "ext4"},
		{"and what to do about it", []string{"run", "--rw=write", "--allow-write", "--device=" + stranger}, exitDevice, "--force-overwrite if it is not wanted any more"},
		{"force without permission", []string{"run", "--rw=write", "--force-overwrite", dev}, exitUsage, "want --allow-write as well"},
		{"readonly", []string{"run", "--rw=write", "--readonly", "--allow-write", dev}, exitUsage, "readonly"},
		{"no such device", []string{"run", "--device=/dev/no-such-disk", "--rw=write", "--allow-write"}, exitDevice, "/dev/no-such-disk: no such device"},
		{"what is no disk", []string{"run", "--device=/dev/null"}, exitUsage, "neither a regular file nor a block device"},
		{"a folder", []string{"run", "--device=" + t.TempDir()}, exitUsage, "neither a regular file nor a block device"},
		{"a new file below /dev", []string{"run", "--device=/dev/no-such-disk", "--create-size=1m"}, exitDevice, "no file is created below /dev"},
		{"a new file over an old one", []string{"run", dev, "--create-size=1m"}, exitDevice, "file exists: leave it out to run on that as it is"},
		{"the same disk twice", []string{"run", dev, "--device=" + filepath.Dir(path) + "/./disk", "--stack=mirror:2"}, exitUsage, "are the same"},
		{"two disks that make nothing", []string{"run", dev, "--device=" + stranger}, exitUsage, "want --stack to say what they make together"},
		{"one disk for a stack of two", []string{"run", dev, "--stack=mirror:2"}, exitUsage, "want one device for each disk"},
		{"a real and a simulated disk", []string{"run", dev, "--device=sim", "--stack=mirror:2"}, exitUsage, "want only files and block devices, or neither"},
		{"several simulated ones by name", []string{"run", "--device=sim", "--device=ram"}, exitUsage, "want one, and --stack"},
		{"a profile", []string{"run", dev, "--profile=slow"}, exitUsage, "is a real disk, not a simulated one"},
		{"a capacity", []string{"run", dev, "--capacity=1m"}, exitUsage, "want --create-size"},
		{"a driver", []string{"run", dev, "--driver=nvme"}, exitUsage, "has driver disk, and no other"},
		{"an engine that is none", []string{"run", dev, "--ioengine=mmap"}, exitUsage, "want auto, io_uring, libaio, sync"},
		{"polling for too long", []string{"run", dev, "--poll=1s"}, exitUsage, "poll"},
		{"more than the kernel's queue holds", []string{"run", dev, "--device-depth=60000"}, exitUsage, "device depth 60000"},
		{"permission for a simulated disk", []string{"run", "--allow-write"}, exitUsage, "--allow-write: only for a file or block device"},
		{"a dry run of a simulated one", []string{"run", "--dry-run"}, exitUsage, "--dry-run: only for a file or block device"},
		{"buffered I/O of a simulated one", []string{"run", "--buffered=1"}, exitUsage, "--direct: only for a file or block device"},
		{"a check of what the run has not written", []string{"run", dev, "--verify=crc32c", "--size=1m"}, exitUsage, "or is open for reading only"},
		{"a result in its place", []string{"run", dev, "--output=" + path}, exitUsage, "--output " + path + ": that is what --device " + path + " runs on"},
		{"charts in its place", []string{"run", dev, "--report=" + path}, exitUsage, "--report"},
		{"its I/Os in its place", []string{"run", dev, "--ios=" + path}, exitUsage, "--ios"},
		{"a timeline in its place", []string{"run", dev, "--timeline=" + path}, exitUsage, "--timeline"},
		{"latencies in its place", []string{"run", dev, "--hdr=" + path}, exitUsage, "--hdr"},
		{"a job from beyond the end", []string{"run", dev, "--offset=1g"}, exitUsage, fmt.Sprintf("offset 1073741824: the device has %d bytes", diskSize)},
		{"a job beyond the end", []string{"run", dev, "--offset=1g", "--size=1m"}, exitUsage, fmt.Sprintf("the device has %d bytes", diskSize)},
	} {
		code, out, errs := blksim(c.args...)
		require.Equal(t, c.code, code, "%s: %s", c.rule, errs)
		require.Contains(t, errs, c.says, c.rule)
		require.Empty(t, out, c.rule)
	}
	require.Equal(t, before, sum(t, path))
	_, err := os.Lstat("/dev/no-such-disk")
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestNoResultIsWrittenToABlockDevice, whatever the command runs on.
func TestNoResultIsWrittenToABlockDevice(t *testing.T) {
	l := loopdev.LoopFor(t, diskSize, loopdev.Options{})
	before := sum(t, l.Path())
	trace := file(t, "a.blk", tiny)
	for _, args := range [][]string{
		{"replay", "--output=" + l.Path(), trace},
		{"replay", "--hdr=" + l.Path(), trace},
		{"replay", "--ios=" + l.Path(), trace},
		{"trace", "convert", "--to=blksim", "--output=" + l.Path(), trace},
	} {
		code, _, errs := blksim(args...)
		require.Equal(t, exitOutput, code, "%v: %s", args, errs)
		require.Contains(t, errs, l.Path()+": is a block device, and what is on it would be lost: want a file")
	}
	require.Equal(t, before, sum(t, l.Path()))
}

// TestAWriteTraceOnALoopDeviceWithAFileSystemIsRefused, mounted or not, by whatever
// path.
func TestAWriteTraceOnALoopDeviceWithAFileSystemIsRefused(t *testing.T) {
	l := loopdev.LoopFor(t, 64<<20, loopdev.Options{})
	m := loopdev.MountFor(t, l.Path(), "ext4")
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(l.Path(), link))
	trace := file(t, "w.blk", "blksim trace 1\n0 W 1048576 4096\n")
	refused := func(says, path string, more ...string) {
		t.Helper()
		code, _, errs := blksim(append([]string{"replay", "--allow-write", "--device=" + path, trace}, more...)...)
		require.Equal(t, exitDevice, code, errs)
		require.Contains(t, errs, says)
		require.NotContains(t, errs, "writing to")
	}
	for _, path := range []string{l.Path(), link} {
		refused("mounted on "+m.Dir()+" (ext4)", path)
		refused("mounted on "+m.Dir()+" (ext4)", path, "--force-overwrite")
	}
	refused("behind "+filepath.Base(l.Path()), l.Backing(), "--force-overwrite")
	require.NoError(t, m.Unmount())
	before := sum(t, l.Backing())
	refused("file system: ext2/3/4 (ext4), magic at byte 1080", link)
	require.Equal(t, before, sum(t, l.Backing()))

	code, out, errs := blksim("replay", "--allow-write", "--force-overwrite", "--device="+link, "--output-format=json", trace)
	require.Zero(t, code, errs)
	require.Contains(t, errs, "writing to "+link+", which is "+l.Path()+" (64.0 MiB): overwriting file system: ext2/3/4 (ext4)")
	require.Contains(t, errs, "w.blk writes 4 KiB by 1 record, within bytes 1048576 to 1052672")
	require.EqualValues(t, 1, decode(t, out)[0].Accounting.Requests.Completed)
	require.NotEqual(t, before, sum(t, l.Backing()))
}

func TestADryRunSaysWhatItWouldWriteAndWritesNothing(t *testing.T) {
	path := diskFile(t)
	before := sum(t, path)
	code, out, errs := blksim("run", "--rw=randwrite", "--size=1m", "--offset=64k", "--allow-write", "--dry-run", "--device="+path)
	require.Zero(t, code, errs)
	require.Empty(t, out)
	for _, want := range []string{path + ": file, 8 MiB", "writing to " + path + " (8 MiB)", "job job writes within bytes 65536 to 1114112 (1 MiB)"} {
		require.Contains(t, errs, want)
	}
	trace := file(t, "w.blk", "blksim trace 1\n0 W 4096 4096\n0 R 0 4096\n0 D 65536 8192\n")
	code, out, errs = blksim("replay", "--allow-write", "--dry-run", "--device="+path, trace)
	require.Zero(t, code, errs)
	require.Empty(t, out)
	require.Contains(t, errs, "w.blk writes 12.0 KiB by 2 records, within bytes 4096 to 73728")
	code, _, errs = blksim("run", "--rw=randread", "--dry-run", "--device="+path)
	require.Zero(t, code, errs)
	require.Contains(t, errs, "nothing is written")
	require.Equal(t, before, sum(t, path))
}

func TestAFileIsMadeWhenAsked(t *testing.T) {
	_ = diskFile(t)
	path := filepath.Join(t.TempDir(), "new")
	r := runJSON(t, "--device="+path, "--create-size=4m", "--rw=randread", "--number_ios=100", "--iodepth=4")
	require.EqualValues(t, 4<<20, r.Setup.Capacity)
	require.EqualValues(t, 100, r.Accounting.Requests.Completed)
}

// TestWhatVerifyWroteAnotherToolReadsBack: dd reads, and each block has the header of
// its place with the checksum of its data, by a CRC that is not blksim's.
func TestWhatVerifyWroteAnotherToolReadsBack(t *testing.T) {
	for _, engine := range []string{"io_uring", "libaio", "sync"} {
		path := diskFile(t)
		code, out, errs := blksim("run", "--rw=randwrite", "--size=2m", "--offset=1m", "--verify=crc32c", "--iodepth=16", "--allow-write", "--device="+path, "--ioengine="+engine, "--output-format=json")
		require.Zero(t, code, errs)
		r := decode(t, out)[0]
		require.EqualValues(t, 512, r.Verify.Checked)
		require.Zero(t, r.Verify.Bad)
		require.Equal(t, engine, r.Disks[0].Engine)
		data, err := exec.Command("dd", "if="+path, "iflag=direct", "bs=1M", "status=none").Output()
		require.NoError(t, err)
		require.Len(t, data, diskSize)
		for at := 1 << 20; at < 3<<20; at += 4096 {
			b := data[at : at+4096]
			require.EqualValues(t, at, binary.LittleEndian.Uint64(b[8:]), "engine %s", engine)
			require.Equal(t, crc32.Checksum(b[8:], crc32.MakeTable(crc32.Castagnoli)), binary.LittleEndian.Uint32(b[4:]))
		}
		untouched := bytes.Contains(data[:1<<20], []byte("bliv")) || bytes.Contains(data[3<<20:], []byte("bliv"))
		require.False(t, untouched, "nothing is written beside the region")
	}
}

// TestWhatWasOnADiskBeforeIsNotTakenForBadData: neither of others, nor of a run before.
func TestWhatWasOnADiskBeforeIsNotTakenForBadData(t *testing.T) {
	path := diskFile(t)
	for range 2 {
		r := runJSON(t, "--device="+path, "--rw=randrw", "--size=1m", "--iodepth=16", "--verify=crc32c", "--allow-write")
		require.Zero(t, r.Verify.Bad, r.Verify.First)
		require.GreaterOrEqual(t, r.Verify.Checked, r.Ops["write"].Completed, "all that was written")
	}
}

// TestWhatFioWroteIsThereAfterReads: and fio checks it again, after a run that only
// reads.
func TestWhatFioWroteIsThereAfterReads(t *testing.T) {
	fio, err := exec.LookPath("fio")
	if err != nil {
		t.Skip("fio is not installed")
	}
	path := diskFile(t)
	with := func(args ...string) {
		cmd := exec.Command(fio, append([]string{"--name=x", "--filename=" + path, "--size=4m", "--bs=4k", "--verify=crc32c", "--direct=1", "--randseed=1"}, args...)...)
		cmd.Dir = filepath.Dir(path) // fio writes its verify state where it runs
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	with("--rw=randwrite", "--do_verify=0")
	r := runJSON(t, "--device="+path, "--rw=randread", "--iodepth=16", "--number_ios=2000")
	require.False(t, r.Disks[0].Write)
	with("--rw=randread", "--verify_only=1")
}

func TestTheResultSaysWhichDiskItWas(t *testing.T) {
	l := loopdev.LoopFor(t, diskSize, loopdev.Options{})
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(l.Path(), link))
	r := runJSON(t, "--device="+link, "--rw=randread", "--number_ios=200", "--iodepth=4", "--device-depth=4")
	require.Equal(t, "real", r.Setup.Clock)
	require.Equal(t, 4, r.Setup.QueueDepth)
	require.Len(t, r.Disks, 1)
	d := r.Disks[0]
	require.Equal(t, link, d.Path)
	require.Equal(t, l.Path(), d.RealPath)
	require.Equal(t, "block device", d.Kind)
	require.Equal(t, l.Backing(), d.Backing)
	require.EqualValues(t, diskSize, d.Size)
	require.NotEmpty(t, d.Scheduler)
	require.Positive(t, d.Requests)
	require.True(t, d.Direct)
	require.False(t, d.Write)
	require.Contains(t, []string{"io_uring", "libaio", "sync"}, d.Engine)
	require.NotEmpty(t, d.Why)
	require.True(t, r.Device.Counted, "the engine counts by itself")
	code, out, errs := blksim("run", "--device="+link, "--rw=randread", "--number_ios=20")
	require.Zero(t, code, errs)
	require.Contains(t, out, "disk     block device, "+filepath.Base(l.Path()))
	require.Contains(t, out, "engine   "+d.Engine)
}

func TestAMirrorOfTwoFilesIsRunWithHedges(t *testing.T) {
	a, b := diskFile(t), diskFile(t)
	r := runJSON(t, "--device="+a, "--device="+b, "--stack=mirror:2", "--hedge=p95", "--rw=randread", "--iodepth=8", "--number_ios=4000")
	require.Len(t, r.Disks, 2)
	require.Equal(t, "mirror:2", r.Setup.Stack)
	require.Positive(t, r.Volume.HedgesIssued)
	require.EqualValues(t, 4000, r.Accounting.Requests.Completed)
	code, _, errs := blksim("run", "--device="+a, "--device="+b, "--stack=mirror:2", "--rw=write", "--bs=64k", "--allow-write")
	require.Zero(t, code, errs)
	require.Equal(t, sum(t, a), sum(t, b), "both legs have what was written")
}

func TestATraceIsFittedToTheDisk(t *testing.T) {
	path := diskFile(t)
	trace := file(t, "big.blk", "blksim trace 1\n0 R 0 4096\n0.001 R 536870912 4096\n0.002 R 1073737728 4096\n0.003 W 1048576 4096\n")
	replay := func(more ...string) (int, string, string) {
		return blksim(append([]string{"replay", "--allow-write", "--output-format=json", "--device=" + path, trace}, more...)...)
	}
	before := sum(t, path)
	code, _, errs := replay()
	require.Equal(t, exitInput, code)
	require.Contains(t, errs, "reaches to byte 1073741824 (1 GiB)")
	require.Contains(t, errs, "want --redirect=wrap (modulo its size), scale (in proportion) or offset:BYTES, or --on-error=skip")
	require.Equal(t, before, sum(t, path), "refused before anything was written")
	for _, way := range []string{"wrap", "scale", "scale:2GiB"} {
		code, out, errs := replay("--redirect="+way, "--cancel=none")
		require.Zero(t, code, errs)
		r := decode(t, out)[0]
		require.EqualValues(t, 4, r.Accounting.Requests.Completed, way)
		want := map[string]string{"wrap": "wrap", "scale": "scale:1GiB", "scale:2GiB": "scale:2GiB"}[way]
		require.Equal(t, want, r.Setup.Redirect)
		require.Contains(t, errs, " of the trace, redirected by "+want)
	}
	code, out, errs := replay("--on-error=skip")
	require.Equal(t, exitPartial, code, errs)
	require.EqualValues(t, 2, decode(t, out)[0].Accounting.Records.Skipped["beyond the end of the device"])

	code, out, errs = blksim("replay", "--on-error=skip", "--redirect=wrap", "--output-format=json", "--device="+path, trace)
	require.Equal(t, exitPartial, code, errs)
	require.EqualValues(t, 1, decode(t, out)[0].Accounting.Records.Skipped["the device is for reading only"])
	require.Contains(t, errs, "left out (--on-error=skip): 1 record: the device is for reading only")
}

func TestAJobFileOfFiosRunsOnADisk(t *testing.T) {
	path := diskFile(t)
	jobs := file(t, "a.fio", "[global]\ndevice="+path+"\nallow_write=1\n[a]\nioengine=libaio\ndirect=1\nrw=randwrite\nsize=1m\niodepth=4\n[b]\nstonewall\nioengine=libaio\nrw=randread\nnumber_ios=100\n")
	code, out, errs := blksim("run", "--output-format=json", jobs)
	require.Zero(t, code, errs)
	r := decode(t, out)[0]
	require.EqualValues(t, 256+100, r.Accounting.Requests.Completed)
	require.Equal(t, "libaio", r.Disks[0].Engine)
	require.Contains(t, errs, "job a writes within bytes 0 to 1048576 (1 MiB)")
	require.False(t, strings.Contains(errs, "job b writes"))
}
