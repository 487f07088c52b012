package traces

import (
	"strconv"
	"strings"
)

// msrLines writes MSR Cambridge CSV. The times begin at the hour that the published
// traces begin at. A volume's name is host_disk, as they are read; one that does not
// end in a number of a disk is disk 0 of a host of its name.
type msrLines struct {
	pairs []string // "host,disk" by volume; "": not met
	taken map[string]bool
}

// msrOrigin is 2007-02-22 17:00 UTC as a FILETIME.
const msrOrigin = 128166372000000000

func (*msrLines) format() string { return "msr" }

func (l *msrLines) append(b []byte, r *Record, names *Names) ([]byte, string) {
	kind := ",Read,"
	switch r.Op {
	case Read:
	case Write:
		kind = ",Write,"
	default:
		return b, "it holds reads and writes only"
	}
	for int(r.Volume) >= len(l.pairs) {
		l.pairs = append(l.pairs, "")
	}
	if l.pairs[r.Volume] == "" {
		name := ""
		if int(r.Volume) < len(names.Volumes) {
			name = names.Volumes[r.Volume]
		}
		pair := msrPair(name)
		if l.taken[pair] {
			return b, "its volume " + strconv.Quote(name) + " would be the same as another: both " + strconv.Quote(pair)
		}
		if l.taken == nil {
			l.taken = map[string]bool{}
		}
		l.taken[pair] = true
		l.pairs[r.Volume] = pair
	}
	b = strconv.AppendInt(b, msrOrigin+r.Time/filetimeTick, 10)
	b = append(append(append(b, ','), l.pairs[r.Volume]...), kind...)
	b = append(strconv.AppendInt(b, r.Offset, 10), ',')
	b = append(strconv.AppendInt(b, r.Length, 10), ',')
	return append(strconv.AppendInt(b, r.Completed/filetimeTick, 10), '\n'), ""
}

// msrPair is the host and the disk of a volume.
func msrPair(name string) string {
	if name == "" {
		name = "disk"
	}
	host, disk := name, "0"
	if i := strings.LastIndexByte(name, '_'); i > 0 && isDigits([]byte(name[i+1:])) && len(name)-i < 18 {
		host, disk = name[:i], name[i+1:]
	}
	return strings.NewReplacer(",", "%2c", "\"", "%22").Replace(escapeName(host)) + "," + disk
}

func (*msrLines) end(b []byte) []byte { return b }
