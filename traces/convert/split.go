package convert

import "blksim/traces"

// Split sorts records into those of each volume. Its batches are valid until the
// next call of Each.
type Split struct {
	parts [][]traces.Record
	one   traces.Names
}

// Each calls f with the records of each volume among recs, in the order of the
// volumes. They are of volume 0 of names, which holds that volume alone. It stops at
// the first error.
func (s *Split) Each(recs []traces.Record, names traces.Names, f func(volume uint32, recs []traces.Record, names traces.Names) error) error {
	for i := range recs {
		v := int(recs[i].Volume)
		for v >= len(s.parts) {
			s.parts = append(s.parts, nil)
		}
		r := recs[i]
		r.Volume = 0
		s.parts[v] = append(s.parts[v], r)
	}
	s.one.Processes = names.Processes
	for v, part := range s.parts {
		if len(part) == 0 {
			continue
		}
		s.parts[v] = part[:0]
		s.one.Volumes = []string{""}
		if v < len(names.Volumes) {
			s.one.Volumes[0] = names.Volumes[v]
		}
		if err := f(uint32(v), part, s.one); err != nil {
			return err
		}
	}
	return nil
}
