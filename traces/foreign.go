package traces

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// What this package recognises in order to say that it does not read it: a user
// with the wrong file should hear its name, not "unknown".

const htmlPage = "an HTML page (was the download a login page?)"

// foreignMagics are recognised by their first bytes.
var foreignMagics = []struct{ magic, what string }{
	{"\xfd7zXZ\x00", "xz (unpack it first: unxz)"},
	{"\x04\x22\x4d\x18", "lz4 (unpack it first: unlz4)"},
	{"BZh", "bzip2 inside the compression (packed twice: unpack it once)"},
	{"\x1f\x8b", "gzip inside the compression (packed twice: unpack it once)"},
	{"\x28\xb5\x2f\xfd", "zstd inside the compression (packed twice: unpack it once)"},
	{"PK\x03\x04", "a zip archive (unpack it first)"},
	{"7z\xbc\xaf\x27\x1c", "a 7z archive (unpack it first)"},
	{"PAR1", "Parquet"},
	{"\xff\xfe", "UTF-16 text (convert it to UTF-8)"},
	{"\xfe\xff", "UTF-16 text (convert it to UTF-8)"},
	{"\x7fELF", "an ELF program"},
	{"version https://git-lfs.github.com/spec/", "a Git LFS pointer, not the file itself (fetch it: git lfs pull)"},
	{"<!DOCTYPE html", htmlPage},
	{"<!doctype html", htmlPage},
	{"<html", htmlPage},
}

// foreignBinary names what head is by its magic or layout, or "".
func foreignBinary(head []byte) string {
	for _, m := range foreignMagics {
		if len(head) >= len(m.magic) && string(head[:len(m.magic)]) == m.magic {
			return m.what
		}
	}
	switch {
	case len(head) >= 262 && string(head[257:262]) == "ustar":
		return "a tar archive (unpack it first)"
	case isOracleGeneral(head):
		return "an oracleGeneral cache trace (it has no ops)"
	}
	return ""
}

// isOracleGeneral: records of 24 bytes {time u32, id u64, size u32, next i64}
// without a magic: times that do not go back, and next either -1 (never
// again) or the number of a later request.
func isOracleGeneral(head []byte) bool {
	const size, least = 24, 4
	le := binary.LittleEndian
	n := 0
	var last uint32
	for ; len(head) >= size && n < sampleRecords; n++ {
		at, length, next := le.Uint32(head), le.Uint32(head[12:]), int64(le.Uint64(head[16:]))
		if at < last || n > 0 && at-last > 1<<20 || length == 0 || length > 1<<30 {
			return false
		}
		if never := next == -1 || next == 1<<63-1; !never && (next <= int64(n) || next > 1<<40) {
			return false
		}
		last = at
		head = head[size:]
	}
	return n >= least
}

// foreignTexts are recognised by the kinds of their columns: u a whole number, d a
// decimal one, o a letter R or W.
var foreignTexts = []struct {
	sep   byte
	kinds string
	what  string
}{
	{' ', "owuudd", "a DiskSim validation trace"},
}

// foreignHeaders are recognised by the beginning of their first line.
var foreignHeaders = []struct{ head, what string }{
	{"filename,", "a Thesios CSV (it has files, not a disk's addresses)"},
}

// foreignText names the text format that all of the first lines of head have, or "".
func foreignText(head []byte) string {
	first := strings.ToLower(firstLine(head))
	for _, h := range foreignHeaders {
		if strings.HasPrefix(first, h.head) {
			return h.what
		}
	}
	if strings.Contains(first, "elapsed_usecs.d") || strings.Contains(first, "lba.i") {
		return "a NetApp trace (it has a record at arrival and one at completion: keep one kind, and name its columns)"
	}
	var f fields
	for _, t := range foreignTexts {
		n := 0
		for line := range bytes.Lines(head) {
			if line = bytes.TrimRight(line, "\r\n"); isIgnored(line) {
				continue
			}
			if t.sep == ' ' {
				f.words(line)
			} else {
				f.split(line, t.sep)
			}
			if !f.have(t.kinds) {
				n = 0
				break
			}
			if n++; n == sampleRecords {
				break
			}
		}
		if n > 0 {
			return t.what
		}
	}
	return ""
}

// have says whether the columns are of these kinds.
func (f *fields) have(kinds string) bool {
	if f.n != len(kinds) {
		return false
	}
	for i := range len(kinds) {
		c := f.at[i]
		ok := len(c) > 0
		switch kinds[i] {
		case 'u':
			ok = isDigits(c)
		case 'd':
			ok = isNumber(c)
		case 'o':
			ok = len(c) == 1 && isOneOf(c[0], "RWrw")
		}
		if !ok {
			return false
		}
	}
	return true
}
