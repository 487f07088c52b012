//go:build !linux

package capture

import (
	"errors"
	"os"

	"blksim/device/disk/sysfs"
)

var errSystem = errors.New("capture: not supported on this system: it takes Linux")

func fileDevice(string) (sysfs.Dev, error) { return sysfs.Dev{}, errSystem }

func nodeDevice(string) (sysfs.Dev, bool) { return sysfs.Dev{}, false }

// memoryFile fails: it is for recordings, which take Linux.
func memoryFile(string) (*os.File, error) { return nil, errSystem }
