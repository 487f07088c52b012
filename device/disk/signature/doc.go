// Package signature tells from the bytes of a disk what is on it: a file system, a
// member of a RAID or of a volume group, an encrypted container, swap, a partition
// table.
//
// It is there to keep a run from overwriting what somebody still wants, so it
// differs from blkid(8) in what it does with doubt. It does not decide what a disk
// is: it tells every magic that lies where its format has it, also several, also
// with a checksum that is wrong, since half of a file system is worth keeping too.
// It reads the first and the last MiB, where all these formats have at least one
// of their magics, and nothing else.
//
// Pure code over an io.ReaderAt: it opens nothing, and no input makes it panic.
package signature
