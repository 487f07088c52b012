package vopr

import "errors"

// Shrink makes options that fail as simple as they go: it sets each knob to its
// simplest value, or else halves its distance from there, as long as the run
// still fails, on whatever. It runs at most tries runs; tried is told of each.
func Shrink(f *Failure, tries int, tried func(o Options, failed bool)) *Failure {
	for changed := true; changed && tries > 0; {
		changed = false
		for i := range knobs {
			for _, v := range simpler(knobs[i].simple, f.Options.Set[i]) {
				if tries == 0 {
					return f
				}
				tries--
				o := f.Options
				o.Set[i] = v
				_, err := Run(o)
				var now *Failure
				failed := errors.As(err, &now)
				if tried != nil {
					tried(o, failed)
				}
				if failed {
					f, changed = now, true
					break
				}
			}
		}
	}
	return f
}

// simpler lists values from simple towards v, without v.
func simpler(simple, v int64) (all []int64) {
	for d := v - simple; d != 0; d /= 2 {
		all = append(all, v-d)
	}
	return all
}
