package signature

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// image is a disk of zeroes with bytes at places; below 0 they count from its end.
func image(size int64, parts map[int64]string) []byte {
	b := make([]byte, size)
	for at, s := range parts {
		if at < 0 {
			at += size
		}
		copy(b[at:], s)
	}
	return b
}

func probe(t *testing.T, b []byte) []Found {
	t.Helper()
	found, err := Probe(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	return found
}

func le32(v uint32) string { return string(binary.LittleEndian.AppendUint32(nil, v)) }
func be32(v uint32) string { return string(binary.BigEndian.AppendUint32(nil, v)) }
func le64(v uint64) string { return string(binary.LittleEndian.AppendUint64(nil, v)) }
func be64(v uint64) string { return string(binary.BigEndian.AppendUint64(nil, v)) }

// TestEachFormatIsFoundWhereItsSpecificationHasIt writes each magic in numbers, and
// at absolute places, so that it does not repeat the code's table.
func TestEachFormatIsFoundWhereItsSpecificationHasIt(t *testing.T) {
	const size = 8<<20 + 512 // no multiple of what is read at once
	for _, c := range []struct {
		name  string
		parts map[int64]string
		want  Found
	}{
		{"ext4", map[int64]string{1080: "\x53\xef", 1024 + 0x60: le32(0x40)}, Found{"ext2/3/4", FileSystem, 1080, "ext4"}},
		{"ext3", map[int64]string{1080: "\x53\xef", 1024 + 0x5c: le32(4)}, Found{"ext2/3/4", FileSystem, 1080, "ext3 or ext4"}},
		{"ext2", map[int64]string{1080: "\x53\xef"}, Found{"ext2/3/4", FileSystem, 1080, "ext2"}},
		{"xfs", map[int64]string{0: be32(0x58465342)}, Found{"XFS", FileSystem, 0, ""}},
		{"btrfs", map[int64]string{65600: le64(0x4D5F53665248425F)}, Found{"btrfs", FileSystem, 65600, ""}},
		{"vfat 16", map[int64]string{54: "FAT16   "}, Found{"FAT", FileSystem, 54, ""}},
		{"vfat 32", map[int64]string{82: "FAT32   "}, Found{"FAT32", FileSystem, 82, ""}},
		{"exfat", map[int64]string{3: "EXFAT   "}, Found{"exFAT", FileSystem, 3, ""}},
		{"ntfs", map[int64]string{0: "\xeb\x52\x90NTFS    "}, Found{"NTFS", FileSystem, 3, ""}},
		{"bitlocker", map[int64]string{0: "\xeb\x58\x90-FVE-FS-"}, Found{"BitLocker", Encrypted, 3, ""}},
		{"f2fs", map[int64]string{1024: le32(0xF2F52010)}, Found{"F2FS", FileSystem, 1024, ""}},
		{"erofs", map[int64]string{1024: le32(0xE0F5E1E2)}, Found{"EROFS", FileSystem, 1024, ""}},
		{"squashfs", map[int64]string{0: le32(0x73717368)}, Found{"SquashFS", FileSystem, 0, ""}},
		{"iso9660", map[int64]string{0x8000: "\x01CD001\x01"}, Found{"ISO 9660", FileSystem, 32769, ""}},
		{"apfs", map[int64]string{32: le32(0x4253584E)}, Found{"APFS", FileSystem, 32, ""}},
		{"jfs", map[int64]string{32768: "JFS1"}, Found{"JFS", FileSystem, 32768, ""}},
		{"lvm in sector 0", map[int64]string{0: "LABELONE", 24: "LVM2 001"}, Found{"LVM2", VolumeGroup, 0, ""}},
		{"lvm in sector 1", map[int64]string{512: "LABELONE", 536: "LVM2 001"}, Found{"LVM2", VolumeGroup, 512, ""}},
		{"lvm in sector 3", map[int64]string{1536: "LABELONE", 1560: "LVM2 001"}, Found{"LVM2", VolumeGroup, 1536, ""}},
		{"md 1.1", map[int64]string{0: le32(0xa92b4efc) + le32(1)}, Found{"md RAID 1.1", RAID, 0, ""}},
		{"md 1.2", map[int64]string{4096: le32(0xa92b4efc) + le32(1)}, Found{"md RAID 1.2", RAID, 4096, ""}},
		// 16,385 sectors: 16,369 rounded down to a multiple of 8.
		{"md 1.0", map[int64]string{16368 * 512: le32(0xa92b4efc) + le32(1)}, Found{"md RAID 1.0", RAID, 16368 * 512, ""}},
		{"md 0.90", map[int64]string{8<<20 - 64<<10: le32(0xa92b4efc)}, Found{"md RAID 0.90", RAID, 8<<20 - 64<<10, ""}},
		{"md 0.90 of a big-endian machine", map[int64]string{8<<20 - 64<<10: be32(0xa92b4efc)}, Found{"md RAID 0.90", RAID, 8<<20 - 64<<10, ""}},
		{"imsm", map[int64]string{-1024: "Intel Raid ISM Cfg Sig. 1.3.00"}, Found{"Intel Matrix RAID", RAID, size - 1024, ""}},
		{"ddf", map[int64]string{-512: be32(0xDE11DE11)}, Found{"DDF RAID", RAID, size - 512, ""}},
		{"bcache", map[int64]string{4120: "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81"}, Found{"bcache", RAID, 4120, ""}},
		{"luks 1", map[int64]string{0: "LUKS\xba\xbe\x00\x01"}, Found{"LUKS", Encrypted, 0, "version 1"}},
		{"luks 2", map[int64]string{0: "LUKS\xba\xbe\x00\x02"}, Found{"LUKS", Encrypted, 0, "version 2"}},
		{"luks 2 without its first header", map[int64]string{0x8000: "SKUL\xba\xbe\x00\x02"}, Found{"LUKS", Encrypted, 0x8000, "second header"}},
		{"swap", map[int64]string{4086: "SWAPSPACE2"}, Found{"swap", Swap, 4086, "version 1"}},
		{"swap of 64 KiB pages", map[int64]string{65526: "SWAPSPACE2"}, Found{"swap", Swap, 65526, "version 1"}},
		{"hibernation", map[int64]string{4086: "S1SUSPEND\x00"}, Found{"swap", Swap, 4086, "a suspended system"}},
		{"gpt of 512 B blocks", map[int64]string{512: le64(0x5452415020494645)}, Found{"GPT", PartitionTable, 512, ""}},
		{"gpt of 4 KiB blocks", map[int64]string{4096: "EFI PART"}, Found{"GPT", PartitionTable, 4096, ""}},
		{"gpt, only the second header", map[int64]string{-512: "EFI PART"}, Found{"GPT, second header", PartitionTable, size - 512, ""}},
		{"mbr", map[int64]string{446: "\x80\x00\x00\x00\x83", 462: "\x00\x00\x00\x00\x82", 510: "\x55\xaa"}, Found{"MBR", PartitionTable, 510, "2 partitions"}},
		{"protective mbr", map[int64]string{446: "\x00\x00\x02\x00\xee", 510: "\x55\xaa"}, Found{"MBR", PartitionTable, 510, "protective, of a GPT"}},
		{"boot sector", map[int64]string{446: "\x12", 510: "\x55\xaa"}, Found{"MBR", PartitionTable, 510, "boot sector"}},
		{"zfs, first label", map[int64]string{128<<10 + 5<<10: le64(0x00bab10c)}, Found{"ZFS", FileSystem, 133 << 10, ""}},
		{"zfs, second label", map[int64]string{384 << 10: be64(0x00bab10c)}, Found{"ZFS", FileSystem, 384 << 10, ""}},
		{"zfs, third label", map[int64]string{8<<20 - 384<<10: le64(0x00bab10c)}, Found{"ZFS", FileSystem, 8<<20 - 384<<10, ""}},
		{"zfs, fourth label", map[int64]string{8<<20 - 1<<10: le64(0x00bab10c)}, Found{"ZFS", FileSystem, 8<<20 - 1<<10, ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, []Found{c.want}, probe(t, image(size, c.parts)))
			require.Contains(t, c.want.String(), c.want.Kind.String())
		})
	}
}

