package traces

// The limits of names bound the memory that they can take.
const (
	maxVolumes    = 1 << 16
	maxVolumeName = 255
	maxProcesses  = 1 << 16
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

// met makes a volume the last one, if it was met before.
func (v *volumes) met(name []byte) bool {
	return int(v.last) < len(v.names) && string(name) == v.names[v.last] || v.known(name)
}

// known makes a name that was met before the last one.
func (v *volumes) known(name []byte) bool {
	i, ok := v.byName[string(name)]
	if ok {
		v.last = i
	}
	return ok
}

// processes does the same for who asked.
type processes struct {
	list []Process
	at   map[Process]uint32
	last uint32
}

// index finds or adds a process; the zero one, and those beyond the limit, are
// index 0, not recorded.
func (p *processes) index(pid uint32, name []byte) uint32 {
	if pid == 0 && len(name) == 0 {
		return 0
	}
	if int(p.last) < len(p.list) {
		if l := &p.list[p.last]; l.PID == pid && l.Name == string(name) {
			return p.last
		}
	}
	if p.list == nil {
		p.list, p.at = []Process{{}}, map[Process]uint32{}
	}
	i, ok := p.at[Process{pid, string(name)}]
	if !ok {
		if len(p.list) == maxProcesses || len(name) > maxVolumeName {
			return 0
		}
		i = uint32(len(p.list))
		l := Process{pid, string(name)}
		p.list = append(p.list, l)
		p.at[l] = i
	}
	p.last = i
	return i
}
