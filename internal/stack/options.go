package stack

import (
	"strings"

	"blksim/driver/nvme"
)

// nvmeOptions are what a user may say of driver nvme after its name: whether it
// has a cancel callback, and what that sends.
type nvmeOptions struct {
	callback bool
	cancel   nvme.CancelBy
}

// parseNVMe reads options of the form key=value, separated by commas. The string
// is the options again, without those that say what is so anyway.
func parseNVMe(opts string) (o nvmeOptions, canonical string, err error) {
	o.callback = true
	for _, opt := range strings.Split(opts, ",") {
		switch opt {
		case "", "callback=on":
			o.callback = true
		case "callback=off":
			o.callback = false
		case "cancel=abort":
			o.cancel = nvme.ByAbort
		case "cancel=cancel":
			o.cancel = nvme.ByCancel
		case "cancel=auto":
			o.cancel = nvme.ByAuto
		default:
			return o, "", specf("driver nvme: option %q: want callback=on or callback=off, or cancel=abort, cancel=cancel or cancel=auto", opt)
		}
	}
	switch {
	case !o.callback && o.cancel != nvme.ByAbort:
		return o, "", specf("driver nvme: callback=off sends nothing: cancel=%s has no use", [...]string{"abort", "cancel", "auto"}[o.cancel])
	case !o.callback:
		canonical = ",callback=off"
	case o.cancel == nvme.ByCancel:
		canonical = ",cancel=cancel"
	case o.cancel == nvme.ByAuto:
		canonical = ",cancel=auto"
	}
	return o, canonical, nil
}