func TestNothingIsFoundOnAnEmptyOrTinyDisk(t *testing.T) {
	for _, size := range []int64{0, 1, 511, 512, 4096, 64 << 10, Window - 512, Window, 2 * Window, 2*Window + 512} {
		require.Empty(t, probe(t, make([]byte, size)), "%d bytes", size)
	}
}

// TestSeveralSignaturesAreAllTold: what is left of an older use is worth a question too.
func TestSeveralSignaturesAreAllTold(t *testing.T) {
	b := image(8<<20, map[int64]string{446: "\x00\x00\x02\x00\xee", 510: "\x55\xaa", 512: "EFI PART", 1080: "\x53\xef", -512: "EFI PART"})
	var names []string
	for _, f := range probe(t, b) {
		names = append(names, f.Name)
	}
	require.Equal(t, []string{"MBR", "GPT", "ext2/3/4", "GPT, second header"}, names)
}

// TestNoiseHasHardlyEverASignature: short magics are checked for more than themselves.
func TestNoiseHasHardlyEverASignature(t *testing.T) {
	b := image(4096, map[int64]string{1080: "\x53\xef", 1024 + 0x18: le32(0x12345678)})
	require.Empty(t, probe(t, b))
	require.Empty(t, probe(t, image(8192, map[int64]string{4096: le32(0xa92b4efc) + le32(77)})))
}

