package stack

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"blksim/device/disk"
	"blksim/device/disk/guard"
	"blksim/driver"
	diskdriver "blksim/driver/disk"
)

// IsPath says whether a device is meant to be a file or a block device, and not one of
// the names that Spec.Device has: it has a slash, or is the name of something here.
func IsPath(device string) bool {
	if strings.ContainsRune(device, '/') || strings.ContainsRune(device, os.PathSeparator) {
		return !strings.HasPrefix(device, "sim:")
	}
	switch kind, _, _ := strings.Cut(device, ":"); kind {
	case "sim", "ram", "null":
		return false
	}
	_, err := os.Stat(device)
	return err == nil
}

// RealOptions say how real disks are opened. The zero value reads, with O_DIRECT.
type RealOptions struct {
	Write     bool // what it takes to write to them
	Overwrite bool // what is on them is not wanted any more
	Buffered  bool // through the page cache
	Engine    disk.EngineOptions
}

// Real is disks to run on: files and block devices. Where they may be written to,
// they are claimed (package guard) until Close: over all the runs of a command.
type Real struct {
	Targets []*guard.Target
	Claims  []*guard.Claimed // by disk; none: for reading only
	Options RealOptions
}

// OpenReal resolves and claims disks, and writes nothing to them. The error is a
// *SpecError where the path is the user's mistake, wraps a *guard.Refusal where
// somebody needs what is there, and else is what the system answered.
func OpenReal(paths []string, o RealOptions) (*Real, error) {
	if err := o.Engine.Validate(); err != nil {
		return nil, &SpecError{err}
	}
	r := &Real{Options: o}
	for _, path := range paths {
		t, err := guard.Resolve(path)
		switch {
		case errors.Is(err, guard.ErrNotADisk):
			return nil, &SpecError{err}
		case err != nil:
			return nil, err
		}
		for _, other := range r.Targets {
			if os.SameFile(other.Info, t.Info) || t.Block() && other.Block() && other.Node.Dev == t.Node.Dev {
				return nil, specf("device %s and device %s are the same", other.Path, t.Path)
			}
		}
		r.Targets = append(r.Targets, t)
	}
	if !o.Write {
		return r, nil
	}
	for _, t := range r.Targets {
		c, err := guard.Claim(t, guard.Options{Overwrite: o.Overwrite})
		if err != nil {
			return nil, errors.Join(err, r.Close())
		}
		r.Claims = append(r.Claims, c)
	}
	return r, nil
}

// Close gives the disks up.
func (r *Real) Close() error {
	var errs []error
	for _, c := range r.Claims {
		errs = append(errs, c.Close())
	}
	r.Claims = nil
	return errors.Join(errs...)
}

// path is what to open for disk i: what was claimed, by its open file, so that it is
// the same whatever has become of its name.
func (r *Real) path(i int) string {
	if len(r.Claims) > 0 {
		return fmt.Sprintf("/proc/self/fd/%d", r.Claims[i].File.Fd())
	}
	return r.Targets[i].Real
}

// validateReal checks what goes with real disks.
func (s *Spec) validateReal() error {
	n := len(s.Real.Targets)
	switch {
	case s.Device != "" || s.Profile != "":
		return specf("device %q, profile %q: %s is a real disk", s.Device, s.Profile, s.Real.Targets[0].Path)
	case s.Capacity != 0:
		return specf("capacity %d: a file or block device has its own", s.Capacity)
	case n > 1 && s.Layout.Kind == "":
		return specf("%d devices: want --stack to say what they make together: linear:%d, stripe:%d or mirror:%d", n, n, n, n)
	case n != s.disks():
		return specf("stack %s of %d devices: want one device for each disk", s.Layout, n)
	}
	return nil
}

// openReal opens real disk i and its driver.
func (st *Stack) openReal(s Spec, i int) (driver.Driver, error) {
	if name, _, _ := strings.Cut(s.Driver, ","); name != "" && s.Driver != "disk" {
		return nil, specf("driver %q: a file or block device wants driver disk, which has no options", s.Driver)
	}
	if st.engines == nil {
		var err error
		if st.engines, err = disk.NewEngines(s.Real.Options.Engine); err != nil {
			return nil, err
		}
	}
	o := s.Real.Options
	d, err := diskdriver.Open(s.Real.path(i), diskdriver.Options{
		Options: disk.Options{Write: o.Write, Buffered: o.Buffered}, Engines: st.engines})
	if err != nil {
		return nil, err
	}
	st.Driver, st.Data = "disk", o.Write
	st.real = append(st.real, d)
	return st.injectDriver(s, d)
}

// RealDisk is a real disk of a stack, with what it has counted.
type RealDisk struct {
	Target *guard.Target
	Info   disk.Info
	Engine disk.EngineKind
	Why    string // that engine, and with what features of the kernel
	Stats  diskdriver.Stats
}

// RealDisks tells of the real disks of a stack; none: it has none. While I/O runs,
// the counts are those of a moment.
func (st *Stack) RealDisks() []RealDisk {
	var all []RealDisk
	for i, d := range st.real {
		kind, why := d.Engine()
		all = append(all, RealDisk{st.targets[i], d.Info(), kind, why, d.Stats()})
	}
	return all
}

// Alloc gives memory for n bytes of data, which a real disk takes as it is. Any
// goroutine; it is memory until the stack is closed.
func (st *Stack) Alloc(n int) []byte {
	if st.engines == nil {
		return make([]byte, n)
	}
	return st.engines.Arena().Alloc(n)
}

// name is the disks by their paths.
func (r *Real) name() string {
	var names []string
	for _, t := range r.Targets {
		names = append(names, t.Path)
	}
	return strings.Join(names, ", ")
}

// closeEngines gives back what the engines of real disks have. The disks are closed.
func (st *Stack) closeEngines() error {
	if st.engines == nil {
		return nil
	}
	return st.engines.Close()
}
