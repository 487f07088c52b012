package live

import (
	"os"
	"path/filepath"

	"blksim/internal/ebpf"
)

// names are the names of devices, as in /dev, looked up once each. A device that is
// gone before it is looked up has its numbers for a name.
type names map[ebpf.Dev]string

func (n names) of(dev ebpf.Dev) string {
	name, ok := n[dev]
	if !ok {
		name = dev.String()
		// A link to the device's folder in /sys/devices, which has its name.
		if to, err := os.Readlink("/sys/dev/block/" + name); err == nil {
			name = filepath.Base(to)
		}
		n[dev] = name
	}
	return name
}
