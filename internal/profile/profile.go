package profile

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"os"
	"strings"

	"blksim/aio/lane"
	"blksim/device/nvme"
	"blksim/device/nvme/flash"
)

// Default is the preset that is used where none is asked for.
const Default = "tlc-enterprise"

//go:embed *.toml
var presets embed.FS

// Profile is a device that can be opened any number of times.
type Profile struct {
	Name        string // of the preset, or the path
	Description string
	Controller  nvme.Config
	Media       Media
	Flash       flash.Config // where Media is Flash; its capacity is the controller's
	Text        string       // the TOML that it was made from
}

// Media is a kind of medium.
type Media string

// The kinds of media.
const (
	Flash Media = "flash" // channels and dies, package flash
	Null  Media = "null"  // no time at all
)

// Names are the presets, in alphabetical order.
func Names() []string {
	files, err := fs.Glob(presets, "*.toml") // sorted
	if err != nil {
		panic("profile: " + err.Error())
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(f, ".toml")
	}
	return files
}

// ErrUnknown says that a name is neither a preset's nor a file's.
var ErrUnknown = errors.New("no such profile")

// Load reads a preset by its name or a file by its path.
func Load(nameOrPath string) (*Profile, error) {
	if text, err := presets.ReadFile(nameOrPath + ".toml"); err == nil {
		return Parse(nameOrPath, text)
	}
	text, err := os.ReadFile(nameOrPath)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(nameOrPath, `/\.`):
		return nil, fmt.Errorf("profile %q: %w: want a TOML file or one of %s", nameOrPath, ErrUnknown, strings.Join(Names(), ", "))
	case err != nil:
		return nil, fmt.Errorf("profile: %w", err)
	}
	return Parse(nameOrPath, text)
}

// Rand is a source of random numbers.
type Rand interface{ Uint64() uint64 }

// Medium makes the profile's medium on lane l, and the configuration of the
// controller that belongs to it. capacity replaces the profile's, rounded up to
// a whole number of logical blocks, unless it is 0.
func (p *Profile) Medium(l lane.Lane, r Rand, capacity int64) (nvme.Medium, nvme.Config, error) {
	cfg := p.Controller
	if capacity != 0 {
		block := int64(cfg.LBASize)
		cfg.Capacity = (capacity + block - 1) / block * block
	}
	if err := cfg.Validate(); err != nil {
		return nil, cfg, fmt.Errorf("profile %s: %w", p.Name, err)
	}
	if p.Media == Null {
		return nvme.NewNull(), cfg, nil
	}
	f := p.Flash
	// A drive of another size has its SLC part in proportion; garbage collection
	// ends where its numbers do.
	hi, lo := bits.Mul64(uint64(f.SLC), uint64(cfg.Capacity))
	slc, _ := bits.Div64(hi, lo, uint64(p.Flash.Capacity))
	f.Capacity, f.SLC = cfg.Capacity, int64(slc)
	if f.SLC == 0 {
		f.SLCProgramTime = 0
	}
	if f.Capacity > flash.MaxCollected {
		f.OverProvision, f.Filled = 0, flash.Empty
	}
	m, err := flash.New(l, r, f)
	if err != nil {
		return nil, cfg, fmt.Errorf("profile %s: %w", p.Name, err)
	}
	return m, cfg, nil
}

// Open makes a controller with the profile's medium on lane l, disabled. A
// capacity of 0 is the profile's.
func (p *Profile) Open(l lane.Lane, mem nvme.Memory, irq nvme.Interrupter, capacity int64, r Rand) (*nvme.Controller, error) {
	m, cfg, err := p.Medium(l, r, capacity)
	if err != nil {
		return nil, err
	}
	c, err := nvme.New(l, mem, irq, m, cfg)
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", p.Name, err)
	}
	return c, nil
}
