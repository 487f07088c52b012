package traces

// The limits of volume names bound the memory that they can take.
const (
	maxVolumes    = 1 << 16
	maxVolumeName = 255
)

// volumes gives each volume name of a trace an index, in the order of their first
// records.
type volumes struct {
	names  []string
	byName map[string]uint32
	last   uint32
}

// index finds or adds a name. It is false when there are too many. Records of one
// volume come in runs, so the last one is tried first.
func (v *volumes) index(name []byte) (uint32, bool) {
	if int(v.last) < len(v.names) && string(name) == v.names[v.last] {
		return v.last, true
	}
	i, ok := v.byName[string(name)]
	if !ok {
		if len(v.names) == maxVolumes {
			return 0, false
		}
		if v.byName == nil {
			v.byName = make(map[string]uint32)
		}
		i = uint32(len(v.names))
		v.names = append(v.names, string(name))
		v.byName[string(name)] = i
	}
	v.last = i
	return i, true
}
