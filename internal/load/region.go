package load

// Region is where the I/Os of a clone may go, and whether they change what is there.
type Region struct {
	Name       string
	From, Size int64 // bytes
	Writes     bool
}

// Regions are those of all clones of the jobs on a device of so many bytes. The error
// is what is wrong with a job there.
func Regions(jobs []Job, capacity int64) ([]Region, error) {
	var all []Region
	for _, j := range jobs {
		for i := range int(j.Clones) {
			s, err := newSource(j, i, capacity, 0, nil)
			if err != nil {
				return nil, &JobError{err}
			}
			c := Clone{Job: j, Index: i}
			all = append(all, Region{c.Name(), s.from, s.size, j.Writes()})
		}
	}
	return all, nil
}