// TestToolsAndProbeAgree asks the tools that make these formats.
func TestToolsAndProbeAgree(t *testing.T) {
	for _, c := range []struct {
		tool string
		args []string
		want string
	}{
		{"mkfs.ext4", []string{"-q", "-F"}, "ext4"}, {"mkfs.ext2", []string{"-q", "-F"}, "ext2"},
		{"mkfs.ext3", []string{"-q", "-F"}, "ext3 or ext4"}, {"mkswap", nil, "version 1"},
		{"mkfs.xfs", []string{"-q"}, "XFS"}, {"mkfs.btrfs", []string{"-q"}, "btrfs"}, {"mkfs.vfat", nil, "FAT"},
		{"mkfs.ntfs", []string{"-q", "-F"}, "NTFS"}, {"cryptsetup", []string{"luksFormat", "-q", "--pbkdf-force-iterations=4", "--pbkdf-memory=32", "--key-file=/proc/version"}, "LUKS"},
	} {
		t.Run(c.tool, func(t *testing.T) {
			exe, err := exec.LookPath(c.tool)
			if err != nil {
				if exe, err = exec.LookPath("/usr/sbin/" + c.tool); err != nil {
					t.Skip(c.tool, " is not installed")
				}
			}
			path := filepath.Join(t.TempDir(), "disk")
			require.NoError(t, os.WriteFile(path, nil, 0o600))
			require.NoError(t, os.Truncate(path, 512<<20)) // sparse
			out, err := exec.Command(exe, append(c.args, path)...).CombinedOutput()
			require.NoError(t, err, "%s", out)
			f, err := os.Open(path)
			require.NoError(t, err)
			defer f.Close()
			found, err := Probe(f, 512<<20)
			require.NoError(t, err)
			require.NotEmpty(t, found)
			require.Contains(t, fmt.Sprint(found), c.want)
		})
	}
}

// strict fails reads that direct I/O would refuse, and remembers them.
type strict struct {
	io.ReaderAt
	t     *testing.T
	reads int
}

func (s *strict) ReadAt(b []byte, at int64) (int, error) {
	require.Zero(s.t, at%grain)
	require.LessOrEqual(s.t, len(b), Window+grain)
	s.reads++
	return s.ReaderAt.ReadAt(b, at)
}

func TestReadsAreFewAndAligned(t *testing.T) {
	b := make([]byte, 5<<20+1536)
	s := &strict{ReaderAt: bytes.NewReader(b), t: t}
	_, err := Probe(s, int64(len(b)))
	require.NoError(t, err)
	require.Equal(t, 2, s.reads)
}

// broken fails from an offset on.
type broken int64

func (n broken) ReadAt(b []byte, at int64) (int, error) {
	if at >= int64(n) {
		return 0, errors.New("input/output error")
	}
	return len(b), nil
}

// TestAnUnreadableDiskIsNotAnEmptyOne at its begin as at its end.
func TestAnUnreadableDiskIsNotAnEmptyOne(t *testing.T) {
	for _, from := range []broken{0, 4 << 20} {
		_, err := Probe(from, 8<<20)
		require.ErrorContains(t, err, "input/output error")
	}
	_, err := Probe(strings.NewReader("short"), 4096)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	_, err = Probe(strings.NewReader(""), -1)
	require.ErrorContains(t, err, "want 0 or more")
}

// FuzzProbe: any bytes give an answer; what it tells lies on the disk, in order, and
// is still told when zeroes are put between begin and end.
func FuzzProbe(f *testing.F) {
	f.Add(image(8<<10, map[int64]string{1080: "\x53\xef", 510: "\x55\xaa"}), uint8(0))
	f.Add(image(16<<10, map[int64]string{0: "LABELONE", 24: "LVM2 001", -512: "EFI PART"}), uint8(3))
	f.Add(image(512, map[int64]string{-1: "\x55"}), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, pad uint8) {
		b = append(b, make([]byte, int(pad)*512)...)
		found, err := Probe(bytes.NewReader(b), int64(len(b)))
		require.NoError(t, err)
		last := int64(0)
		for _, s := range found {
			require.GreaterOrEqual(t, s.Offset, last)
			require.Less(t, s.Offset, int64(len(b)))
			require.NotEmpty(t, s.String())
			last = s.Offset
		}
	})
}
