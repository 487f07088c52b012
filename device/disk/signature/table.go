package signature

// magic is bytes that lie at a place of the disk where a format has them.
type magic struct {
	name  string
	kind  Kind
	at    int64  // bytes from the begin of the disk; below 0: from its end
	bytes string // what lies there
	more  func(v view, at int64) (detail string, ok bool)
}

// magics are those whose place is fixed. Where each lies is said by its
// specification, named beside it; numbers are little-endian unless it says otherwise.
var magics = []magic{
	// ext2, 3 and 4: the superblock is at byte 1024, s_magic at 0x38 of it.
	// Linux, Documentation/filesystems/ext4/super.rst.
	{name: "ext2/3/4", kind: FileSystem, at: 1024 + 0x38, bytes: "\x53\xef", more: extRevision},
	// XFS: sb_magicnum begins the superblock, which begins the device; big-endian.
	// XFS Algorithms & Data Structures, 3rd edition, chapter 13.
	{name: "XFS", kind: FileSystem, at: 0, bytes: "XFSB"},
	// btrfs: the superblock is at 64 KiB, magic at 0x40 of it.
	// btrfs On-disk Format, "Superblock".
	{name: "btrfs", kind: FileSystem, at: 64<<10 + 0x40, bytes: "_BHRfS_M"},
	// FAT: BS_FilSysType is at 54 (FAT12, FAT16) or 82 (FAT32) of the boot sector.
	// Microsoft FAT Specification, 2005, sections 3.2 and 3.3.
	{name: "FAT", kind: FileSystem, at: 54, bytes: "FAT"},
	{name: "FAT32", kind: FileSystem, at: 82, bytes: "FAT32   "},
	// exFAT: FileSystemName at 3. exFAT file system specification, section 3.1.2.
	{name: "exFAT", kind: FileSystem, at: 3, bytes: "EXFAT   "},
	// NTFS and BitLocker: the OEM ID at 3 of the boot sector.
	// Microsoft, "How NTFS Works", boot sector; [MS-FVE] has its own ID there.
	{name: "NTFS", kind: FileSystem, at: 3, bytes: "NTFS    "},
	{name: "BitLocker", kind: Encrypted, at: 3, bytes: "-FVE-FS-"},
	// F2FS: the first superblock is at 1024 and begins with 0xF2F52010.
	// Linux, include/linux/f2fs_fs.h.
	{name: "F2FS", kind: FileSystem, at: 1024, bytes: "\x10\x20\xf5\xf2"},
	// SquashFS: s_magic begins the device. Linux, fs/squashfs/squashfs_fs.h.
	{name: "SquashFS", kind: FileSystem, at: 0, bytes: "hsqs"},
	// EROFS: the superblock at 1024 begins with 0xE0F5E1E2. Linux, fs/erofs/erofs_fs.h.
	{name: "EROFS", kind: FileSystem, at: 1024, bytes: "\xe2\xe1\xf5\xe0"},
	// ISO 9660: volume descriptors begin at sector 16 of 2,048 bytes, their
	// identifier at 1. ECMA-119, section 8.1.
	{name: "ISO 9660", kind: FileSystem, at: 16*2048 + 1, bytes: "CD001"},
	// bcache and bcachefs: the superblock is at sector 8, its magic at 24.
	// Linux, include/uapi/linux/bcache.h; bcachefs-tools, bcachefs_format.h.
	{name: "bcache", kind: RAID, at: 4096 + 24, bytes: "\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81"},
	{name: "bcachefs", kind: FileSystem, at: 4096 + 24, bytes: "\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef"},
	// APFS: nx_magic at 32 of the container superblock. Apple File System Reference, "Container".
	{name: "APFS", kind: FileSystem, at: 32, bytes: "NXSB"},
	// HFS+: the volume header is at 1024; big-endian. Apple, Technical Note TN1150.
	{name: "HFS+", kind: FileSystem, at: 1024, bytes: "H+\x00\x04"},
	{name: "HFSX", kind: FileSystem, at: 1024, bytes: "HX\x00\x05"},
	// JFS: the superblock is at 32 KiB. Linux, fs/jfs/jfs_superblock.h.
	{name: "JFS", kind: FileSystem, at: 32 << 10, bytes: "JFS1"},
	// Ceph BlueStore: the label begins the device. Ceph, doc/man/8/ceph-bluestore-tool.rst.
	{name: "Ceph BlueStore", kind: FileSystem, at: 0, bytes: "bluestore block device"},

	// LUKS: magic and a version of two bytes, big-endian, begin the device. The
	// second header of LUKS2 is searched for in others.go.
	// LUKS1 On-Disk Format 1.2.3, section 2.1; LUKS2 On-Disk Format, section 2.
	{name: "LUKS", kind: Encrypted, at: 0, bytes: "LUKS\xba\xbe", more: luksVersion},
	// dm-integrity: the superblock begins the device. Linux, drivers/md/dm-integrity.c.
	{name: "dm-integrity", kind: RAID, at: 0, bytes: "integrt\x00"},
	// dm-verity: likewise, with hash blocks after it. cryptsetup, "DMVerity" wiki page.
	{name: "dm-verity", kind: RAID, at: 0, bytes: "verity\x00\x00"},

	// md, version 1: magic 0xa92b4efc begins a superblock at 0 (1.1) or at 4 KiB
	// (1.2); those at the end are in others.go. Linux, include/uapi/linux/raid/md_p.h.
	{name: "md RAID 1.1", kind: RAID, at: 0, bytes: mdMagic, more: mdVersion1},
	{name: "md RAID 1.2", kind: RAID, at: 4096, bytes: mdMagic, more: mdVersion1},
	// Intel Matrix RAID: the metadata begins in the last sector but one.
	// mdadm, super-intel.c.
	{name: "Intel Matrix RAID", kind: RAID, at: -1024, bytes: "Intel Raid ISM Cfg Sig. "},
	// SNIA DDF: the anchor header is the last block; big-endian.
	// SNIA Common RAID Disk Data Format, version 2.0, section 4.2.
	{name: "DDF RAID", kind: RAID, at: -512, bytes: "\xde\x11\xde\x11"},

	// GPT: the header is LBA 1, its copy the last LBA, of 512 or 4,096 bytes.
	// UEFI Specification 2.10, section 5.3.2.
	{name: "GPT", kind: PartitionTable, at: 512, bytes: "EFI PART"},
	{name: "GPT", kind: PartitionTable, at: 4096, bytes: "EFI PART"},
	{name: "GPT, second header", kind: PartitionTable, at: -512, bytes: "EFI PART"},
	{name: "GPT, second header", kind: PartitionTable, at: -4096, bytes: "EFI PART"},
	// MBR: the signature is at 510, four entries are at 446.
	// UEFI Specification 2.10, section 5.2.1.
	{name: "MBR", kind: PartitionTable, at: 510, bytes: "\x55\xaa", more: mbrEntries},
}

const mdMagic = "\xfc\x4e\x2b\xa9"
