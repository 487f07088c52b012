//go:build !linux

package lane

func setSlack(uintptr) {}

func setUrgent(bool) bool { return false }
