package signature

import (
	"encoding/binary"
	"fmt"
)

var (
	le = binary.LittleEndian
	be = binary.BigEndian
)

// extRevision names the extents and the journal that tell ext4, ext3 and ext2 apart:
// s_feature_compat is at 0x5C of the superblock, s_feature_incompat at 0x60.
// A magic of two bytes is found by chance in one of 65,536 disks of noise, so
// s_log_block_size at 0x18 and s_rev_level at 0x4C must be possible too.
func extRevision(v view, at int64) (string, bool) {
	sb := v.at(at-0x38, 0x64)
	if sb == nil || le.Uint32(sb[0x18:]) > 6 || le.Uint32(sb[0x4c:]) > 1 {
		return "", false
	}
	const journal, extents = 0x4, 0x40
	switch {
	case le.Uint32(sb[0x60:])&extents != 0:
		return "ext4", true
	case le.Uint32(sb[0x5c:])&journal != 0:
		return "ext3 or ext4", true
	}
	return "ext2", true
}

func luksVersion(v view, at int64) (string, bool) {
	b := v.at(at+6, 2)
	return fmt.Sprintf("version %d", be.Uint16(b)), true
}

// luksSecond looks for the second header of a LUKS2 container, whose first one may
// have been overwritten: at one of these offsets, with the magic SKUL.
// LUKS2 On-Disk Format, section 2.1.
func luksSecond(v view) (found []Found) {
	for at := int64(0x4000); at <= 0x400000; at *= 2 {
		if v.has(at, "SKUL\xba\xbe") {
			found = append(found, Found{"LUKS", Encrypted, at, "second header"})
		}
	}
	return found
}

// mdVersion1 checks major_version, at 4 of a superblock of version 1.
func mdVersion1(v view, at int64) (string, bool) {
	b := v.at(at+4, 4)
	return "", b != nil && le.Uint32(b) == 1
}

// mdAtEnd looks for the md superblocks at the end: version 1.0 lies at least 8 KiB
// from it, at a multiple of 4 KiB; version 0.90 in the last whole 64 KiB but one
// boundary, in the byte order of the machine that wrote it.
// Linux, drivers/md/md.c, super_1_load and calc_dev_sboffset.
func mdAtEnd(v view) (found []Found) {
	if at := (v.size/512 - 16) &^ 7 * 512; at > 0 && v.has(at, mdMagic) {
		if _, ok := mdVersion1(v, at); ok {
			found = append(found, Found{Name: "md RAID 1.0", Kind: RAID, Offset: at})
		}
	}
	const reserved = 64 << 10
	at := v.size&^(reserved-1) - reserved
	if at >= 0 && (v.has(at, mdMagic) || v.has(at, "\xa9\x2b\x4e\xfc")) {
		found = append(found, Found{Name: "md RAID 0.90", Kind: RAID, Offset: at})
	}
	return found
}

// lvm looks for the label of a physical volume, which is in one of the first four
// sectors, with its type at 24. LVM2, lib/label/label.h.
func lvm(v view) (found []Found) {
	for sector := range int64(4) {
		at := sector * 512
		if v.has(at, "LABELONE") && v.has(at+24, "LVM2 001") {
			found = append(found, Found{Name: "LVM2", Kind: VolumeGroup, Offset: at})
		}
	}
	return found
}

const suspended = "a suspended system"

// swap looks for a swap area, or a suspended system, in the last ten bytes of the
// first page, of any page size. Linux, include/linux/swap.h, union swap_header;
// kernel/power/swap.c.
func swap(v view) (found []Found) {
	for page := int64(4 << 10); page <= 64<<10; page *= 2 {
		at := page - 10
		for _, m := range [...]struct{ text, what string }{{"SWAPSPACE2", "version 1"}, {"SWAP-SPACE", "version 0"},
			{"S1SUSPEND\x00", suspended}, {"S2SUSPEND\x00", suspended}, {"ULSUSPEND\x00", suspended}, {"LINHIB0001", suspended}} {
			if v.has(at, m.text) {
				found = append(found, Found{"swap", Swap, at, m.what})
			}
		}
	}
	return found
}

// zfs looks for an uberblock in one of the four labels of 256 KiB, two at each end,
// the last ones in the last whole 256 KiB: the second half of a label is the array of
// uberblocks, each at a multiple of 1 KiB, which begin with their magic in the byte
// order of the machine. ZFS On-Disk Specification, sections 1.2 and 1.3.
func zfs(v view) (found []Found) {
	const label, array, slot = 256 << 10, 128 << 10, 1 << 10
	end := v.size &^ (label - 1)
	for _, from := range []int64{0, label, end - 2*label, end - label} {
		if from < 0 || from+label > v.size {
			continue
		}
		for at := from + array; at < from+label; at += slot {
			if v.has(at, "\x0c\xb1\xba\x00\x00\x00\x00\x00") || v.has(at, "\x00\x00\x00\x00\x00\xba\xb1\x0c") {
				found = append(found, Found{Name: "ZFS", Kind: FileSystem, Offset: at})
				break
			}
		}
	}
	return found
}

// mbrEntries tells the partitions of a master boot record. The signature alone is on
// every boot sector too, also on those of FAT and NTFS, so entries must be possible:
// a status of 0 or 0x80, and a type that is not 0 in at least one. A boot sector
// without is told as such: something boots from it.
func mbrEntries(v view, _ int64) (string, bool) {
	const first, size = 446, 16
	used, protective := 0, false
	for i := range 4 {
		e := v.at(int64(first+i*size), size)
		if status := e[0]; status != 0 && status != 0x80 {
			return "boot sector", true
		}
		if kind := e[4]; kind != 0 {
			used++
			protective = protective || kind == 0xee
		}
	}
	switch {
	case used == 0:
		return "boot sector without partitions", true
	case protective:
		return "protective, of a GPT", true
	case used == 1:
		return "1 partition", true
	}
	return fmt.Sprintf("%d partitions", used), true
}
