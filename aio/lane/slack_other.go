//go:build !linux

package lane

func setSlack(uintptr) {}
