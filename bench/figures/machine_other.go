//go:build !linux

package figures

import "runtime"

func cpuModel() string    { return runtime.GOARCH }
func system() string      { return runtime.GOOS }
func loadAverage() string { return "" }
